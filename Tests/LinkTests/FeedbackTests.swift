import Codecs
import ComplexModule
import RealModule
import Link
import LinkMath
import Parts
import Testing

@Suite struct FeedbackTests {
  private let block = DropBlock(40..<2040, domain: .test, seed: 7)

  private func link<L: FeedbackLink & Part>(
    _ type: L.Type, _ given: [String: Setting], fittedOn inputs: [StageInput] = []
  ) throws -> L {
    let context = LinkContext(grid: .init(toneCount: 1, spacingHz: 1, carrierHz: 1))
    let settings = try L.schema.settings(given)
    var fitter = try L.fitting(settings, in: context)?.makeFitter()
    for input in inputs { fitter?.add(input) }
    return try L(settings, in: context, fitted: fitter?.finish())
  }

  private func payloads(_ count: Int, bits: Int) -> [BitString] {
    (0..<count).map { drop in
      var random = StreamKey(seed: 3, domain: .test, purpose: .channel).stream(drop: drop)
      var payload = BitString()
      for _ in 0..<bits { payload.append(random.nextWord() >> 31, width: 1) }
      return payload
    }
  }

  private func codewords(_ count: Int, length: Int) -> RealArray {
    var random = StreamKey(seed: 4, domain: .test, purpose: .channel).stream(drop: 0)
    return RealArray(random.normal(count: count * length), shape: [count, length])
  }

  /// Errors of each report after the link.
  private func errors(
    _ link: some FeedbackLink, _ sent: [BitString], slot: Int = 0, block: DropBlock? = nil
  ) -> [Int] {
    let report = link.transmit(.payload(sent), block ?? self.block, slot: slot)
    guard case .payload(let received) = report else { return [] }
    return zip(sent, received).map { $0.hammingDistance(to: $1) }
  }

  // MARK: Bit errors

  struct Modulated: Sendable {
    let level: Double
    let fading: String
    let branches: Int
    let rate: Double
  }

  /// Antipodal error rate, per bit with g = Eb/N0: `Q(sqrt(2g))`; Rayleigh `(1 - sqrt(g/(1+g)))/2`; two-branch MRC.
  static let modulated = [
    Modulated(level: 0, fading: "none", branches: 1, rate: 0.07864960352514258),
    Modulated(level: 4, fading: "none", branches: 1, rate: 0.012500818040737566),
    // Two branches without fading double the SNR: Q(sqrt(2g)) at 1 dB + 3.0103 dB.
    Modulated(level: 0.98970004, fading: "none", branches: 2, rate: 0.012500818040737566),
    Modulated(level: 0, fading: "iid", branches: 1, rate: 0.1464466094067262),
    Modulated(level: 10, fading: "iid", branches: 1, rate: 0.023268705377203824),
    Modulated(level: 10, fading: "iid", branches: 2, rate: 0.0015991010761676507),
    Modulated(level: 10, fading: "block", branches: 1, rate: 0.023268705377203824),
    Modulated(level: 5, fading: "block", branches: 1, rate: 0.06418268544952299),
  ]

  @Test(arguments: ["bpsk", "qpsk"], modulated)
  func bitErrorRateIsTheClosedForm(name: String, test: Modulated) throws {
    let given: [String: Setting] = [
      "snr_db": .number(test.level), "fading": .text(test.fading),
      "branches": .integer(test.branches),
    ]
    let sent = payloads(2000, bits: 301)
    let link: any FeedbackLink =
      name == "bpsk"
      ? try self.link(BPSKFeedback.self, given) : try self.link(QPSKFeedback.self, given)
    let wrong = errors(link, sent)
    // Errors of a report share its gain: the standard error is that of the mean over reports.
    let rates = RunningMean(wrong.map { Double($0) / 301 })
    #expect(abs(rates.mean - test.rate) < 4 * rates.standardError!, "\(rates.mean)")
    #expect(rates.standardError! < 0.1 * test.rate)
    #expect(abs(link.bitErrorRate / test.rate - 1) < 1e-6)
  }

  /// The mean error rate of both kinds of fading agrees, but block fading leaves far more reports unharmed:
  /// a report of B bits arrives with probability `(1 - p)^B` under independent fading.
  @Test func blockFadingGathersErrors() throws {
    let sent = payloads(2000, bits: 128)
    func unharmed(_ fading: String) throws -> Double {
      let link = try link(
        BPSKFeedback.self, ["snr_db": .number(10), "fading": .text(fading)])
      return Double(errors(link, sent).count { $0 == 0 }) / 2000
    }
    let exact = Double.pow(1 - 0.023268705377203824, 128)
    let spread = 4 * (exact * (1 - exact) / 2000).squareRoot()
    #expect(abs(try unharmed("iid") - exact) < spread)
    #expect(try unharmed("block") > 0.5)
  }

