extension Array where Element == Int {
  /// Steps from one place of a box to the next, the last axis fastest; axes that the box leaves out stay.
  ///
  /// - Parameter box: range of each axis.
  /// - Returns: false, and the first place again, after the last one.
  mutating func advance(in box: ArraySlice<Range<Int>>) -> Bool {
    for axis in box.indices.reversed() {
      self[axis] += 1
      if self[axis] < box[axis].upperBound { return true }
      self[axis] = box[axis].lowerBound
    }
    return false
  }
}
