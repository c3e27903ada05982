import LinkMath
import Parts

/// Differential reports: the change since the last report that arrived, in fewer bits than the CSI itself.
///
/// Both sides hold the CSI of the last report that arrived. The UE knows which did, and sends the quantised difference to it,
/// `bits = 2 · taps · angles · difference_bits`; at first, every `refresh` reports, and as long as nothing has arrived, it sends the CSI
/// itself, `2 · taps · angles · bits`. The BS tells the two apart by their length. Both are uniform over symmetric ranges, cell
/// centres, and values beyond take the outer cell. As the difference is taken to what the BS holds, errors of quantisation do not add up;
/// wrong bits do, until the next refresh.
///
/// Reference: N. S. Jayant and P. Noll, *Digital Coding of Waveforms*, 1984, ch. 6 (differential PCM).
public struct DifferentialCodec: Reporting, Part {
  static let bits = Parameter.integer(
    "bits", default: 6, in: 2...16, "Bits for each real of a whole report.")
  static let differenceBits = Parameter.integer(
    "difference_bits", default: 2, in: 1...15, "Bits for each real of a difference.")
  static let range = Parameter.number(
    "range", default: 1, in: 1e-6...1e6, "Largest modulus of a real of a whole report.")
  static let differenceRange = Parameter.number(
    "difference_range", default: 0.125, in: 1e-6...1e6, "Largest modulus of a difference.")
  static let refresh = Parameter.integer(
    "refresh", default: 16, in: 1...100_000, "Reports from one whole report to the next.")

  public static let schema = PartSchema(
    .codec, "differential", "Differences to the last report that arrived; whole reports at times.",
    reference: "N. S. Jayant and P. Noll, Digital Coding of Waveforms, 1984, ch. 6",
    parameters: [
      bits.declaration, differenceBits.declaration, range.declaration,
      differenceRange.declaration, refresh.declaration,
    ])

  private let shape: [Int]
  private let whole: Cells
  private let difference: Cells
  private let refresh: Int

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    shape = [context.tapCount, context.portCount]
    whole = Cells(bits: settings[Self.bits], limit: Float(settings[Self.range]))
    difference = Cells(
      bits: settings[Self.differenceBits], limit: Float(settings[Self.differenceRange]))
    refresh = settings[Self.refresh]
    guard difference.bits < whole.bits else {
      throw SettingsError(
        part: settings.part, key: Self.differenceBits.key,
        reason: "must be below the \(whole.bits) bits of a whole report, got \(difference.bits)")
    }
  }

  /// A uniform quantiser of `bits` bits on ±limit.
  private struct Cells: Sendable {
    let bits: Int
    let limit: Float

    private var step: Float { 2 * limit / Float(1 << bits) }

    func index(_ value: Float) -> (cell: UInt32, isOutside: Bool) {
      let cell = ((value + limit) / step).rounded(.down)
      let top = Float(1 << bits - 1)
      // Not a number is outside too, in the lowest cell.
      return (cell > 0 ? UInt32(min(cell, top)) : 0, !(abs(value) <= limit))
    }

    func value(_ cell: UInt32) -> Float { (Float(cell) + 0.5) * step - limit }
  }

  private var realCount: Int { 2 * shape[0] * shape[1] }

  public var size: ReportSize { .atMostBits(realCount * whole.bits) }
  public var listens: Bool { true }

  public func makeUE(drops: Int) -> any UESide {
    UE(codec: self, drops: Array(repeating: UE.Drop(), count: drops))
  }

  public func makeBS(drops: Int) -> any BSSide {
    BS(codec: self, held: Array(repeating: [], count: drops))
  }

  private struct UE: UESide {
    struct Drop {
      /// What the BS holds; empty before a report has arrived.
      var held: [Float] = []
      /// What it holds once the last report has arrived.
      var next: [Float] = []
      /// Reports since a whole one.
      var age = 0
    }

    let codec: DifferentialCodec
    var drops: [Drop]

    mutating func report(_ measurement: Measurement, slot: Int, acknowledged: [Bool]) -> [Report] {
      let reals = RealPlanes.split(measurement.csi)
      return drops.indices.map { drop in
        if acknowledged[drop] { drops[drop].held = drops[drop].next }
        let values = reals.slice(drop..<drop + 1).elements
        let isWhole = drops[drop].held.isEmpty || drops[drop].age >= codec.refresh
        drops[drop].age = isWhole ? 1 : drops[drop].age + 1
        let base = isWhole ? values.map { _ in 0 } : drops[drop].held
        let cells = isWhole ? codec.whole : codec.difference
        var report = Report(bits: BitString())
        drops[drop].next = zip(values, base).map { value, base in
          let (cell, isOutside) = cells.index(value - base)
          report.bits.append(cell, width: cells.bits)
          report.clippedCount += isOutside ? 1 : 0
          return base + cells.value(cell)
        }
        report.fields = [.init(isWhole ? "whole" : "difference", 0..<report.bits.count)]
        return report
      }
    }
  }

  private struct BS: BSSide {
    let codec: DifferentialCodec
    var held: [[Float]]

    mutating func receive(_ arrived: [Delivery], slot: Int) -> Reconstruction {
      var told = RealArray(repeating: 0, shape: [arrived.count, codec.realCount])
      told.withUnsafeMutableElements { told in
        for (drop, delivery) in arrived.enumerated() {
          guard case .bits(let bits, _) = delivery else { continue }
          let isWhole = bits.count == codec.realCount * codec.whole.bits
          let cells = isWhole ? codec.whole : codec.difference
          var reader = BitReader(bits)
          let base = isWhole ? Array(repeating: 0, count: codec.realCount) : held[drop]
          held[drop] = base.map { $0 + cells.value(reader.read(cells.bits)) }
          for (i, value) in held[drop].enumerated() { told[drop * codec.realCount + i] = value }
        }
      }
      return Reconstruction(
        csi: RealPlanes.merge(told, taps: codec.shape[0], angles: codec.shape[1]))
    }
  }
}
