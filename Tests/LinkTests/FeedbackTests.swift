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
    zip(sent, bits(link, sent, slot: slot, block: block)).map { $0.hammingDistance(to: $1) }
  }

  /// Bits as they arrive; empty where they do not.
  private func bits(
    _ link: some FeedbackLink, _ sent: [BitString], slot: Int = 0, block: DropBlock? = nil
  ) -> [BitString] {
    link.transmit(sent.map { Report(bits: $0) }, block ?? self.block, slot: slot).map {
      if case .bits(let bits, _) = $0 { bits } else { BitString() }
    }
  }

  /// Codewords as they arrive; nil if they do not.
  private func arrived(_ link: some FeedbackLink, _ codeword: Codeword) -> Codeword? {
    let (drops, length) = (codeword.values[dimension: 0], codeword.values[dimension: 1])
    let values = codeword.values.elements
    let reports = (0..<drops).map { drop in
      Report(
        bits: codeword.side.isEmpty ? BitString() : codeword.side[drop],
        reals: Array(values[drop * length..<(drop + 1) * length]))
    }
    var (reals, side) = ([Float](), [BitString]())
    for delivery in link.transmit(reports, block, slot: 0) {
      guard case .reals(let values, let bits) = delivery else { return nil }
      reals += values
      side.append(bits)
    }
    return Codeword(values: RealArray(reals, shape: [drops, length]), side: side)
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
    #expect(abs(link.bitErrorRate(bits: 301) / test.rate - 1) < 1e-6)
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
    #expect(abs(link.bitErrorRate(bits: 512) - 1e-3) < 1e-9)
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
    let (a, b) = (bits(few, sent), bits(many, sent))
    var extra = 0
    for drop in 0..<50 {
      for bit in 0..<400 where b[drop][bit] != sent[drop][bit] || a[drop][bit] != sent[drop][bit] {
        #expect(b[drop][bit] != sent[drop][bit])
        extra += a[drop][bit] == sent[drop][bit] ? 1 : 0
      }
    }
    #expect(extra > 0)
  }

  /// Reports are lost as a whole with the given rate, and those at a smaller one are among those at a larger.
  @Test func lostReportsAreNested() throws {
    func lost(_ loss: Double) throws -> [Bool] {
      let link = try link(ErasureFeedback.self, ["loss": .number(loss), "snr_db": .number(50)])
      #expect(abs(link.lossRate(bits: 9) - loss) < 1e-9)
      let sent = payloads(2000, bits: 9)
      let arrived = link.transmit(sent.map { Report(bits: $0) }, block, slot: 2)
      for (sent, delivery) in zip(sent, arrived) {
        guard case .bits(let bits, _) = delivery else { continue }
        #expect(bits == sent)
      }
      return arrived.map(\.isLost)
    }
    let (few, many) = (try lost(0.1), try lost(0.3))
    for (lost, p) in [(few, 0.1), (many, 0.3)] {
      let rate = Double(lost.count { $0 }) / 2000
      #expect(abs(rate - p) < 4 * (p * (1 - p) / 2000).squareRoot(), "\(rate)")
    }
    #expect(zip(few, many).allSatisfy { !$0 || $1 })
    #expect(try lost(0).allSatisfy { !$0 } && lost(1).allSatisfy { $0 })
  }

  /// The log-likelihood ratio of a bit has the sign of its decision and, without fading, the mean `4 g` and the variance
  /// `8 g`, g = Eb/N0: the Gaussian whose density ratio at L is exp(L).
  @Test(arguments: ["bpsk", "qpsk"], [-3.0, 2]) func softBitsAreLogLikelihoods(
    name: String, level: Double
  ) throws {
    let given: [String: Setting] = ["snr_db": .number(level)]
    let link: any FeedbackLink =
      name == "bpsk"
      ? try self.link(BPSKFeedback.self, given) : try self.link(QPSKFeedback.self, given)
    let sent = payloads(500, bits: 200)
    var statistics = RunningMean()
    for (sent, delivery) in zip(sent, link.transmit(sent.map { Report(bits: $0) }, block, slot: 0))
    {
      guard case .bits(let bits, let soft?) = delivery else {
        Issue.record("no soft bits")
        return
      }
      #expect(soft.count == 200)
      for i in 0..<200 {
        #expect((soft[i] < 0) == bits[i])
        statistics.add(Double(sent[i] ? -soft[i] : soft[i]))
      }
    }
    let g = linear(decibels: level)
    let spread = try #require(statistics.standardError)
    #expect(abs(statistics.mean - 4 * g) < 4 * spread, "\(statistics.mean)")
    #expect(abs(try #require(statistics.variance) / (8 * g) - 1) < 0.03)
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
    #expect(link.bitErrorRate(bits: 33) == 0)
    #expect(errors(link, sent) == [0, 0, 0, 0, 0])
    let codeword = Codeword(values: codewords(5, length: 3), side: sent)
    let received = try #require(arrived(link, codeword))
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
    let received = try #require(arrived(link, Codeword(values: values)))
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
    let received = try #require(arrived(link, codec.encode(csi)))
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
    let received = try #require(arrived(link, silent))
    #expect(received.values == silent.values)
    #expect(throws: FittingError.self) {
      try self.link(
        AnalogueFeedback.self, ["snr_db": .number(0), "snr_reference": .text("dataset")],
        fittedOn: [.codeword(silent.values)])
    }
  }
}
