/// Arithmetic of log-likelihood ratios over the nodes of a polar code's tree.
///
/// Inner loops without dependences, so that the compiler makes vectors of them; sums go in one fixed order.
enum SoftValue {
  typealias Values = UnsafeMutablePointer<Float>
  typealias Signs = UnsafeMutablePointer<UInt32>

  /// The sign bit of a float.
  static let sign: UInt32 = 0x8000_0000
  /// Of a bit that is known; so large that none received comes near, so small that no sum of them overflows.
  static let certain: Float = 0x1p100
  private static let limit: Float = 0x1p84

  /// A received value as the decoder can use it: finite, and zero for what is not a number.
  @inline(__always)
  static func finite(_ value: Float) -> Float {
    let below = value > limit ? limit : value
    let within = below < -limit ? -limit : below
    return within == within ? within : 0
  }

  /// `sign(a) sign(b) min(|a|, |b|)` of the halves a and b of a node [2 count].
  @inline(__always)
  static func left(_ node: Values, _ count: Int, into result: Values) {
    let other = node + count
    for i in 0..<count { result[i] = smaller(node[i], other[i]) }
  }

  @inline(__always)
  private static func smaller(_ a: Float, _ b: Float) -> Float {
    let (x, y) = (abs(a), abs(b))
    let least = x < y ? x : y
    return Float(bitPattern: least.bitPattern | (a.bitPattern ^ b.bitPattern) & sign)
  }

  /// `b + a` where the left bit is zero, `b - a` where it is one.
  @inline(__always)
  static func right(_ node: Values, _ bits: Signs, _ count: Int, into result: Values) {
    let other = node + count
    for i in 0..<count {
      result[i] = other[i] + Float(bitPattern: node[i].bitPattern ^ bits[i])
    }
  }

  /// `b + a`: all left bits are zero.
  @inline(__always)
  static func sums(_ node: Values, _ count: Int, into result: Values) {
    let other = node + count
    for i in 0..<count { result[i] = other[i] + node[i] }
  }

  /// What a zero costs at each value.
  @inline(__always)
  static func penalties(_ values: Values, _ count: Int, into result: Values) {
    for i in 0..<count { result[i] = values[i] < 0 ? -values[i] : 0 }
  }

  /// What a zero costs at each value of the left child.
  @inline(__always)
  static func leftPenalties(_ node: Values, _ count: Int, into result: Values) {
    let other = node + count
    for i in 0..<count {
      let value = smaller(node[i], other[i])
      result[i] = value < 0 ? -value : 0
    }
  }

  /// The sum of a power of two of values: eight partial sums from eight values on.
  @inline(__always)
  static func sum(_ values: Values, _ count: Int) -> Float {
    if count < 8 {
      var total = values[0]
      for i in 1..<count { total += values[i] }
      return total
    }
    let raw = UnsafeRawPointer(values)
    var total = raw.loadUnaligned(as: SIMD8<Float>.self)
    var i = 8
    while i < count {
      total += raw.loadUnaligned(fromByteOffset: 4 * i, as: SIMD8<Float>.self)
      i += 8
    }
    let four = total.lowHalf + total.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }

  /// The sign bits of values.
  @inline(__always)
  static func signs(_ values: Values, _ count: Int, into result: Signs) {
    for i in 0..<count { result[i] = values[i].bitPattern & sign }
  }
}
