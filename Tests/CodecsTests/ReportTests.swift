import Codecs
import ComplexModule
import LinkMath
import Parts
import Testing

/// Codecs and quantisers together: what a report of bits can and cannot do.
@Suite struct ReportTests {
  private static let (taps, angles, drops) = (4, 4, 400)

  struct Case: Sendable, CustomStringConvertible {
    let codec: any (CodewordCodec & Part).Type
    let given: [String: Setting]
    let quantizer: any (Quantizer & Part).Type
    let bits: Int
    var description: String { "\(codec.schema.name) \(given) \(quantizer.schema.name) \(bits)" }
  }

  static let cases: [Case] = {
    let codecs: [(any (CodewordCodec & Part).Type, [String: Setting])] = [
      (UncompressedCodec.self, [:]), (PCACodec.self, ["compression": .integer(1)]),
      (PCACodec.self, ["compression": .integer(2)]),
      (DFTSelectionCodec.self, ["coefficients": .integer(1)]),
      (DFTSelectionCodec.self, ["coefficients": .integer(8)]),
    ]
    return codecs.flatMap { codec, given in
      [(UniformQuantizer.self as any (Quantizer & Part).Type), LloydMaxQuantizer.self].flatMap {
        quantizer in
        [1, 2, 4].map { Case(codec: codec, given: given, quantizer: quantizer, bits: $0) }
      }
    }
  }()

  private struct Chain {
    let codec: any CodewordCodec
    let quantizer: any Quantizer
    var payloadBits: Int { codec.sideBitCount + quantizer.bitCount! }
  }

  private func chain(_ test: Case) throws -> Chain {
    let csi = gaussianCSI(drops: 4000, taps: Self.taps, angles: Self.angles)
    var context = context(taps: Self.taps, angles: Self.angles)
    func codec<C: CodewordCodec & Part>(_ type: C.Type) throws -> any CodewordCodec {
      try make(type, test.given, in: context, fittedOn: [.csi(csi)]).part
    }
    let codec = try codec(test.codec)
    context.codewordLength = codec.codewordLength
    let codewords = try codec.encode(csi).values
    func quantizer<Q: Quantizer & Part>(_ type: Q.Type) throws -> any Quantizer {
      try make(
        type, ["bits": .integer(test.bits)], in: context, fittedOn: [.codeword(codewords)]
      ).part
    }
    return Chain(codec: codec, quantizer: try quantizer(test.quantizer))
  }

  /// Rate-distortion bound: B bits for n independent complex Gaussian coefficients of equal power leave at least
  /// 2^(-B/n).
  @Test(arguments: cases)
  func nothingBeatsRateDistortion(test: Case) throws {
    let chain = try chain(test)
    let csi = gaussianCSI(
      drops: Self.drops, taps: Self.taps, angles: Self.angles, instance: 1)
    let codeword = try chain.codec.encode(csi)
    let back = roundTrip(chain.quantizer, codeword.values)
    #expect(back.payloads.allSatisfy { $0.count == chain.quantizer.bitCount })
    let received = Codeword(values: back.values, side: codeword.side)
    let nmse = ratioOfSums(csi, try chain.codec.decode(received))
    let coefficients = Double(Self.taps * Self.angles)
    let floor = Double.pow(2, -Double(chain.payloadBits) / coefficients)
    #expect(nmse > floor, "\(nmse) \(floor)")
    #expect(nmse < 1, "worse than no report")
  }

  /// Any bits decode to finite CSI.
  @Test(arguments: cases)
  func randomBitsDecode(test: Case) throws {
    let chain = try chain(test)
    let count = 200
    var values = RealArray(uninitialized: [count, chain.codec.codewordLength])
    var side: [BitString] = []
    for drop in 0..<count {
      var random = stream(drop, instance: 2)
      var payload = BitString()
      for _ in 0..<chain.payloadBits { payload.append(random.nextWord() >> 31, width: 1) }
      var reader = BitReader(payload)
      if chain.codec.sideBitCount > 0 { side.append(reader.readString(chain.codec.sideBitCount)) }
      let length = chain.codec.codewordLength
      values.withUnsafeMutableElements {
        chain.quantizer.dequantize(
          &reader,
          into: UnsafeMutableBufferPointer(rebasing: $0[drop * length..<(drop + 1) * length]))
      }
      #expect(reader.remaining == 0)
    }
    let csi = try chain.codec.decode(Codeword(values: values, side: side))
    #expect(csi.shape == [count, Self.taps, Self.angles])
    #expect(csi.elements.allSatisfy { $0.isFinite })
  }

  @Test func registriesNameEveryPartOnce() {
    for schemas in [
      CodecRegistry.codecs.map { $0.schema }, QuantizerRegistry.quantizers.map { $0.schema },
    ] {
      #expect(Set(schemas.map(\.name)).count == schemas.count)
      #expect(Set(schemas.map(\.section)).count == 1)
      for schema in schemas {
        #expect(Set(schema.parameters.map(\.key)).count == schema.parameters.count)
      }
    }
  }
}
