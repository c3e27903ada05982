import Channels
import Parts
import Testing

/// Statistics of the model beside those of the reference implementation (release 3.1 in Octave, 1000 drops each).
@Suite struct COST2100StatisticsTests {
  /// A statistic and its value in the reference implementation.
  struct Row: Sendable {
    enum Kind: Sendable { case mean, deviation, quantile(Double) }
    let key: String
    let kind: Kind
    let reference: Double

    init(_ key: String, _ reference: Double) { self.init(key, .mean, reference) }

    init(_ key: String, _ kind: Kind, _ reference: Double) {
      self.key = key
      self.kind = kind
      self.reference = reference
    }

    func estimate(_ statistics: COST2100Statistics) -> COST2100Statistics.Estimate {
      switch kind {
      case .mean: statistics.mean(key)
      case .deviation: statistics.deviation(key)
      case .quantile(let level): statistics.quantile(key, level)
      }
    }
  }

  struct Environment: Sendable, CustomTestStringConvertible {
    let name: String
    let carrierHz: Double
    let rows: [Row]
    let delayShares: [Double]
    let angleShares: [Double]
    var testDescription: String { name }
  }

  static let environments = [
    Environment(
      name: "indoor", carrierHz: 5.3e9,
      rows: [
        // The reference counts the line of sight of a drop, which has no power indoors.
        Row("rays", 34.7), Row("rays", .quantile(0.05), 12), Row("rays", .quantile(0.5), 33),
        Row("rays", .quantile(0.95), 63), Row("captured", 0.966),
        Row("captured", .quantile(0.05), 0.913), Row("lost before", 0.031),
        Row("lost after", 0.003), Row("effective", 7.13), Row("count 0.95", 34.3),
        Row("count 0.99", 103), Row("scaled energy", 0.905), Row("mean delay", 71.4e-9),
        Row("delay spread", 73.1e-9), Row("delay spread", .quantile(0.5), 77.7e-9),
        Row("angle spread", .quantile(0.5), 5.29), Row("level", .deviation, 4.75),
      ],
      delayShares: [
        0.112, 0.636, 0.140, 0.047, 0.030, 0.016, 0.008, 0.004, 0.002, 0.001, 0.001, 0.001, 0.001,
        0, 0, 0,
      ],
      angleShares: [
        0.134, 0.081, 0.055, 0.054, 0.047, 0.044, 0.040, 0.035, 0.037, 0.033, 0.028, 0.034, 0.024,
        0.028, 0.027, 0.024, 0.018, 0.014, 0.013, 0.014, 0.016, 0.012, 0.014, 0.016, 0.012, 0.014,
        0.015, 0.017, 0.017, 0.023, 0.028, 0.035,
      ]),
    Environment(
      name: "outdoor", carrierHz: 285e6,
      rows: [
        Row("rays", 705), Row("rays", .quantile(0.05), 513), Row("rays", .quantile(0.5), 703),
        Row("rays", .quantile(0.95), 919), Row("captured", 0.964),
        Row("captured", .quantile(0.05), 0.889), Row("lost before", 0.004),
        Row("lost after", 0.032), Row("effective", 8.79), Row("count 0.95", 59.5),
        Row("count 0.99", 185), Row("scaled energy", 0.978), Row("mean delay", 581e-9),
        Row("delay spread", 173e-9), Row("delay spread", .quantile(0.5), 163e-9),
        Row("angle spread", .quantile(0.5), 2.66), Row("level", .deviation, 4.93),
      ],
      delayShares: [
        0.001, 0.004, 0.013, 0.023, 0.030, 0.041, 0.046, 0.054, 0.063, 0.061, 0.077, 0.089, 0.094,
        0.095, 0.081, 0.061, 0.035, 0.026, 0.020, 0.015, 0.011, 0.009, 0.007, 0.007, 0.007, 0.007,
        0.005, 0.004, 0.004, 0.004, 0.004, 0.003,
      ],
      angleShares: [
        0.142, 0.050, 0.036, 0.037, 0.040, 0.038, 0.025, 0.029, 0.023, 0.023, 0.022, 0.019, 0.016,
        0.017, 0.024, 0.016, 0.018, 0.017, 0.019, 0.021, 0.019, 0.020, 0.020, 0.026, 0.027, 0.025,
        0.028, 0.034, 0.039, 0.040, 0.039, 0.055,
      ]),
  ]

  /// Within 5 % or four standard errors. Shares of taps within 0.015, small ones within a quarter or four standard errors and the
  /// rounding of the reference; shares of angles within 0.015 or four standard errors.
  @Test(arguments: environments)
  func agreesWithTheReferenceImplementation(_ one: Environment) throws {
    let model = try makeChannel(
      COST2100Channel.self,
      ["environment": .text(one.name), "normalise": .text("none")],
      grid: .init(toneCount: 257, spacingHz: 78125, carrierHz: one.carrierHz))
    let statistics = try COST2100Statistics(model, seed: 1)
    for row in one.rows {
      let found = row.estimate(statistics)
      #expect(
        abs(found.value - row.reference) < max(0.05 * row.reference, 4 * found.error),
        "\(row.key) \(row.kind): \(found) against \(row.reference)")
    }
    for (tap, share) in one.delayShares.enumerated() {
      let found = statistics.delayShare(tap)
      let limit = min(0.015, max(0.25 * share, 4 * found.error) + 0.0006)
      #expect(abs(found.value - share) < limit, "tap \(tap): \(found) against \(share)")
    }
    for (row, share) in one.angleShares.enumerated() {
      let found = statistics.angleShare(row)
      #expect(
        abs(found.value - share) < max(0.015, 4 * found.error),
        "row \(row): \(found) against \(share)")
    }
  }
}
