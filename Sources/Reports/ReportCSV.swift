import DataFiles
import Simulation

/// `report.csv`: one row per operating point.
///
/// The first line is a comment with the version of the format, the second names the columns: the swept paths, then the
/// ``columns``. Fields follow RFC 4180, lines end in a line feed. Missing values are empty. Every interval is 95 %.
/// The bytes depend on the result alone.
public enum ReportCSV {
  /// Name of the file in the folder of results.
  public static let fileName = "report.csv"
  /// Raised when a column changes its meaning; columns that are appended leave it.
  public static let formatVersion = 1

  /// Names of the columns after the swept paths.
  public static var columns: [String] { fields.map(\.name) }

  /// The content of the file.
  ///
  /// - Complexity: O(points · columns).
  public static func text(of result: RunResult) -> String {
    var lines = ["# csilink report \(formatVersion)"]
    lines.append(record(result.axes + columns))
    for point in result.points {
      lines.append(
        record(point.coordinates.map { $0 ?? "" } + fields.map { $0.text(point, result) }))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Writes the file into a folder, as a whole or not at all.
  ///
  /// - Throws: `DataFileError` if the folder cannot be written to.
  public static func write(_ result: RunResult, toFolder folder: String) throws(DataFileError) {
    try AtomicFile.write(text(of: result), to: "\(folder)/\(fileName)")
  }

  private static func record(_ fields: [String]) -> String {
    fields.map(quoted).joined(separator: ",")
  }

  /// RFC 4180, section 2, rules 5 to 7.
  private static func quoted(_ field: String) -> String {
    // Scalars, because a Character holds "\r\n" as one.
    let needsQuotes = field.unicodeScalars.contains { ",\"\r\n".unicodeScalars.contains($0) }
    // A swept text that starts the line with '#' would be taken for a comment.
    guard needsQuotes || field.hasPrefix("#") else { return field }
    return "\"" + field.replacing("\"", with: "\"\"") + "\""
  }

  private struct Field: Sendable {
    let name: String
    let text: @Sendable (PointSummary, RunResult) -> String

    init(_ name: String, _ text: @escaping @Sendable (PointSummary, RunResult) -> String) {
      self.name = name
      self.text = text
    }

    static func number(_ name: String, _ value: @escaping @Sendable (PointSummary) -> Double?)
      -> Field
    {
      Field(name) { point, _ in numberText(value(point)) }
    }

    static func answer(_ name: String, _ value: @escaping @Sendable (PointSummary) -> Bool?)
      -> Field
    {
      Field(name) { point, _ in value(point).map { $0 ? "yes" : "no" } ?? "" }
    }
  }

  private static let fields: [Field] = [
    Field("drops") { point, _ in String(point.drops) },
    Field("stop_reason") { point, _ in point.stopReason.rawValue },
    Field("payload_bits") { point, _ in point.payloadBits.map(String.init) ?? "" },
    .number("estimate_nmse_db", \.estimateNMSEDB),
    .number("nmse_db", \.nmseDB),
    .number("nmse_db_low") { $0.nmseDBInterval?.lowerBound },
    .number("nmse_db_high") { $0.nmseDBInterval?.upperBound },
    .number("nmse_ratio_of_sums_db", \.nmseRatioOfSumsDB),
    .number("nmse_full_db", \.nmseFullDB),
    .number("cosine_similarity", \.cosineSimilarity),
    .number("sgcs", \.squaredCosineSimilarity),
    .number("feedback_bit_error_rate", \.feedbackBitErrorRate),
    .number("beamforming_gain_db", \.beamformingGainDB),
    .number("gain_fraction", \.gainFraction),
    .number("rate_bits_per_s_hz", \.rate),
    .number("rate_low") { $0.rateInterval?.lowerBound },
    .number("rate_high") { $0.rateInterval?.upperBound },
    .number("rate_perfect_bits_per_s_hz", \.perfectRate),
    .number("quantizer_clip_fraction", \.quantizerClipFraction),
    Field("seed") { _, result in String(result.seed) },
    Field("scenario_digest") { _, result in result.provenance.scenarioDigest },
    Field("data_digest") { _, result in result.provenance.dataDigest },
    Field("weights_digest") { _, result in result.provenance.weightsDigest },
    Field("zero_energy_drops") { point, _ in String(point.zeroEnergyDrops) },
    .number("truncation_loss_db", \.truncationLossDB),
    .number("nmse_effective_drops", \.nmseEffectiveDrops),
    .answer("nmse_interval_reliable", \.nmseIntervalIsReliable),
    .answer("rate_interval_reliable", \.rateIntervalIsReliable),
  ]
}
