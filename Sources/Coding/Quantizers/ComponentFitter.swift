import LinkMath
import Parts

/// Learns one row of a table for each component of the codeword from that component's sorted samples.
///
/// Memory: all fitted codewords are kept, 4 bytes for each of drops · M values (8 MB for 4000 drops of 512 reals).
struct ComponentFitter: Fitter {
  let part: String
  /// Name of the fitted array.
  let array: String
  let componentCount: Int
  /// Fewest drops that determine a row.
  let minimumDrops: Int
  /// Whether all components have the same row, of the samples of all of them.
  let isShared: Bool
  /// Ascending samples of a component to its row; all rows have the same length.
  let row: @Sendable ([Float]) -> [Float]
  private var values: [Float] = []

  init(
    part: String, array: String, componentCount: Int, minimumDrops: Int,
    isShared: Bool = false, row: @escaping @Sendable ([Float]) -> [Float]
  ) {
    self.part = part
    self.array = array
    self.componentCount = componentCount
    self.minimumDrops = minimumDrops
    self.isShared = isShared
    self.row = row
  }

  mutating func add(_ input: StageInput) {
    guard case .codeword(let codewords) = input else {
      preconditionFailure("a quantiser is fitted on codewords")
    }
    codewords.requireShape([nil, componentCount], "[drop, M]")
    codewords.withUnsafeElements { values.append(contentsOf: $0) }
  }

  /// - Complexity: O(M · drops · log drops) for sorting, plus the rows.
  func finish() throws -> Artefact {
    let dropCount = values.count / componentCount
    guard dropCount >= minimumDrops else {
      throw FittingError(
        part: part, reason: "\(dropCount) drops are too few, \(minimumDrops) are needed")
    }
    guard values.allSatisfy(\.isFinite) else {
      throw FittingError(part: part, reason: "a fitted codeword holds a non-finite value")
    }
    var table: [Float] = []
    if isShared {
      let shared = row(values.sorted())
      for _ in 0..<componentCount { table += shared }
    } else {
      for component in 0..<componentCount {
        var samples = (0..<dropCount).map { values[$0 * componentCount + component] }
        samples.sort()
        table += row(samples)
      }
    }
    return Artefact([
      array: RealArray(table, shape: [componentCount, table.count / componentCount])
    ])
  }
}
