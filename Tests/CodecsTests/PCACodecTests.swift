import Codecs
import ComplexModule
import LinkMath
import Parts
import Testing

@Suite struct PCACodecTests {
  /// Eigenvalue tail: on the fitted drops the error energy of M components is the tail of the eigenvalues,
  /// `NMSE = sum_{i>M} λ_i / sum λ_i`, here with the eigenvalues of the artefact; single precision, 1e-5 of the energy.
  @Test(arguments: [2, 4, 8, 16, 32])
  func errorIsTheEigenvalueTail(compression: Int) throws {
    let csi = gaussianCSI(drops: 600, taps: 8, angles: 8, decay: 0.2)
    let (codec, artefact) = try make(
      PCACodec.self, ["compression": .integer(compression), "fit.drops": .integer(600)],
      in: context(taps: 8, angles: 8), fittedOn: [.csi(csi)])
    let codeword = codec.encode(csi)
    #expect(codec.codewordLength == 128 / compression)
    #expect(codeword.values.shape == [600, 128 / compression])
    #expect(codec.sideBitCount == 0)
    let kept = artefact!["eigenvalues"]!.elements.prefix(codec.codewordLength)
    let energy = Double(artefact!["energy"]!.elements[0])
    let tail = 1 - kept.reduce(0) { $0 + Double($1) } / energy
    let nmse = ratioOfSums(csi, codec.decode(codeword))
    #expect(abs(nmse - tail) < 1e-5, "\(nmse) \(tail)")
  }

  @Test(arguments: [1, 7, 100])
  func lengthIsThatOfTheCodeword(length: Int) throws {
    let csi = gaussianCSI(drops: 200, taps: 8, angles: 8, decay: 0.2)
    let (codec, _) = try make(
      PCACodec.self, ["length": .integer(length), "fit.drops": .integer(200)],
      in: context(taps: 8, angles: 8), fittedOn: [.csi(csi)])
    #expect(codec.codewordLength == length)
    #expect(codec.encode(csi).values.shape == [200, length])
  }

  /// Drops without energy are left out of fits: the others need to determine what is sent, not all that is kept.
  @Test func silentDropsLeaveEnough() throws {
    let csi = gaussianCSI(drops: 6, taps: 4, angles: 4, decay: 0.2)
    var fitter = SecondMomentFitter(part: "pca", size: 32, componentCount: 8, needed: 5)
    fitter.add(.csi(csi))
    #expect(try fitter.finish()["vectors"]?.shape == [8, 32])
    var strict = SecondMomentFitter(part: "pca", size: 32, componentCount: 8, needed: 7)
    strict.add(.csi(csi))
    #expect(throws: FittingError.self) { try strict.finish() }
  }

  /// Fewer drops than the components that ratios share are enough for a codeword of fewer.
  @Test func fewDropsGiveFewComponents() throws {
    let csi = gaussianCSI(drops: 20, taps: 8, angles: 8, decay: 0.2)
    let (codec, artefact) = try make(
      PCACodec.self, ["length": .integer(12), "fit.drops": .integer(20)],
      in: context(taps: 8, angles: 8), fittedOn: [.csi(csi)])
    #expect(codec.codewordLength == 12)
    #expect(artefact!["vectors"]!.shape == [20, 128])
    // Twenty drops lie in the space of their own twenty components.
    let (whole, _) = try make(
      PCACodec.self, ["length": .integer(20), "fit.drops": .integer(20)],
      in: context(taps: 8, angles: 8), fittedOn: [.csi(csi)])
    #expect(ratioOfSums(csi, whole.decode(whole.encode(csi))) < 1e-9)
  }

  /// The eigenvalues are those of the closed form: independent entries of known power, each twice (re and im).
  @Test func eigenvaluesApproachTheCovariance() throws {
    let (taps, angles, drops) = (4, 2, 20_000)
    let csi = gaussianCSI(drops: drops, taps: taps, angles: angles, decay: 0.5)
    let (_, artefact) = try make(
      PCACodec.self, ["compression": .integer(1), "fit.drops": .integer(drops)],
      in: context(taps: taps, angles: angles), fittedOn: [.csi(csi)])
    let values = artefact!["eigenvalues"]!.elements.map(Double.init)
    for (i, value) in values.enumerated() {
      let exact = 0.5 * Double.exp(-Double(i / (2 * angles)))
      // Sample eigenvalues of n Gaussian drops spread by about sqrt(4 · multiplicity / n).
      #expect(abs(value / exact - 1) < 4 * (16.0 / Double(drops)).squareRoot())
    }
    #expect(values == values.sorted(by: >))
  }

