import LinkMath
import Parts

/// Learns one row of a table for each component of the codeword from that component's sorted samples.
struct ComponentFitter: Fitter {
  private var sample: CodewordSample
  /// Name of the fitted array.
  private let array: String
  /// Whether all components have the same row, of the samples of all of them.
  private let isShared: Bool
  /// Ascending samples of a component to its row; all rows have the same length.
  private let row: @Sendable ([Float]) -> [Float]

  init(
    part: String, array: String, componentCount: Int, minimumDrops: Int,
    isShared: Bool = false, row: @escaping @Sendable ([Float]) -> [Float]
  ) {
    sample = CodewordSample(part: part, outputCount: componentCount, minimumDrops: minimumDrops)
    self.array = array
    self.isShared = isShared
    self.row = row
  }

  mutating func add(_ input: StageInput) { sample.add(input) }

  func finish() throws -> Artefact {
    try finish { count, row in (0..<count).map(row) }
  }

  /// - Complexity: O(M · drops · log drops) for sorting, plus the rows.
  func finish(on pool: WorkerPool) throws -> Artefact {
    try finish { count, row in pool.map(count) { component, _ in row(component) } }
  }

  private func finish(
    _ map: (Int, @escaping @Sendable (Int) -> [Float]) -> [[Float]]
  ) throws -> Artefact {
    let values = try sample.checked()
    let (drops, components) = (values[dimension: 0], values[dimension: 1])
    let rows: [[Float]]
    if isShared {
      rows = [[Float]](repeating: row(values.elements.sorted()), count: components)
    } else {
      rows = map(components) { [row] component in
        values.withUnsafeElements { values in
          row((0..<drops).map { values[$0 * components + component] }.sorted())
        }
      }
    }
    return Artefact([
      array: RealArray(rows.flatMap { $0 }, shape: [components, rows[0].count])
    ])
  }
}
