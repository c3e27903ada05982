import Codecs
import Foundation
import Link
import LinkMath
import Parts
import Testing

/// Reports behind the channel code, and all links at equal energy.
@Suite struct PolarFeedbackTests {
  private func link(_ name: String, _ given: [String: Setting]) throws -> any FeedbackLink {
    let type = try #require(FeedbackRegistry.links.first { $0.schema.name == name })
    let context = LinkContext(grid: .init(toneCount: 1, spacingHz: 1, carrierHz: 1))
    return try type.init(try type.schema.settings(given), in: context, fitted: nil)
  }

  private func payloads(_ count: Int, bits: Int) -> [BitString] {
    (0..<count).map { drop in
      var random = StreamKey(seed: 3, domain: .test, purpose: .channel).stream(drop: drop)
      var payload = BitString()
      for _ in 0..<bits { payload.append(random.nextWord() >> 31, width: 1) }
      return payload
    }
  }

  private func transmit(
    _ link: any FeedbackLink, _ sent: [BitString], fields: [Report.Field] = [], slot: Int = 0,
    first: Int = 0
  ) -> [Delivery] {
    link.transmit(
      sent.map { Report(bits: $0, fields: fields) },
      DropBlock(first..<first + sent.count, domain: .test, seed: 7), slot: slot)
  }

  private func bits(_ delivery: Delivery) -> BitString? {
    if case .bits(let bits, _) = delivery { bits } else { nil }
  }

  // MARK: Coded reports

