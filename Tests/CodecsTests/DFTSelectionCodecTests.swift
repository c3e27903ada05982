import Codecs
import ComplexModule
import LinkMath
import Parts
import Testing

@Suite struct DFTSelectionCodecTests {
  private func codec(_ given: [String: Setting], taps: Int, angles: Int) throws
    -> DFTSelectionCodec
  {
    try make(DFTSelectionCodec.self, given, in: context(taps: taps, angles: angles)).part
  }

  /// Against the definition: the reconstruction is the matrix with all but the K largest moduli set to zero.
  @Test(arguments: [(1, 8, 8), (5, 8, 8), (16, 6, 7), (42, 6, 7), (3, 32, 32), (1, 1, 1)])
  func keepsTheStrongest(kept: Int, taps: Int, angles: Int) throws {
    let codec = try codec(["coefficients": .integer(kept)], taps: taps, angles: angles)
    let csi = gaussianCSI(drops: 9, taps: taps, angles: angles)
    let codeword = codec.encode(csi)
    #expect(codeword.values.shape == [9, 2 * kept])
    #expect(codeword.side.allSatisfy { $0.count == codec.sideBitCount })
    let decoded = codec.decode(codeword)
    for drop in 0..<9 {
      let matrix = csi.slice(drop..<drop + 1).elements
      let order = matrix.indices.sorted { matrix[$0].lengthSquared > matrix[$1].lengthSquared }
      var expected = [ComplexFloat](repeating: .zero, count: matrix.count)
      for position in order.prefix(kept) { expected[position] = matrix[position] }
      #expect(decoded.slice(drop..<drop + 1).elements == expected)
    }
  }

  @Test func lowerPositionsWinTies() throws {
    let codec = try codec(["coefficients": .integer(2)], taps: 2, angles: 3)
    let csi = ComplexArray(repeating: ComplexFloat(0, 1), shape: [1, 2, 3])
    let one = ComplexFloat(0, 1)
    #expect(codec.decode(codec.encode(csi)).elements == [one, one, .zero, .zero, .zero, .zero])
  }

  /// The shorter of a bitmap and a list: 64 positions take 6 bits each, so ten fit below 64 bits and eleven do not.
  @Test(arguments: [(1, 6), (10, 60), (11, 64), (64, 64)])
  func countsSideBits(kept: Int, bits: Int) throws {
    #expect(
      try codec(["coefficients": .integer(kept)], taps: 8, angles: 8).sideBitCount == bits)
  }

  @Test func harmedBitmapFollowsTheRule() throws {
    let codec = try codec(["coefficients": .integer(3)], taps: 1, angles: 4)
    #expect(codec.sideBitCount == 4)
    let values = RealArray([1, 2, 3, 4, 5, 6], shape: [1, 6])
    let (a, b, c) = (ComplexFloat(1, 2), ComplexFloat(3, 4), ComplexFloat(5, 6))
    let cases: [(UInt32, [ComplexFloat])] = [
      (0b1111, [a, b, c, .zero]), (0b0101, [.zero, a, .zero, b]),
      (0, [.zero, .zero, .zero, .zero]),
    ]
    for (bitmap, expected) in cases {
      var side = BitString()
      side.append(bitmap, width: 4)
      #expect(codec.decode(Codeword(values: values, side: [side])).elements == expected)
    }
  }

  @Test func harmedListFollowsTheRule() throws {
    let codec = try codec(["coefficients": .integer(3)], taps: 1, angles: 20)
    #expect(codec.sideBitCount == 15)
    let values = RealArray([1, 2, 3, 4, 5, 6], shape: [1, 6])
    var side = BitString()
    for position: UInt32 in [7, 25, 7] { side.append(position, width: 5) }
    let decoded = codec.decode(Codeword(values: values, side: [side])).elements
    #expect(decoded[7] == ComplexFloat(5, 6))
    #expect(decoded.filter { $0 != .zero }.count == 1)
  }

  @Test(arguments: [
    ["compression": Setting.integer(3)], ["coefficients": .integer(65)],
    ["coefficients": .integer(2), "compression": .integer(4)], ["compression": .integer(128)],
  ])
  func refuses(given: [String: Setting]) throws {
    #expect(throws: SettingsError.self) { try codec(given, taps: 8, angles: 8) }
  }

  @Test func compressionSetsTheLength() throws {
    #expect(try codec(["compression": .integer(16)], taps: 8, angles: 8).codewordLength == 8)
    #expect(try codec([:], taps: 8, angles: 8).codewordLength == 32)
  }
}
