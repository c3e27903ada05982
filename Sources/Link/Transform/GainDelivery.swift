import Foundation
import LinkMath
import Parts

/// How the BS learns the gain that the UE divided the CSI by.
public enum GainDelivery: Sendable {
  /// It is given for free, as the papers do.
  case genie
  /// It is sent, and counted in the payload.
  case quantized(GainQuantizer)
  /// It is not sent: the BS has CSI of the right direction only.
  case unit

  enum Kind: String, Choice { case genie, quantized, unit }

  static let kind = Parameter<Kind>.choice(
    "gain", default: .genie,
    "How the BS learns the gain: genie, quantized (in the payload), unit (not at all).")
  static let bits = Parameter.integer(
    "gain_bits", default: 6, in: 1...16,
    "Bits of the gain in the payload (gain: quantized), uniform in dB over gain_range_db.")
  static let range = Parameter<[Double]>(
    "gain_range_db", .list(.number(.level, -200...200), count: 2...2), default: [-30, 30],
    "Smallest and largest gain that can be sent (gain: quantized); gains outside are sent as the nearest."
  )

  static let declarations = [kind.declaration, bits.declaration, range.declaration]

  init(_ settings: Settings) throws(SettingsError) {
    let range = settings[Self.range]
    guard range[0] < range[1] else {
      throw SettingsError(
        part: settings.part, key: Self.range.key, reason: "must be ascending, got \(range)")
    }
    self =
      switch settings[Self.kind] {
      case .genie: .genie
      case .quantized:
        .quantized(
          GainQuantizer(bitCount: settings[Self.bits], lowestDB: range[0], highestDB: range[1]))
      case .unit: .unit
      }
  }

  /// The quantiser of a gain that is sent.
  public var quantizer: GainQuantizer? {
    if case .quantized(let quantizer) = self { quantizer } else { nil }
  }

  /// Bits that the gain takes in each payload.
  public var payloadBitCount: Int { quantizer?.bitCount ?? 0 }

  /// Whether the BS has CSI of the channel's scale.
  public var givesScale: Bool {
    if case .unit = self { false } else { true }
  }
}

/// A gain in a few bits: log-uniform cells over a range, cell centres.
public struct GainQuantizer: Sendable {
  /// Bits of an index.
  public let bitCount: Int
  let lowestDB: Double
  let highestDB: Double

  /// The cell of a gain; the nearest one for a gain outside the range.
  public func index(of gain: Float) -> UInt32 {
    let cells = Double(1 << bitCount)
    let position = (20 * log10(Double(gain)) - lowestDB) / (highestDB - lowestDB)
    return UInt32(min(max((position * cells).rounded(.down), 0), cells - 1))
  }

  /// The gain that an index stands for: the centre of its cell on the scale of decibels.
  public func gain(index: UInt32) -> Float {
    let cells = Double(1 << bitCount)
    let level = lowestDB + (highestDB - lowestDB) * (Double(index) + 0.5) / cells
    return Float(pow(10, level / 20))
  }
}
