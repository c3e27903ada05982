import LinkMath
import Parts

/// What the BS believes of the channel in the slots that it serves, from the reports that have arrived.
public protocol Prediction: Sendable {
  /// Whether it believes something else in each slot, not only after a report.
  var changesBetweenReports: Bool { get }

  /// The memory of the drops of some blocks, those of all users one after the other, empty.
  func makeMemory(_ rows: [DropBlock]) -> any BSMemory
}

extension Prediction {
  /// Only reports change what it believes.
  public var changesBetweenReports: Bool { false }
}

/// What the BS remembers of a block of drops.
public protocol BSMemory {
  /// A report that has arrived: CSI [drop, row, column] in the channel's scale.
  ///
  /// - Parameters:
  ///   - csi: what the reports of the slot tell.
  ///   - isNew: which drops' reports arrived; the others' CSI is zero.
  ///   - slot: in which the UE measured; later than that of the report before.
  mutating func store(_ csi: ComplexArray, isNew: [Bool], measured slot: Int)

  /// What the BS precodes with in a slot, CSI [drop, row, column]; zero without a report.
  ///
  /// - Precondition: a report was stored.
  func csi(at slot: Int) -> ComplexArray
}

/// Every prediction a scenario can name.
public enum PredictionRegistry {
  /// The predictions, in the order in which `csilink list` shows them.
  public static let predictions: [any (Prediction & Part).Type] = [
    HoldPrediction.self, ZeroPrediction.self, RandomPrediction.self, LinearPrediction.self,
  ]
}

/// The newest report that has arrived.
public struct HoldPrediction: Prediction, Part {
  public static let schema = PartSchema(
    .prediction, "hold", "The BS keeps the newest report that has arrived.")

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) {}

  public func makeMemory(_ rows: [DropBlock]) -> any BSMemory { Memory() }

  private struct Memory: BSMemory {
    var held: ComplexArray?

    mutating func store(_ csi: ComplexArray, isNew: [Bool], measured slot: Int) {
      held = held.map { csi.replacingRows(of: isNew, with: $0) } ?? csi
    }

    func csi(at slot: Int) -> ComplexArray { held! }
  }
}

/// The newest report; nothing once one is lost, until the next arrives.
public struct ZeroPrediction: Prediction, Part {
  public static let schema = PartSchema(
    .prediction, "zero", "The BS forgets what it had when a report is lost, and precodes blindly.")

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) {}

  public func makeMemory(_ rows: [DropBlock]) -> any BSMemory { Memory() }

  private struct Memory: BSMemory {
    var newest: ComplexArray?

    mutating func store(_ csi: ComplexArray, isNew: [Bool], measured slot: Int) { newest = csi }

    func csi(at slot: Int) -> ComplexArray { newest! }
  }
}

/// The straight line through the two newest reports, entry by entry: `A(t) = A1 + (A1 - A0) (t - t1) / (t1 - t0)`.
///
/// Its error grows with the square of the Doppler phase between reports, that of ``HoldPrediction`` linearly, but noise of
/// the reports is amplified by up to `1 + 2 (t - t1) / (t1 - t0)`.
public struct LinearPrediction: Prediction, Part {
  public static let schema = PartSchema(
    .prediction, "linear", "The BS extrapolates the two newest reports linearly in time.")

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) {}

  public var changesBetweenReports: Bool { true }

  public func makeMemory(_ rows: [DropBlock]) -> any BSMemory {
    Memory(
      times: Array(
        repeating: (newest: nil, before: nil), count: rows.reduce(0) { $0 + $1.drops.count }))
  }

  private struct Memory: BSMemory {
    var newest: ComplexArray?
    var before: ComplexArray?
    /// When the two reports of each drop were measured.
    var times: [(newest: Int?, before: Int?)]

    mutating func store(_ csi: ComplexArray, isNew: [Bool], measured slot: Int) {
      let old = newest ?? csi
      before = old.replacingRows(of: isNew, with: before ?? old)
      newest = csi.replacingRows(of: isNew, with: old)
      for drop in isNew.indices where isNew[drop] {
        times[drop] = (newest: slot, before: times[drop].newest)
      }
    }

    func csi(at slot: Int) -> ComplexArray {
      var result = newest!
      let size = result.rowStride
      result.withUnsafeMutableElements { result in
        before!.withUnsafeElements { before in
          for (drop, time) in times.enumerated() {
            guard let t1 = time.newest, let t0 = time.before else { continue }
            let step = Float(slot - t1) / Float(t1 - t0)
            for i in drop * size..<(drop + 1) * size {
              let move = result[i] - before[i]
              result[i] += ComplexFloat(step * move.real, step * move.imaginary)
            }
          }
        }
      }
      return result
    }
  }
}

extension Tensor where Element == ComplexFloat {
  /// The rows of [drop, ...] that are new, and those of another array where they are not.
  fileprivate func replacingRows(of isNew: [Bool], with old: ComplexArray) -> ComplexArray {
    if !isNew.contains(false) { return self }
    var result = self
    let size = rowStride
    result.withUnsafeMutableElements { result in
      old.withUnsafeElements { old in
        for drop in isNew.indices where !isNew[drop] {
          for i in drop * size..<(drop + 1) * size { result[i] = old[i] }
        }
      }
    }
    return result
  }
}