  @Test func portionsOfTheFitDoNotMatter() throws {
    let csi = gaussianCSI(drops: 530, taps: 4, angles: 8, decay: 0.3)
    let whole = try fit(csi, in: [530])
    for portions in [[1, 255, 274], [256, 256, 18], [500, 30]] {
      #expect(try fit(csi, in: portions) == whole)
    }
  }

  private func fit(_ csi: ComplexArray, in portions: [Int]) throws -> Artefact {
    var start = 0
    let inputs = portions.map { count in
      defer { start += count }
      return StageInput.csi(csi.slice(start..<start + count))
    }
    let made = try make(
      PCACodec.self, ["fit.drops": .integer(530)], in: context(taps: 4, angles: 8),
      fittedOn: inputs)
    return made.artefact!
  }

  /// A drop's bits do not depend on its neighbours, its place in the block or the size of the block.
  @Test(arguments: [(8, 8, 4), (16, 12, 4), (32, 32, 16)])
  func dropsAreIndependentOfTheirBlock(taps: Int, angles: Int, compression: Int) throws {
    let size = 2 * taps * angles
    let rows = gaussianCodewords(drops: size / compression, length: size)
    let artefact = Artefact(["vectors": rows])
    let settings = try PCACodec.schema.settings(["compression": .integer(compression)])
    let codec = try PCACodec(settings, in: context(taps: taps, angles: angles), fitted: artefact)
    let csi = gaussianCSI(drops: 101, taps: taps, angles: angles)
    let codewords = codec.encode(csi)
    let decoded = codec.decode(codewords)
    for part in [0..<1, 3..<4, 100..<101, 0..<31, 5..<37, 7..<72, 64..<101] {
      let alone = codec.encode(csi.slice(part))
      #expect(alone.values == codewords.values.slice(part), "encode \(part)")
      #expect(codec.decode(alone) == decoded.slice(part), "decode \(part)")
    }
  }

  @Test func ratiosShareOneFit() throws {
    let context = context(taps: 32, angles: 32)
    func signature(_ given: [String: Setting]) throws -> String {
      try PCACodec.fitting(PCACodec.schema.settings(given), in: context)!.signature
    }
    let common = try signature([:])
    for compression in [4, 8, 16, 32, 64] {
      #expect(try signature(["compression": .integer(compression)]) == common)
    }
    #expect(try signature(["length": .integer(512)]) == common)
    #expect(try signature(["compression": .integer(2)]) != common)
    #expect(try signature(["fit.drops": .integer(5000)]) != common)
    #expect(try signature(["fit.source": .text("estimate")]) != common)
  }

  @Test(arguments: [
    ["compression": Setting.integer(3)], ["length": .integer(129)],
    ["length": .integer(8), "compression": .integer(4)], ["fit.drops": .integer(31)],
  ])
  func refusesSettings(given: [String: Setting]) throws {
    let settings = try PCACodec.schema.settings(given)
    #expect(throws: SettingsError.self) {
      try PCACodec.fitting(settings, in: context(taps: 8, angles: 8))
    }
  }

  @Test func refusesUselessDrops() throws {
    let context = context(taps: 4, angles: 4)
    let few = gaussianCSI(drops: 3, taps: 4, angles: 4)
    let silent = ComplexArray(repeating: .zero, shape: [20, 4, 4])
    let broken = ComplexArray(repeating: ComplexFloat(.nan, 0), shape: [20, 4, 4])
    for csi in [few, silent, broken] {
      #expect(throws: FittingError.self) {
        try make(PCACodec.self, in: context, fittedOn: [.csi(csi)])
      }
    }
    #expect(throws: FittingError.self) {
      try PCACodec(PCACodec.schema.settings(), in: context, fitted: nil)
    }
  }
}