  /// Any length arrives over a strong link: none, without and with check bits, two code blocks, more than the standard has.
  @Test(arguments: [0, 1, 2, 7, 11, 12, 19, 20, 359, 512, 1706, 1707, 3413], ["none", "block"])
  func reportsOfAnyLengthArrive(length: Int, fading: String) throws {
    let link = try link(
      "polar", ["snr_db": .number(60), "code_rate": .number(0.45), "fading": .text(fading)])
    try link.check(.bits(length))
    let sent = payloads(3, bits: length)
    for (sent, delivery) in zip(sent, transmit(link, sent)) { #expect(bits(delivery) == sent) }
  }

  /// Reports of many lengths in one block, as codecs with a varying payload send them.
  @Test func lengthsMayVary() throws {
    let link = try link("polar", ["snr_db": .number(30), "bits": .integer(300)])
    try link.check(.atMostBits(250))
    let sent = (0..<60).map { payloads(61, bits: 5 * ($0 % 50))[$0] }
    for (sent, delivery) in zip(sent, transmit(link, sent)) { #expect(bits(delivery) == sent) }
    // What has no room in its bits is not sent.
    #expect(transmit(link, payloads(2, bits: 299)).allSatisfy { $0.isLost })
  }

  @Test func reportsWithoutRoomAreRefused() throws {
    let link = try link("polar", ["snr_db": .number(0), "bits": .integer(100)])
    try link.check(.bits(89))
    try link.check(.reals(500))
    #expect(throws: SettingsError.self) { try link.check(.bits(90)) }
    #expect(throws: SettingsError.self) { try link.check(.atMostBits(200)) }
    let unequal = try self.link(
      "polar",
      [
        "snr_db": .number(0), "bits": .integer(200), "protected_bits": .number(0.5),
        "protected_share": .number(0.1),
      ])
    #expect(throws: SettingsError.self) { try unequal.check(.bits(80)) }
  }

  @Test func keysThatExcludeEachOtherAreRefused() {
    let both: [[String: Setting]] = [
      ["snr_db": .number(1), "energy_db": .number(1), "bits": .integer(90)],
      ["snr_db": .number(1), "bits": .integer(90), "code_rate": .number(0.5)],
      ["snr_db": .number(1)], ["bits": .integer(90)],
    ]
    let keys = ["energy_db", "bits", "code_rate", "snr_db"]
    for (given, key) in zip(both, keys) {
      do {
        _ = try link("polar", given)
        Issue.record("\(given) accepted")
      } catch {
        #expect((error as? SettingsError)?.key == key, "\(error)")
      }
    }
    #expect(throws: SettingsError.self) { try link("analogue", [:]) }
    #expect(throws: SettingsError.self) { try link("bpsk", [:]) }
  }

  /// Loss falls from all to none over a few dB, nearly nothing arrives wrong, and errors of the uncoded link at the same energy
  /// per payload bit spoil far more reports.
  @Test func codedReportsAreLostInsteadOfWrong() throws {
    let sent = payloads(400, bits: 64)
    // 128 coded bits: the energy of a payload bit is twice that of a coded one.
    let rates = try [-6.0, -1, 3].map { level -> (lost: Int, wrong: Int) in
      let link = try link("polar", ["snr_db": .number(level), "bits": .integer(128)])
      let arrived = transmit(link, sent)
      let wrong = zip(sent, arrived).count { bits($1) != nil && bits($1) != $0 }
      return (arrived.count { $0.isLost }, wrong)
    }
    #expect(rates[0].lost > 380 && (10...90).contains(rates[1].lost) && rates[2].lost == 0)
    #expect(rates.allSatisfy { $0.wrong <= 8 } && rates[2].wrong == 0, "\(rates)")
    let uncoded = try link("qpsk", ["snr_db": .number(-1 + 3.0103)])
    let spoiled = zip(sent, transmit(uncoded, sent)).count { bits($1) != $0 }
    #expect(spoiled > 350)
  }

  /// The estimate of how many are lost is a cautious one: never below what is lost, and no more than 2 dB away, where it
  /// is small enough to let a run end.
  @Test(arguments: ["none", "iid", "block"], [(64, 128), (20, 48), (400, 1100)])
  func lossIsEstimatedWithCaution(fading: String, _ size: (bits: Int, coded: Int)) throws {
    func link(_ level: Double) throws -> any FeedbackLink {
      try self.link(
        "polar",
        [
          "snr_db": .number(level), "bits": .integer(size.coded), "fading": .text(fading),
          "branches": .integer(fading == "block" ? 2 : 1),
        ])
    }
    let sent = payloads(200, bits: size.bits)
    var estimates: [Double] = []
    for level in [-4.0, -1, 1, 3, 6] {
      let link = try link(level)
      let harmed = zip(sent, transmit(link, sent)).count { bits($1) != $0 }
      let estimate = link.lossRate(bits: size.bits)
      estimates.append(estimate)
      let spread = 4 * (200 * estimate).squareRoot() + 1
      #expect(Double(harmed) < 200 * estimate + spread, "\(level) \(harmed) \(estimate)")
    }
    #expect(zip(estimates, estimates.dropFirst()).allSatisfy { $0 >= $1 })
    #expect(estimates[0] > 0.5 && estimates[0] <= 1)
    #expect(estimates[4] < (fading == "block" ? 0.1 : 0.05))
    #expect(try link(40).lossRate(bits: size.bits) < 1e-4)
  }

  /// With one Rayleigh gain a report is lost if the gain is too small: about the share of gains below the threshold.
  @Test func blockFadingLosesWhatHasNoGain() throws {
    let sent = payloads(600, bits: 64)
    let given: [String: Setting] = ["snr_db": .number(10), "bits": .integer(128)]
    let lost = transmit(
      try link("polar", given.merging(["fading": .text("block")]) { $1 }), sent
    ).count { $0.isLost }
    // Between -3 and 0.5 dB the code goes from hardly any to nearly all: P(|h|^2 < x) = 1 - exp(-x).
    let bounds = [-3.0, 0.5].map { 600 * (1 - exp(-linear(decibels: $0 - 10))) }
    #expect(Double(lost) > bounds[0] - 4 * bounds[0].squareRoot(), "\(lost) \(bounds)")
    #expect(Double(lost) < bounds[1] + 4 * bounds[1].squareRoot(), "\(lost) \(bounds)")
    #expect(transmit(try link("polar", given), sent).allSatisfy { !$0.isLost })
  }

  /// A report's fate depends on its drop and slot, not on the block around it.
  @Test func reportsAreIndependentOfTheirBlock() throws {
    let link = try link("polar", ["snr_db": .number(-1), "bits": .integer(64)])
    let sent = payloads(30, bits: 32)
    let whole = transmit(link, sent, slot: 5)
    let part = transmit(link, Array(sent[11..<23]), slot: 5, first: 11)
    #expect(part.map { bits($0) } == whole[11..<23].map { bits($0) })
    #expect(whole.contains { $0.isLost } && !whole.allSatisfy { $0.isLost })
  }

  // MARK: Unequal protection

  /// Four bits of side information and ten numbers of six bits.
  private let fields = [
    Report.Field("side", 0..<4),
    Report.Field("codeword", 4..<64, widths: Array(repeating: 6, count: 10)),
  ]

  /// 24 of 64 bits are protected: side information and the first two bits of each number. Where the others are lost each
  /// number is in the middle of what these two leave open: 1000 behind them.
  @Test func importantBitsArriveAlone() throws {
    let link = try link(
      "polar",
      [
        "snr_db": .number(-1), "bits": .integer(160), "protected_bits": .number(0.375),
        "protected_share": .number(0.65),
      ])
    try link.check(.bits(64))
    let sent = payloads(200, bits: 64)
    var (whole, part, lost, undetected) = (0, 0, 0, 0)
    for (sent, delivery) in zip(sent, transmit(link, sent, fields: fields)) {
      guard let received = bits(delivery) else {
        lost += 1
        continue
      }
      if received == sent {
        whole += 1
        continue
      }
      let isPart = (0..<64).allSatisfy { i in
        let place = (i - 4) % 6
        return received[i] == (i < 4 || place < 2 ? sent[i] : place == 2)
      }
      part += isPart ? 1 : 0
      undetected += isPart ? 0 : 1
    }
    #expect(part > 50 && lost < 10, "\(whole) \(part) \(lost)")
    // Eight paths with 11 check bits: 0.4 % of what fails is not seen.
    #expect(undetected <= 4, "\(undetected)")
  }

  // MARK: Equal energy

  /// With E/N0 of a report each of its bits has E/n, each of its reals the SNR 2E/n.
  @Test func energyIsThatOfAReport() throws {
    let sent = payloads(300, bits: 50)
    for name in ["bpsk", "qpsk"] {
      let whole = try link(name, ["energy_db": .number(20)])
      let single = try link(name, ["snr_db": .number(20 - decibels(50.0))])
      #expect(abs(whole.bitErrorRate(bits: 50) / single.bitErrorRate(bits: 1) - 1) < 1e-9)
      #expect(transmit(whole, sent).map { bits($0) } == transmit(single, sent).map { bits($0) })
      #expect(whole.bitErrorRate(bits: 100) > whole.bitErrorRate(bits: 50))
    }
    let coded = try link("polar", ["energy_db": .number(20), "bits": .integer(120)])
    let single = try link(
      "polar", ["snr_db": .number(20 - decibels(120.0)), "bits": .integer(120)])
    let lost = transmit(coded, sent).map(\.isLost)
    #expect(lost == transmit(single, sent).map(\.isLost) && lost.contains(true))

    var random = StreamKey(seed: 4, domain: .test, purpose: .channel).stream(drop: 0)
    let reals = random.normal(count: 40)
    func noisy(_ given: [String: Setting]) throws -> [Float] {
      let report = Report(bits: BitString(), reals: reals)
      let block = DropBlock(0..<1, domain: .test, seed: 7)
      guard
        case .reals(let arrived, _) = try link("analogue", given).transmit(
          [report], block, slot: 0)[0]
      else { return [] }
      return arrived
    }
    let a = try noisy(["energy_db": .number(23)])
    let b = try noisy(["snr_db": .number(23 + decibels(2.0) - decibels(40.0))])
    #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-5 } && a != reals && a.count == 40)
  }
}
