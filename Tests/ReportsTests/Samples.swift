import Foundation
import Simulation

/// A point with made-up numbers; tests change what they are about.
func point(
  _ coordinates: [String?], nmse: Double = -14.625, nmseInterval: ClosedRange<Double>? = nil,
  rate: Double = 7.90625, rateInterval: ClosedRange<Double>? = nil, perfectRate: Double = 8.015625,
  bits: Int? = 2048, bitErrorRate: Double? = 0, clipFraction: Double? = 0.001,
  nmseFull: Double? = -14.5, drops: Int = 8192, stop: StopReason = .drops,
  truncation: Double = -22.25, zeroEnergy: Int = 0,
  effectiveDrops: Double? = 6144.5, isReliable: Bool = true, further: [(Column, Double)] = []
) -> PointSummary {
  let numbers: [(Column, Double?)] =
    [
      (.estimateNMSEDB, -20), (.nmseDB, nmse), (Column.Interval.nmse.low, nmseInterval?.lowerBound),
      (Column.Interval.nmse.high, nmseInterval?.upperBound), (.nmseEffectiveDrops, effectiveDrops),
      (.nmseRatioOfSumsDB, -15.0625), (.nmseFullDB, nmseFull), (.cosineSimilarity, 0.974),
      (.squaredCosineSimilarity, 0.9505), (.feedbackBitErrorRate, bitErrorRate),
      (.beamformingGainDB, 14.75), (.gainFraction, 0.9375), (.rate, rate),
      (Column.Interval.rate.low, rateInterval?.lowerBound),
      (Column.Interval.rate.high, rateInterval?.upperBound),
      (.perfectRate, perfectRate), (.quantizerClipFraction, clipFraction),
      (.truncationLossDB, truncation),
    ] + further.map { ($0, $1) }
  var values: [String: Column.Value] = [
    "drops": .count(drops), "stop_reason": .word(stop.rawValue),
    "zero_energy_drops": .count(zeroEnergy),
  ]
  for (column, number) in numbers { values[column.name] = number.map(Column.Value.number) }
  values["payload_bits"] = bits.map(Column.Value.count)
  values["nmse_interval_reliable"] = nmseInterval.map { _ in .answer(isReliable) }
  values["rate_interval_reliable"] = rateInterval.map { _ in .answer(true) }
  return PointSummary(coordinates: coordinates, values: values)
}

func result(
  axes: [String], columns: [Column] = Column.standard, _ points: [PointSummary],
  name: String = "sample", description: String = "",
  dataDigest: String = "51ab0e", sharesEnvironment: Bool = false, scenario: String? = nil
) -> RunResult {
  RunResult(
    scenarioName: name, description: description, axes: axes, columns: columns, points: points,
    seed: 42,
    provenance: Provenance(
      scenarioDigest: "9f31c2d45e6f7081", dataDigest: dataDigest, weightsDigest: "",
      build: "0123456789abcdef", kernel: "Haswell", version: "0.1.0"),
    resolvedScenario: scenario ?? "name: \(name)\n", sharesEnvironment: sharesEnvironment)
}

/// A sweep with smooth made-up curves: NMSE falls with the SNR to a floor of the codec, the rate follows.
func snrSweep(axes: [String], codecs: [[String?]], snrs: [Double] = [-5, 0, 5, 10, 15, 20, 25])
  -> RunResult
{
  var points: [PointSummary] = []
  for snr in snrs {
    for (index, codec) in codecs.enumerated() {
      let ratio = pow(10, -snr / 10) + 0.3 * pow(0.55, Double(index))
      let rate = log2(1 + 32 * pow(10, snr / 10) * max(1 - ratio, 0.04))
      let (low, high) = (10 * log10(ratio * 0.93), 10 * log10(ratio * 1.07))
      points.append(
        point(
          [String(Int(snr))] + codec, nmse: 10 * log10(ratio), nmseInterval: low...high,
          rate: rate, rateInterval: rate * 0.98...rate * 1.02,
          perfectRate: log2(1 + 32 * pow(10, snr / 10))))
    }
  }
  return result(axes: axes, points)
}

/// A folder that is gone after the test.
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = NSTemporaryDirectory() + "csilink-reports-\(UUID().uuidString)"
  try FileManager.default.createDirectory(
    atPath: folder, withIntermediateDirectories: false)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}

func fixture(_ name: String, near file: String = #filePath) throws -> String {
  let tests = URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
  let url = tests.appendingPathComponent("Fixtures/reports/\(name)")
  return try String(contentsOf: url, encoding: .utf8)
}

/// Missing values, infinities and texts that need quotes; see Fixtures/reports.
let awkward = result(
  axes: ["codec", "pilots.snr_db"],
  [
    point(
      ["pca, \"wide\"", "-5"], nmseInterval: -14.75...(-14.5), rateInterval: 7.875...7.9375,
      bitErrorRate: 0.001),
    point(
      ["two\nlines", "10"], nmse: -10.0 / 3, nmseInterval: -.infinity...(-0.0),
      rate: 1_234_567.89, rateInterval: -0.125...2_469_135.78, perfectRate: 1e12,
      clipFraction: 0.0000123456789, nmseFull: nil, drops: 64, stop: .interval, zeroEnergy: 3,
      effectiveDrops: 1.5, isReliable: false),
    point(
      ["#1", nil], nmse: -.infinity, rate: .nan, bits: nil, bitErrorRate: nil, clipFraction: nil,
      drops: 2, truncation: -.infinity, effectiveDrops: nil),
  ], description: "made up\nby hand")
