import Foundation
import LinkMath
import Simulation
import Testing

/// Quantisers and coders of symbols inside the link.
@Suite struct CoderTests {
  private static let link = """
    link:
      grid: {tones: 32}
      channel: {type: rayleigh, ports: 8, taps: 4, profile: exponential, tau_rms: 2}
      estimator: perfect
      transform: {taps: 8}
      normaliser: sample_unit_power
      codec: {type: pca, compression: 2, fit: {drops: 400}}
      quantizer: {type: lloyd_max, bits: 3, fit: {drops: 400}}
      precoder: {type: mrt, snr_db: 10}
    report: {columns: [report_loss_rate, payload_bits_95_percentile, payload_bits_maximum]}
    run: {seed: 3, drops: 100}
    """

  /// Whatever codes them, the same symbols arrive; frequent ones in fewer bits.
  @Test func codersChangeBitsOnly() throws {
    let points = try execute(
      prepare(
        Self.link,
        set: [
          "sweep.coder=[fixed_width, {type: range, model: static, fit: {drops: 400}}, "
            + "{type: range, model: adaptive, fit: {drops: 400}}]"
        ])
    ).points
    for point in points {
      #expect(point[.nmseDB] == points[0][.nmseDB])
      #expect(point[.rate] == points[0][.rate])
      #expect(point[.reportLossRate] == 0)
    }
    let bits = points.map { $0[.payloadBits] }
    #expect(bits[0] == 3 * 64)
    #expect(bits[1] < 0.99 * bits[0] && bits[2] < 0.99 * bits[0], "\(bits)")
    #expect(points[0][.payloadBits95Percentile] == bits[0])
    #expect(points[0][.payloadBitsMaximum] == bits[0])
    for point in points.dropFirst() {
      #expect(point[.payloadBits] < point[.payloadBits95Percentile])
      #expect(point[.payloadBits95Percentile] <= point[.payloadBitsMaximum])
    }
  }

  /// A report that would have more than `max_bits` is lost, and none has more.
  @Test func overlongReportsAreLost() throws {
    let coder = "coder={type: range, fit: {drops: 400}, max_bits: 182}"
    let point = try execute(prepare(Self.link, set: [coder])).points[0]
    let lost = try #require(point.number(.reportLossRate))
    #expect(lost > 0 && lost < 1, "\(lost)")
    #expect(point[.payloadBitsMaximum] <= 182)
    #expect(point[.payloadBits] < 182)
    // Bit errors spoil reports, but nothing more.
    let harmed = try execute(
      prepare(Self.link, set: [coder, "feedback={type: bsc, p: 0.01}"])
    ).points[0]
    #expect(harmed[.nmseDB].isFinite && harmed[.nmseDB] > point[.nmseDB])
    #expect(abs(harmed[.feedbackBitErrorRate] - 0.01) < 0.004)
  }

  /// Every quantiser in one sweep: fitted, of the bits it says, and better than no report.
  @Test func everyQuantizerWorksBehindACodec() throws {
    let points = try execute(
      prepare(
        Self.link,
        set: [
          "sweep.quantizer=[{type: uniform, bits: 4, fit: {drops: 400}}, "
            + "{type: lloyd_max, bits: 4, codebook: shared, fit: {drops: 400, rule: exact}}, "
            + "{type: mu_law, bits: 4, mu: 5, fit: {drops: 400}}, "
            + "{type: mu_law, bits: 3, mu: 5, levels: sign_magnitude, fit: {drops: 400}}, "
            + "{type: round, bits: 4}, {type: kmeans, bits: 4, fit: {drops: 400}}, "
            + "{type: kmeans, bits: 4, allocation: pca_growth, fit: {drops: 400}}, "
            + "{type: prefix, bits: 4, sent: 32, fit: {drops: 400}}, "
            + "{type: vector, bits: 3, length: 2, fit: {drops: 400}}]"
        ])
    ).points
    #expect(points.map { $0[.payloadBits] } == [256, 256, 256, 256, 256, 256, 256, 128, 192])
    for (i, point) in points.enumerated() { #expect(point[.nmseDB] < -2, "\(i) \(point[.nmseDB])") }
    // Bits that go where they are needed are worth more.
    #expect(points[5][.nmseDB] < points[0][.nmseDB])
  }

  @Test func whatDoesNotGoTogetherIsRefused() {
    let told = complaints(Self.link, set: ["quantizer=none", "coder={type: range}"])
    #expect(told.first?.contains("there are none") == true, "\(told)")
    let large = complaints(
      Self.link, set: ["quantizer={type: uniform, bits: 14}", "coder={type: range}"])
    #expect(large.first?.contains("16384 levels") == true, "\(large)")
  }
}
