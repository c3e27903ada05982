/// Accumulates the second moment `E[x xᵀ]` of real rows x.
///
/// Products of 256 rows are summed in single precision, those sums in double; the chunks are the same however the rows
/// arrive. Memory: 12 bytes for each of the size² entries.
public struct SecondMoment: Sendable {
  private static let chunk = 256

  /// Reals N of a row.
  public let size: Int
  /// Rows that were added.
  public private(set) var count = 0
  private var pending: RealArray
  private var pendingCount = 0
  private var partial: RealArray
  /// Lower triangle of the sum, row-major [row, column].
  private var sum: [Double]

  /// An accumulator that has seen no row of `size` reals.
  public init(size: Int) {
    self.size = size
    pending = RealArray(uninitialized: [Self.chunk, size])
    partial = RealArray(uninitialized: [size, size])
    sum = [Double](repeating: 0, count: size * size)
  }

  /// Adds whole rows, `[row, real]`.
  ///
  /// - Complexity: a little over size² floating-point operations a row.
  public mutating func add(_ rows: UnsafeBufferPointer<Float>) {
    precondition(rows.count % size == 0, "whole rows only")
    for start in stride(from: 0, to: rows.count, by: size) {
      pending.withUnsafeMutableElements { pending in
        _ = UnsafeMutableBufferPointer(rebasing: pending[(pendingCount * size)...])
          .update(fromContentsOf: rows[start..<start + size])
      }
      pendingCount += 1
      if pendingCount == Self.chunk { fold() }
    }
    count += rows.count / size
  }

  private mutating func fold() {
    guard pendingCount > 0 else { return }
    partial.withUnsafeMutableElements { partial in
      partial.update(repeating: 0)
      pending.withUnsafeElements {
        MatrixProduct.addGram(
          n: size, k: pendingCount, $0.baseAddress!, into: partial.baseAddress!)
      }
      sum.withUnsafeMutableBufferPointer { sum in
        for row in 0..<size {
          for i in row * size...row * size + row { sum[i] += Double(partial[i]) }
        }
      }
    }
    pendingCount = 0
  }

  /// The mean of `x xᵀ` over all rows, row-major [row, column]; only the lower triangle holds values.
  ///
  /// - Precondition: at least one row was added.
  public func mean() -> [Double] {
    precondition(count > 0, "the second moment of nothing")
    var folded = self
    folded.fold()
    let scale = 1 / Double(count)
    return folded.sum.map { scale * $0 }
  }
}
