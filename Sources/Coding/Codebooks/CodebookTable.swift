import LinkMath

/// The best codebooks of each output for every number of bits, by ``ExactKMeans``, and the errors that they leave; worked
/// out when first asked for.
public final class CodebookTable {
  private struct Key: Hashable, Sendable {
    let output, bits: Int
  }
  private let points: [SortedPoints]
  private var clusters: [Key: ExactKMeans.Clusters] = [:]

  /// The sets of values of each output.
  ///
  /// - Complexity: O(M n) for sorting.
  public init(_ points: [SortedPoints]) { self.points = points }

  /// Values [sample, M] of M outputs.
  ///
  /// - Precondition: all are finite.
  public convenience init(_ values: RealArray, pool: WorkerPool? = nil) {
    let (samples, outputs) = (values[dimension: 0], values[dimension: 1])
    self.init(
      Self.map(outputs, pool) { output in
        values.withUnsafeElements { values in
          SortedPoints((0..<samples).map { values[$0 * outputs + output] })
        }
      })
  }

  /// Number of outputs, M.
  public var outputCount: Int { points.count }

  /// Mean squared error `l_m[b]` of an output with a codebook of 2^b levels.
  public func loss(_ output: Int, bits: Int) -> Double { best(output, bits).error }

  /// The levels of that codebook.
  public func levels(_ output: Int, bits: Int) -> [Double] { best(output, bits).levels }

  /// The codebooks of an allocation.
  public func codebooks(bits: [Int]) -> ScalarCodebooks {
    precondition(bits.count == outputCount)
    return ScalarCodebooks(bits.indices.map { levels($0, bits: bits[$0]).map(Float.init) })
  }

  /// Works out the codebooks of several numbers of bits for all outputs, in parallel; the result does not depend on the
  /// number of threads.
  public func prepare(bits: ClosedRange<Int>, pool: WorkerPool?) {
    let missing = points.indices.flatMap { output in bits.map { Key(output: output, bits: $0) } }
      .filter { clusters[$0] == nil }
    let points = points
    let found = Self.map(missing.count, pool) { i in
      let key = missing[i]
      return ExactKMeans.clusters(of: points[key.output], levelCount: 1 << key.bits)
    }
    for (key, best) in zip(missing, found) { clusters[key] = best }
  }

  private func best(_ output: Int, _ bits: Int) -> ExactKMeans.Clusters {
    let key = Key(output: output, bits: bits)
    if let known = clusters[key] { return known }
    let found = ExactKMeans.clusters(of: points[output], levelCount: 1 << bits)
    clusters[key] = found
    return found
  }

  private static func map<Value: Sendable>(
    _ count: Int, _ pool: WorkerPool?, _ body: @escaping @Sendable (Int) -> Value
  ) -> [Value] {
    pool?.map(count) { index, _ in body(index) } ?? (0..<count).map(body)
  }
}