  /// Binary symmetric channel: flip rate p and word error rate `1 - (1-p)^B`, 0.400858 for 512 bits at p = 1e-3.
  @Test func binarySymmetricChannel() throws {
    let link = try link(BinarySymmetricFeedback.self, ["p": .number(1e-3)])
    #expect(abs(link.bitErrorRate - 1e-3) < 1e-9)
    let sent = payloads(2000, bits: 512)
    var wrong: [Int] = []
    for slot in 0..<10 { wrong += errors(link, sent, slot: slot) }
    let bits = Double(wrong.count * 512)
    let rate = Double(wrong.reduce(0, +)) / bits
    #expect(abs(rate - 1e-3) < 4 * (1e-3 / bits).squareRoot(), "\(rate)")
    let words = Double(wrong.count { $0 > 0 }) / Double(wrong.count)
    let exact = 0.4008577145704786
    #expect(abs(words - exact) < 4 * (exact * (1 - exact) / Double(wrong.count)).squareRoot())
  }

  @Test(arguments: [(0.0, 0), (1.0, 100)])
  func certainFlips(p: Double, flips: Int) throws {
    let link = try link(BinarySymmetricFeedback.self, ["p": .number(p)])
    #expect(errors(link, payloads(20, bits: 100)).allSatisfy { $0 == flips })
  }

  /// The flips at a smaller p are among those at a larger p: points of a sweep stay paired.
  @Test func flipsAreNested() throws {
    let sent = payloads(50, bits: 400)
    let few = try link(BinarySymmetricFeedback.self, ["p": .number(0.01)])
    let many = try link(BinarySymmetricFeedback.self, ["p": .number(0.05)])
    guard case .payload(let a) = few.transmit(.payload(sent), block, slot: 0),
      case .payload(let b) = many.transmit(.payload(sent), block, slot: 0)
    else {
      Issue.record("bits became reals")
      return
    }
    var extra = 0
    for drop in 0..<50 {
      for bit in 0..<400 where b[drop][bit] != sent[drop][bit] || a[drop][bit] != sent[drop][bit] {
        #expect(b[drop][bit] != sent[drop][bit])
        extra += a[drop][bit] == sent[drop][bit] ? 1 : 0
      }
    }
    #expect(extra > 0)
  }

  // MARK: All links

  /// A report's errors depend on its drop and slot, not on the block around it.
  @Test func reportsAreIndependentOfTheirBlock() throws {
    let sent = payloads(30, bits: 77)
    let level: [String: Setting] = ["snr_db": .number(3), "fading": .text("block")]
    let links: [any FeedbackLink] = [
      try link(BinarySymmetricFeedback.self, ["p": .number(0.1)]),
      try link(BPSKFeedback.self, level), try link(QPSKFeedback.self, level),
    ]
    for link in links {
      let whole = errors(link, sent, slot: 5)
      let part = errors(
        link, Array(sent[11..<23]), slot: 5,
        block: DropBlock(51..<63, domain: .test, seed: 7))
      #expect(part == Array(whole[11..<23]))
      #expect(errors(link, sent, slot: 6) != whole)
      #expect(errors(link, sent, slot: 5) == whole)
    }
  }

  @Test func idealLinkChangesNothing() throws {
    let link = try link(IdealFeedback.self, [:])
    let sent = payloads(5, bits: 33)
    #expect(link.bitErrorRate == 0)
    #expect(errors(link, sent) == [0, 0, 0, 0, 0])
    let codeword = Codeword(values: codewords(5, length: 3), side: sent)
    guard case .codeword(let received) = link.transmit(.codeword(codeword), block, slot: 0) else {
      Issue.record("reals became bits")
      return
    }
    #expect(received.values == codeword.values)
    #expect(received.side == sent)
  }

  @Test func emptyPayloadsPass() throws {
    let sent = [BitString(), BitString()]
    let level: [String: Setting] = ["snr_db": .number(3)]
    #expect(errors(try link(BinarySymmetricFeedback.self, ["p": .number(0.5)]), sent) == [0, 0])
    #expect(errors(try link(BPSKFeedback.self, level), sent) == [0, 0])
    #expect(errors(try link(QPSKFeedback.self, level), sent) == [0, 0])
  }

  @Test func registryNamesEveryLinkOnce() {
    let names = FeedbackRegistry.links.map { $0.schema.name }
    #expect(Set(names).count == names.count)
    #expect(FeedbackRegistry.links.allSatisfy { $0.schema.section == .feedback })
    #expect(FeedbackRegistry.links.allSatisfy { !$0.carries.isEmpty })
  }

  // MARK: Analogue

