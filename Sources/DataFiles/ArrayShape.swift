/// Arithmetic on shapes that come from files and may be absurd.
enum ArrayShape {
  /// More axes than MATLAB or NumPy files hold.
  static let largestRank = 64

  /// Bytes of an array of `shape`, or nil if an axis is negative or the size of the array (or of
  /// one of its rows, when another axis is zero) does not fit in `Int`.
  static func byteCount(_ shape: [Int], bytesPerElement: Int) -> Int? {
    guard shape.count <= largestRank else { return nil }
    var nonEmpty = bytesPerElement
    for length in shape {
      guard length >= 0 else { return nil }
      let (product, overflow) = nonEmpty.multipliedReportingOverflow(by: max(length, 1))
      if overflow { return nil }
      nonEmpty = product
    }
    return shape.contains(0) ? 0 : nonEmpty
  }

  /// `200 x 2048`, or `scalar` for no axes.
  static func text(_ shape: [Int]) -> String {
    shape.isEmpty ? "scalar" : shape.map(String.init).joined(separator: " x ")
  }
}
