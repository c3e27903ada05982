/// How sure a receiver is of bits: log P(0)/P(1) of each, computed from what it received when it is read.
public struct SoftBits: RandomAccessCollection, Sendable {
  private let amplitudes: [Float]
  private let stride: Int
  private let scale: Float
  /// Number of bits.
  public let endIndex: Int

  /// `count` soft bits, the i-th of them `scale · amplitudes[i · stride]`.
  ///
  /// - Precondition: there are so many amplitudes.
  public init(_ amplitudes: [Float], count: Int, stride: Int = 1, scale: Float = 1) {
    precondition(count == 0 || (count - 1) * stride < amplitudes.count)
    (self.amplitudes, self.stride, self.scale, endIndex) = (amplitudes, stride, scale, count)
  }

  /// Zero.
  public var startIndex: Int { 0 }

  /// Positive for a zero.
  public subscript(_ i: Int) -> Float { scale * amplitude(i) }

  /// What was received for a bit, before it is scaled.
  public func amplitude(_ i: Int) -> Float { amplitudes[stride * i] }
}