  /// Analogue noise: the NMSE of the codeword is 1/SNR, within 0.05 dB.
  @Test(arguments: ["sample", "dataset"], [-5.0, 0, 10, 30])
  func analogueErrorIsTheInverseSNR(reference: String, level: Double) throws {
    var values = codewords(2000, length: 64)
    values.withUnsafeMutableElements { values in
      // Codewords of very different power; the mean power is what a data-set reference knows.
      for i in values.indices { values[i] *= i / 64 % 2 == 0 ? 0.1 : 3 }
    }
    let link = try link(
      AnalogueFeedback.self, ["snr_db": .number(level), "snr_reference": .text(reference)],
      fittedOn: [.codeword(values.slice(0..<501)), .codeword(values.slice(501..<2000))])
    guard
      case .codeword(let received) = link.transmit(
        .codeword(Codeword(values: values)), block, slot: 0)
    else {
      Issue.record("reals became bits")
      return
    }
    let error = zip(values.elements, received.values.elements).map { Double($1 - $0) }
    func energy(_ x: [Double], _ odd: Int) -> Double {
      x.indices.reduce(0) { $0 + ($1 / 64 % 2 == odd ? x[$1] * x[$1] : 0) }
    }
    let signal = values.elements.map(Double.init)
    let total =
      (energy(error, 0) + energy(error, 1)) / (energy(signal, 0) + energy(signal, 1))
    #expect(abs(decibels(total) + level) < 0.05, "\(decibels(total))")
    let weak = decibels(energy(error, 0) / energy(signal, 0))
    // The weak codewords lie 10 log10((0.01 + 9) / 2 / 0.01) = 26.537 dB below the mean power.
    #expect(abs(weak + level - (reference == "sample" ? 0 : 26.537)) < 0.1, "\(weak)")
  }

  /// Analogue bound: Ns channel uses for K white Gaussian reals leave at least `(1 + SNR)^(-Ns/K)`.
  @Test(arguments: [1, 2, 4], [-10.0, 0, 10])
  func analogueLinkObeysTheBound(compression: Int, level: Double) throws {
    var context = LinkContext(grid: .init(toneCount: 1, spacingHz: 1, carrierHz: 1))
    (context.tapCount, context.portCount) = (4, 4)
    let reals = codewords(2000, length: 32)
    let csi = RealPlanes.merge(reals, taps: 4, angles: 4)
    let settings = try PCACodec.schema.settings([
      "compression": .integer(compression), "fit.drops": .integer(2000),
    ])
    var fitter = try PCACodec.fitting(settings, in: context)!.makeFitter()
    fitter.add(.csi(csi))
    let artefact = try fitter.finish()
    let codec = try PCACodec(settings, in: context, fitted: artefact)
    let link = try link(AnalogueFeedback.self, ["snr_db": .number(level)])
    let report = link.transmit(.codeword(codec.encode(csi)), block, slot: 0)
    guard case .codeword(let received) = report else {
      Issue.record("reals became bits")
      return
    }
    let decoded = RealPlanes.split(codec.decode(received))
    let error = zip(reals.elements, decoded.elements).reduce(0) {
      $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1))
    }
    let nmse = error / reals.elements.reduce(0) { $0 + Double($1 * $1) }
    let bound = Double.pow(1 + linear(decibels: level), -1 / Double(compression))
    #expect(nmse > bound, "\(nmse) \(bound)")
    // A linear codec loses the energy of the components it drops and takes in its share of the noise, 1/SNR.
    let kept = artefact["eigenvalues"]!.elements.prefix(codec.codewordLength)
    let share = kept.reduce(0) { $0 + Double($1) } / Double(artefact["energy"]!.elements[0])
    let exact = 1 - share + share * linear(decibels: -level)
    // Four standard errors of the noise energy, whose scale follows each codeword's own power.
    let uses = Double(codec.codewordLength)
    let spread = (2 / (2000 * uses) * (1 + 2 / uses)).squareRoot()
    #expect(abs(nmse / exact - 1) < 4 * spread, "\(nmse) \(exact)")
  }

  @Test func silentCodewordsCarryNoNoise() throws {
    let link = try link(AnalogueFeedback.self, ["snr_db": .number(0)])
    let silent = Codeword(values: RealArray(repeating: 0, shape: [3, 8]))
    guard case .codeword(let received) = link.transmit(.codeword(silent), block, slot: 0) else {
      Issue.record("reals became bits")
      return
    }
    #expect(received.values == silent.values)
    #expect(throws: FittingError.self) {
      try self.link(
        AnalogueFeedback.self, ["snr_db": .number(0), "snr_reference": .text("dataset")],
        fittedOn: [.codeword(silent.values)])
    }
  }
}
