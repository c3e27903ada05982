import LinkMath
import Parts

/// Turns codewords into bits and back; works with every codec.
public protocol Quantizer: Sendable {
  /// Bits of one quantised codeword, fixed; nil if the codeword is sent as real numbers.
  var bitCount: Int? { get }

  /// Appends the bits of one codeword.
  ///
  /// - Parameters:
  ///   - values: M reals.
  ///   - bits: what the bits are appended to.
  /// - Returns: how many values lay outside the quantiser's range.
  func quantize(_ values: UnsafeBufferPointer<Float>, into bits: inout BitString) -> Int

  /// Reads ``bitCount`` bits and writes M reals; any bits are legal.
  func dequantize(_ bits: inout BitReader, into values: UnsafeMutableBufferPointer<Float>)
}
