/// Turns codewords into symbols of finite alphabets and back; works with every codec.
public protocol Quantizer: Sendable {
  /// Levels of each symbol of a codeword, in the order in which they are sent; a symbol of one level takes no bits. Nil if
  /// the codeword is sent as real numbers.
  var alphabets: [Int]? { get }

  /// The symbols of one codeword, each below the size of its alphabet.
  ///
  /// - Parameters:
  ///   - values: M reals.
  ///   - symbols: as many as there are ``alphabets``; may be uninitialised.
  /// - Returns: how many values lay outside the quantiser's range.
  func symbols(
    of values: UnsafeBufferPointer<Float>, into symbols: UnsafeMutableBufferPointer<UInt32>
  ) -> Int

  /// The M reals that symbols stand for; any symbols of the alphabets are legal.
  func values(
    of symbols: UnsafeBufferPointer<UInt32>, into values: UnsafeMutableBufferPointer<Float>)
}

/// Turns the symbols of a codeword into bits and back; works with every quantiser.
public protocol SymbolCoder: Sendable {
  /// Bits of the symbols of one codeword.
  var size: ReportSize { get }

  /// Appends the bits of one codeword.
  ///
  /// - Parameters:
  ///   - symbols: each below the size of its alphabet.
  ///   - bits: what the bits are appended to.
  func write(_ symbols: UnsafeBufferPointer<UInt32>, to bits: inout BitString)

  /// Reads the symbols of one codeword; any bits are legal and give symbols of the alphabets.
  ///
  /// - Parameters:
  ///   - bits: all that is left of the report, if the number of bits varies.
  ///   - symbols: may be uninitialised.
  func read(_ bits: inout BitReader, into symbols: UnsafeMutableBufferPointer<UInt32>)
}
