import Codecs
import LinkMath
import Testing

@Suite struct UncompressedCodecTests {
  @Test func returnsTheCSI() throws {
    let csi = gaussianCSI(drops: 3, taps: 4, angles: 5)
    let (codec, _) = try make(UncompressedCodec.self, in: context(taps: 4, angles: 5))
    let codeword = codec.encode(csi)
    #expect(codec.codewordLength == 40)
    #expect(codeword.values.shape == [3, 40])
    #expect(codeword.values[1, 7] == csi[1, 1, 2].real)
    #expect(codeword.values[1, 27] == csi[1, 1, 2].imaginary)
    #expect(codec.decode(codeword) == csi)
  }
}
