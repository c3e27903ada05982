import DataFiles
import Foundation
import LinkMath
import Networks
import Scenarios
import Simulation

/// What the two ends of a link can hold and compute, and what the feedback can carry.
public struct ElasticBudget: Sendable {
  /// Trainable values in units of 32 bits, of the encoder and of the decoder.
  public var ueMemory, bsMemory: Int?
  /// Multiply-accumulates of one sample with all matrix products (MAC+).
  public var ueOperations, bsOperations: Int?
  /// Bits of a report.
  public var bits: Int?

  /// No limits.
  public init() {}
}

/// Networks with measured errors that fit a budget: the elastic choice of expansion, binarisation, ratio and bits by
/// what UE and BS can afford.
///
/// Reference: Z. Lu, X. Zhang, H. He, J. Wang, J. Song, Binarized Aggregated Network With Quantization: Flexible Deep
/// Learning Deployment for CSI Feedback in Massive MIMO Systems, IEEE Trans. Wireless Commun. 21 (2022) 5514,
/// doi:10.1109/TWC.2022.3141653, algorithm 1.
public struct ElasticChoice: Sendable {
  /// A network as it was measured.
  public struct Candidate: Sendable {
    /// The result folder.
    public let folder: String
    /// Name, ratio, quantiser.
    public let point: NetworkPoint
    /// The swept values, `path=value`.
    public let coordinates: String
    /// Sizes of the sides.
    public let encoder, decoder: SideDescription
    /// Bits of a report; nil for reals.
    public let payloadBits: Int?
    /// NMSE in dB.
    public let nmseDB: Double
    /// The 95 % interval of ``nmseDB``; nil if the report has none.
    public let interval: ClosedRange<Double>?
  }

  /// All measured networks, best first.
  public let candidates: [Candidate]

  /// Reads results.
  ///
  /// - Parameters:
  ///   - folders: result folders of `csilink run`.
  ///   - pool: threads that stages are made on.
  /// - Throws: `DataFileError` for folders without a report or a manifest and for reports of another scenario;
  ///   `ScenarioErrors`
  ///   for stages that cannot be made.
  public init(_ folders: [String], pool: WorkerPool) throws {
    candidates = try folders.flatMap { try Self.read($0, pool) }
      .enumerated().sorted { ($0.element.nmseDB, $0.offset) < ($1.element.nmseDB, $1.offset) }
      .map(\.element)
  }

  /// Those that fit, best first.
  public func feasible(_ budget: ElasticBudget) -> [Candidate] {
    candidates.filter { candidate in
      func fits(_ value: Int?, _ limit: Int?) -> Bool {
        guard let limit else { return true }
        return value.map { $0 <= limit } ?? false
      }
      return fits(candidate.encoder.words, budget.ueMemory)
        && fits(candidate.decoder.words, budget.bsMemory)
        && fits(candidate.encoder.costs.allProducts, budget.ueOperations)
        && fits(candidate.decoder.costs.allProducts, budget.bsOperations)
        && fits(candidate.payloadBits, budget.bits)
    }
  }

  private struct Notes: Decodable {
    let scenario: String
  }

  private static func read(_ folder: String, _ pool: WorkerPool) throws -> [Candidate] {
    let manifest = "\(folder)/\(Manifest.fileName)"
    guard let bytes = FileManager.default.contents(atPath: manifest) else {
      throw DataFileError(
        file: manifest, expected: "the manifest of a result", found: "no such file",
        hint: "name folders that 'csilink run' has finished")
    }
    guard let notes = try? JSONDecoder().decode(Notes.self, from: bytes) else {
      throw DataFileError(
        file: manifest, expected: "the manifest of a result with its scenario",
        found: "another file")
    }
    let scenario = try ScenarioReader.standard.read(text: notes.scenario, path: manifest).scenario
    let table = try RecordedResult(reading: folder)
    let file = "\(folder)/\(ReportCSV.fileName)"
    guard table.rows.count == scenario.points.count else {
      throw DataFileError(
        file: file, expected: "\(scenario.points.count) rows, as its scenario has points",
        found: "\(table.rows.count)")
    }
    var candidates: [Candidate] = []
    for point in try NetworkPoint.all(of: scenario, pool: pool) {
      let coordinates = scenario.points[point.index].coordinates
      for (axis, value) in zip(scenario.axes, coordinates) {
        let found = table.axes.contains(axis.path) ? table.field(point.index, axis.path) : nil
        guard found != value else { continue }
        throw DataFileError(
          file: file, variable: axis.path,
          expected: "\(value ?? "nothing") in row \(point.index + 1), as the scenario has",
          found: found ?? "nothing")
      }
      guard let error = table.number(point.index, "nmse_db") else { continue }
      var interval: ClosedRange<Double>?
      if let low = table.number(point.index, "nmse_db_low"),
        let high = table.number(point.index, "nmse_db_high"), low <= high
      {
        interval = low...high
      }
      candidates.append(
        Candidate(
          folder: folder, point: point,
          coordinates: zip(scenario.axes, coordinates).compactMap { axis, value in
            value.map { "\(axis.path)=\($0)" }
          }.joined(separator: " "),
          encoder: SideDescription(point.network.autoencoder.encoder),
          decoder: SideDescription(point.network.autoencoder.decoder),
          payloadBits: table.number(point.index, "payload_bits").map { Int($0) },
          nmseDB: error, interval: interval))
    }
    return candidates
  }
}

extension SideDescription {
  /// Bits of the trainable values as they are stored, in units of 32.
  fileprivate var words: Int { (parameterBits + 31) / 32 }
}

extension ElasticChoice {
  /// The candidates as a table, best first.
  public static func text(_ candidates: [Candidate]) -> String {
    let heading = [
      "NMSE dB", "interval", "network", "ratio", "label", "quantizer", "B", "bits", "UE words",
      "UE MAC+", "BS words", "BS MAC+", "point",
    ]
    let rows = candidates.map { candidate -> [String] in
      let point = candidate.point
      return [
        String(format: "%.2f", candidate.nmseDB),
        candidate.interval.map {
          String(format: "%.2f..%.2f", $0.lowerBound, $0.upperBound)
        } ?? "-", point.network.name, point.network.ratio, point.label ?? "-", point.quantizer,
        point.bits.map(String.init) ?? "-", candidate.payloadBits.map(String.init) ?? "-",
        "\(candidate.encoder.words)", "\(candidate.encoder.costs.allProducts)",
        "\(candidate.decoder.words)", "\(candidate.decoder.costs.allProducts)",
        "\(candidate.folder) \(candidate.coordinates)",
      ]
    }
    let widths = heading.indices.map { i in ([heading] + rows).map { $0[i].count }.max()! }
    let line = { (cells: [String]) in
      zip(cells, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
        .joined(separator: "  ").trimmingCharacters(in: .whitespaces)
    }
    return (["# " + line(heading)] + rows.map { "  " + line($0) }).joined(separator: "\n")
  }
}
