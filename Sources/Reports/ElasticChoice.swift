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

/// Networks with measured errors that fit a budget: the elastic choice of expansion, binarisation, ratio and bits by what UE and BS can
/// afford.
///
/// Reference: Z. Lu, X. Zhang, H. He, J. Wang, J. Song, Binarized Aggregated Network With Quantization: Flexible Deep Learning Deployment
/// for CSI Feedback in Massive MIMO Systems, IEEE Trans. Wireless Commun. 21 (2022) 5514, doi:10.1109/TWC.2022.3141653, algorithm 1.
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
    /// NMSE in dB, with its interval if there is one.
    public let nmseDB: Double
    public let interval: ClosedRange<Double>?
  }

  /// All measured networks, best first.
  public let candidates: [Candidate]

  /// Reads results.
  ///
  /// - Parameters:
  ///   - folders: result folders of `csilink run`.
  ///   - pool: threads that stages are made on.
  /// - Throws: `DataFileError` for folders without a report or a manifest and for reports of another scenario; `ScenarioErrors`
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
    let table = try ReportRows("\(folder)/\(ReportCSV.fileName)")
    guard table.rows.count == scenario.points.count else {
      throw DataFileError(
        file: table.path, expected: "\(scenario.points.count) rows, as its scenario has points",
        found: "\(table.rows.count)")
    }
    var candidates: [Candidate] = []
    for point in try NetworkPoint.all(of: scenario, pool: pool) {
      let row = table.rows[point.index]
      let coordinates = scenario.points[point.index].coordinates
      for (axis, value) in zip(scenario.axes, coordinates) where row[axis.path] != value ?? "" {
        throw DataFileError(
          file: table.path, variable: axis.path,
          expected: "\(value ?? "nothing") in row \(point.index + 1), as the scenario has",
          found: row[axis.path] ?? "no such column")
      }
      guard let error = try table.number(point.index, Column.nmseDB.name) else { continue }
      let low = try table.number(point.index, "nmse_db_low")
      let high = try table.number(point.index, "nmse_db_high")
      var interval: ClosedRange<Double>?
      if let low, let high, low <= high { interval = low...high }
      candidates.append(
        Candidate(
          folder: folder, point: point,
          coordinates: zip(scenario.axes, coordinates).compactMap { axis, value in
            value.map { "\(axis.path)=\($0)" }
          }.joined(separator: " "),
          encoder: SideDescription(point.network.autoencoder.encoder),
          decoder: SideDescription(point.network.autoencoder.decoder),
          payloadBits: try table.number(point.index, Column.payloadBits.name).map { Int($0) },
          nmseDB: error, interval: interval))
    }
    return candidates
  }
}

extension SideDescription {
  /// Bits of the trainable values as they are stored, in units of 32.
  fileprivate var words: Int { (parameterBits + 31) / 32 }
}

/// The rows of a `report.csv` by the names of its columns.
struct ReportRows {
  let path: String
  private(set) var rows: [[String: String]] = []

  init(_ path: String) throws(DataFileError) {
    self.path = path
    guard let bytes = FileManager.default.contents(atPath: path),
      let text = String(validating: bytes, as: UTF8.self)
    else {
      throw DataFileError(file: path, expected: "a report of csilink", found: "no readable file")
    }
    var records = Self.records(text)
    let title = "# csilink report \(ReportCSV.formatVersion)"
    guard records.count > 1, records.removeFirst() == [title] else {
      throw DataFileError(file: path, expected: "the first line '\(title)'", found: "another one")
    }
    let header = records.removeFirst()
    for (index, record) in records.enumerated() {
      guard record.count == header.count else {
        throw DataFileError(
          file: path, expected: "\(header.count) fields in row \(index + 1)",
          found: "\(record.count)")
      }
      rows.append(Dictionary(zip(header, record)) { first, _ in first })
    }
  }

  /// A number of a row; nil where the field is empty or not there.
  func number(_ row: Int, _ column: String) throws(DataFileError) -> Double? {
    guard let text = rows[row][column], !text.isEmpty else { return nil }
    guard let value = Double(text) else {
      throw DataFileError(
        file: path, variable: column, expected: "a number in row \(row + 1)", found: "'\(text)'")
    }
    return value
  }

  /// Records of RFC 4180.
  private static func records(_ text: String) -> [[String]] {
    var records: [[String]] = []
    var (record, field) = ([String](), "")
    var isQuoted = false
    var scalars = text.unicodeScalars.makeIterator()
    var next = scalars.next()
    while let scalar = next {
      next = scalars.next()
      switch scalar {
      case "\"" where isQuoted && next == "\"":
        field.unicodeScalars.append(scalar)
        next = scalars.next()
      case "\"": isQuoted.toggle()
      case "," where !isQuoted:
        record.append(field)
        field = ""
      case "\n" where !isQuoted:
        records.append(record + [field])
        (record, field) = ([], "")
      default: field.unicodeScalars.append(scalar)
      }
    }
    if !field.isEmpty || !record.isEmpty { records.append(record + [field]) }
    return records
  }
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
