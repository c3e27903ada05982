import Foundation
import LinkMath
import Reports
import Simulation
import Testing

/// Links whose reports are directions, of varying length, lost or predicted.
@Suite struct ReportedLinkTests {
  private static let codebook = """
    link:
      grid: {tones: 52, spacing: 180 kHz}
      channel: {type: cdl, profile: C, ports: 32, polarisation: dual, delay_spread: 100 ns}
      estimator: perfect
      transform: {type: subband_eigenvectors, subband_tones: 4}
      normaliser: none
      codec: type1
      precoder: {type: mrt, snr_db: 10}
    run: {seed: 3, drops: 40}
    """

  /// 32 bits of 16 x 1 with 13 subbands. Directions have a similarity and a rate, but no error.
  @Test func directionsHaveNoError() throws {
    let result = try execute(prepare(Self.codebook))
    let point = result.points[0]
    #expect(point[.payloadBits] == 32)
    let empty: [Column] = [
      .nmseDB, Column.Interval.nmse.low, Column.Interval.nmse.high, .nmseRatioOfSumsDB, .nmseFullDB,
      .nmseEffectiveDrops, .truncationLossDB,
    ]
    for column in empty { #expect(point.value(column) == nil, "\(column.name)") }
    #expect(point[.zeroEnergyDrops] == 0 && point.drops == 40)
    #expect(point[.squaredCosineSimilarity] > 0.2 && point[.squaredCosineSimilarity] < 1)
    #expect(point[.rate] < point[.perfectRate] && point[.rate] > 0.4 * point[.perfectRate])
    #expect(abs(point[.gainFraction] - point[.squaredCosineSimilarity]) < 1e-5, "maximum ratio")
    let lines = ReportCSV.text(of: result).split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false)
    }
    let row = Dictionary(uniqueKeysWithValues: zip(lines[0], lines[1]))
    #expect(row["nmse_db"] == "" && row["nmse_interval_reliable"] == "")
    #expect(row["payload_bits"] == "32" && row["zero_energy_drops"] == "0")
  }

  /// Without a codec behind it the transform tells the direction of each subband: better than any codebook.
  @Test func codebooksLoseAgainstTheDirection() throws {
    let points = try execute(
      prepare(Self.codebook, set: ["sweep.codec=[type1, none]"])
    ).points
    #expect(points[0][.squaredCosineSimilarity] < points[1][.squaredCosineSimilarity])
    #expect(points[0][.rate] < points[1][.rate])
    #expect(points[1][.nmseDB] == -.infinity && points[1].value(.nmseFullDB) == nil)
  }

  @Test func whatDoesNotGoTogetherIsRefused() {
    let told = complaints(Self.codebook, set: ["quantizer={type: uniform, bits: 4}"])
    #expect(told.first?.contains("makes bits itself") == true, "\(told)")
    let delays = complaints(Self.codebook, set: ["transform=angular_delay"])
    #expect(delays.first?.contains("subband_eigenvectors") == true, "\(delays)")
    let reals = complaints(Self.codebook, set: ["feedback={type: analogue, snr_db: 3}"])
    #expect(reals.first?.contains("carries real codewords") == true, "\(reals)")
  }

  private static let moving = """
    link:
      grid: {tones: 16}
      channel: {type: rayleigh, ports: 4, taps: 3}
      estimator: perfect
      transform: {taps: 16}
      normaliser: none
      quantizer: {type: uniform, bits: 10, range: [-12, 12]}
      feedback: {type: erasure, loss: 0, snr_db: 60}
      timing: {slots: 12, report_period: 2, feedback_delay: 1, speed: 0 m/s}
    report: {columns: [report_loss_rate]}
    run: {seed: 8, drops: 200}
    """

  /// Of 1200 reports a share p is lost. At rest the BS that holds has all it needs once a report is there; one that forgets
  /// precodes blindly after every loss; without losses they are equal.
  @Test func lostReportsAreHeldOrForgotten() throws {
    let points = try execute(
      prepare(
        Self.moving,
        set: ["sweep.feedback.loss=[0, 0.3, 1]", "sweep.prediction=[hold, zero]"])
    ).points
    let (held, forgotten) = (
      points.enumerated().filter { $0.offset % 2 == 0 }.map(\.element),
      points.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
    )
    for (i, p) in [0, 0.3, 1].enumerated() {
      let share = try #require(held[i].number(.reportLossRate))
      #expect(abs(share - p) <= 4 * (p * (1 - p) / 1200).squareRoot(), "\(share)")
      #expect(forgotten[i][.reportLossRate] == share)
      // The same errors of the reports themselves; a lost one tells nothing.
      #expect(forgotten[i][.nmseDB] == held[i][.nmseDB])
    }
    #expect(held[0][.rate] == forgotten[0][.rate])
    #expect(held[2][.rate] == forgotten[2][.rate], "nothing ever arrives")
    #expect(abs(held[2][.nmseDB]) < 1e-6)
    #expect(held[0][.rate] > held[1][.rate] && held[1][.rate] > forgotten[1][.rate])
    #expect(forgotten[1][.rate] > forgotten[2][.rate])
    // Three tenths of the reports have an error of 1, the others hardly any.
    let expected = try #require(held[1].number(.reportLossRate))
    #expect(abs(linear(decibels: held[1][.nmseDB]) - expected) < 1e-3)
  }

  /// Whatever is lost, the numbers are the same for any size of block.
  @Test func lossesDoNotDependOnTheBlock() throws {
    let points = try ["7", "64", "200"].map { block in
      try execute(
        prepare(
          Self.moving,
          set: [
            "feedback.loss=0.4", "timing.speed=3 m/s", "run.block=\(block)",
            "codec={type: differential, range: 4, difference_range: 1}", "quantizer=none",
          ])
      ).points[0]
    }
    for column in Column.standard + [.reportLossRate] {
      #expect(Set(points.map { $0.value(column) }).count == 1, "\(column.name)")
    }
  }

  /// A UE that moves slowly against the report period: the line through two reports foresees more than the newest one.
  @Test func linesForeseeSlowMotion() throws {
    let points = try execute(
      prepare(
        Self.moving,
        set: [
          "timing.speed=2 m/s", "timing.slots=40", "sweep.prediction=[hold, linear]",
          "quantizer.bits=14",
        ])
    ).points
    let (held, foreseen) = (points[0][.nmseFullDB], points[1][.nmseFullDB])
    #expect(foreseen < held - 6, "\(foreseen) \(held)")
  }

  /// 128 reals: in 12 slots six reports, the first and the fourth whole.
  @Test func payloadsOfTwoLengths() throws {
    let point = try execute(
      prepare(
        Self.moving,
        set: [
          "codec={type: differential, bits: 8, difference_bits: 3, refresh: 3, range: 4, difference_range: 1}",
          "quantizer=none",
        ])
    ).points[0]
    #expect(point[.payloadBits] == Double(128 * (2 * 8 + 4 * 3)) / 6)
    #expect(point[.feedbackBitErrorRate] == 0)
    #expect(point[.nmseDB] < -15 && point[.nmseDB] > -60)
  }

  private static let uplinks = """
    link:
      grid: {tones: 16}
      channel: {type: rayleigh, ports: 4, taps: 3}
      estimator: perfect
      transform: {taps: 16}
      normaliser: none
      quantizer: {type: uniform, bits: 5, range: [-3, 3]}
    sweep:
      feedback:
        - {type: analogue, label: analogue}
        - {type: qpsk, label: uncoded}
        - {type: polar, code_rate: 0.5, label: polar}
        - {type: polar, code_rate: 0.5, protected_bits: 0.4, label: unequal}
    report: {columns: [report_loss_rate]}
    run: {seed: 8, drops: 100}
    """

  /// Analogue and digital links in one sweep, at equal energy of a report: the analogue one sends the codeword as it was before
  /// the quantiser, as alone without one.
  @Test func linksAreComparedAtEqualEnergy() throws {
    let points = try execute(prepare(Self.uplinks, set: ["feedback.energy_db=40"])).points
    let alone = try execute(
      prepare(
        Self.uplinks,
        set: ["feedback={type: analogue, energy_db: 40}", "quantizer=none"])
    ).points[0]
    #expect(points[0][.nmseDB] == alone[.nmseDB] && points[0].value(.payloadBits) == nil)
    // 128 reals: an SNR of 2 E / 128 N0 on each.
    #expect(abs(points[0][.nmseDB] + 40 + decibels(2.0 / 128)) < 0.2)
    let ideal = try execute(
      prepare(Self.uplinks, set: ["feedback=ideal"])
    ).points[0]
    // 640 bits at Eb/N0 of 12 dB: hardly an error without a code, none with one.
    for point in points[2...] {
      #expect(point[.nmseDB] == ideal[.nmseDB] && point.number(.feedbackBitErrorRate) == 0)
      #expect(point.number(.reportLossRate) == 0 && point[.payloadBits] == 640)
    }
    let weak = try execute(
      prepare(Self.uplinks, set: ["feedback.energy_db=28", "prediction=random"])
    ).points
    #expect(weak[1].number(.feedbackBitErrorRate)! > 0.05)
    #expect(weak[2].number(.reportLossRate)! > 0.9)
    let rate = try #require(weak[3].number(.reportLossRate))
    #expect(rate < 0.5 && weak[3][.nmseDB] < weak[1][.nmseDB])
    // Where all is lost a random direction has a quarter of the gain of four ports.
    let none = try execute(
      prepare(
        Self.uplinks,
        set: ["feedback={type: polar, code_rate: 0.5, energy_db: 0}", "prediction=random"])
    ).points[0]
    #expect(none.number(.reportLossRate) == 1 && abs(none[.gainFraction] - 0.25) < 0.06)
    #expect(abs(none[.nmseDB]) < 1e-6)
  }

  @Test func uplinksThatDoNotFitAreRefused() {
    let told = complaints(Self.uplinks, set: ["feedback={type: analogue, energy_db: 3}"])
    #expect(told.first?.contains("carries real codewords") == true, "\(told)")
    let room = complaints(
      Self.uplinks, set: ["feedback={type: polar, bits: 600, energy_db: 3}"])
    #expect(room.first?.contains("leaves no room for reports of 640 bits") == true, "\(room)")
    let level = complaints(
      Self.uplinks, set: ["feedback={type: qpsk, energy_db: 3, snr_db: 3}"])
    #expect(level.first?.contains("cannot be given together") == true, "\(level)")
  }
}
