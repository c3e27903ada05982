import Codecs
import Coding
import LinkMath
import Parts

/// A stage of the link whose data can be looked at.
public enum TappedStage: String, Sendable, CaseIterable {
  /// True response `[slot, user, subcarrier, port]` of every slot that is measured or served.
  case channel
  /// Received pilots `[report, user, pilot tone, pilot symbol]`.
  case observation
  /// The UE's estimate `[report, user, subcarrier, port]`.
  case estimate
  /// Truncated angular-delay CSI of the true channel `[report, user, delay, angle]`.
  case truth
  /// Truncated angular-delay CSI of the estimate, before the normaliser.
  case csi
  /// What the normaliser takes out, `[report, user, 1]`.
  case gain
  /// What the codec sees.
  case normalised
  /// Reals of the codeword `[report, user, M]`.
  case codeword
  /// Numbers of the quantiser's cells `[report, user, symbol]`.
  case symbols
  /// Bits of the report as it is sent, or its reals; -1 or NaN behind the end of shorter ones.
  case payload
  /// What arrives, in the same form; nothing but -1 or NaN for a lost report.
  case received
  /// CSI that the BS makes of the report, `[report, user, delay, angle]`, on the scale of ``truth``.
  case reconstruction

  /// The section behind which nothing more is needed for it.
  var section: Section {
    switch self {
    case .channel: .channel
    case .observation: .pilots
    case .estimate: .estimator
    case .truth, .csi: .transform
    case .gain, .normalised: .normaliser
    case .codeword: .codec
    case .symbols: .quantizer
    case .payload, .received, .reconstruction: .feedback
    }
  }
}

/// The rows of a stage, all users of all drops, in one slot.
struct TappedRows {
  /// Axes of a row; nil if rows have different lengths.
  private(set) var shape: [Int]?
  var isComplex = false
  /// Whether values are bits, and -1 none.
  var isBits = false
  /// Complex values as pairs.
  private(set) var rows: [[Float]] = []

  init(_ tensor: ComplexArray) {
    isComplex = true
    add(tensor)
  }

  init(_ tensor: RealArray) {
    shape = Array(tensor.shape.dropFirst())
    tensor.withUnsafeElements { values in
      let size = tensor.rowStride
      rows = (0..<tensor.shape[0]).map { Array(values[$0 * size..<($0 + 1) * size]) }
    }
  }

  init(_ symbols: SymbolBlock) {
    shape = [symbols.count]
    rows = stride(from: 0, to: symbols.elements.count, by: max(symbols.count, 1)).map { first in
      symbols.elements[first..<first + symbols.count].map { Float($0) }
    }
  }

  /// Rows of different lengths.
  init(_ rows: [[Float]], isBits: Bool) {
    (self.rows, self.isBits) = (rows, isBits)
  }

  /// More rows of the same kind: parts of a block come one after the other.
  mutating func add(_ tensor: ComplexArray) {
    shape = Array(tensor.shape.dropFirst())
    let size = tensor.rowStride
    tensor.withUnsafeElements { values in
      for row in 0..<tensor.shape[0] {
        var numbers: [Float] = []
        numbers.reserveCapacity(2 * size)
        for value in values[row * size..<(row + 1) * size] {
          numbers.append(value.real)
          numbers.append(value.imaginary)
        }
        rows.append(numbers)
      }
    }
  }
}

/// Takes what passes some stages out of a walk; the nodes of other operating points are not visited.
final class StageTap {
  private let points: Set<Int>
  private let stages: Set<TappedStage>
  /// The last section that is walked.
  private let deepest: Section
  /// By stage and node, the rows of each slot.
  private(set) var data: [TappedStage: [Int: [Int: TappedRows]]] = [:]
  /// The operating points of each node that was met.
  private(set) var pointsOfNode: [Int: [Int]] = [:]

  /// - Parameters:
  ///   - points: operating points that are walked.
  ///   - stages: what is kept.
  ///   - deepest: the last section that is walked; the last one of the stages if nil.
  init(points: Set<Int>, stages: Set<TappedStage>, deepest: Section? = nil) {
    self.points = points
    self.stages = stages
    let order = Section.passed
    self.deepest =
      deepest
      ?? stages.map(\.section).max { order.firstIndex(of: $0)! < order.firstIndex(of: $1)! }
      ?? .channel
  }

  func passes(_ node: Node) -> Bool {
    let order = Section.passed
    return order.firstIndex(of: node.stage.section)! <= order.firstIndex(of: deepest)!
      && node.points.contains(where: points.contains)
  }

  func add(_ stage: TappedStage, _ node: Node, slot: Int, _ rows: @autoclosure () -> TappedRows) {
    guard stages.contains(stage) else { return }
    pointsOfNode[node.id] = node.points
    data[stage, default: [:]][node.id, default: [:]][slot] = rows()
  }

  /// One part of a block, behind those before it.
  func append(_ stage: TappedStage, _ node: Node, slot: Int, _ part: ComplexArray) {
    guard stages.contains(stage) else { return }
    pointsOfNode[node.id] = node.points
    if data[stage]?[node.id]?[slot] == nil {
      data[stage, default: [:]][node.id, default: [:]][slot] = TappedRows(part)
    } else {
      data[stage]![node.id]![slot]!.add(part)
    }
  }

  /// The node of a stage that a point passes; nil if it has none of that data.
  func node(_ stage: TappedStage, point: Int) -> Int? {
    data[stage]?.keys.first { pointsOfNode[$0]!.contains(point) }
  }
}

extension TappedRows {
  /// Reports as they are sent.
  static func sent(_ reports: [Report]) -> TappedRows {
    let carriesReals = reports.contains { $0.reals != nil }
    return TappedRows(
      reports.map { carriesReals ? $0.reals ?? [] : numbers($0.bits) }, isBits: !carriesReals)
  }

  /// Reports as they arrive.
  static func arrived(_ deliveries: [Delivery], asBits: Bool) -> TappedRows {
    let rows = deliveries.map { delivery -> [Float] in
      switch delivery {
      case .bits(let bits, _): numbers(bits)
      case .reals(let reals, _): reals
      case .lost: []
      }
    }
    return TappedRows(rows, isBits: asBits)
  }

  private static func numbers(_ bits: BitString) -> [Float] {
    (0..<bits.count).map { bits[$0] ? 1 : 0 }
  }
}
