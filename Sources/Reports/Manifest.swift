import DataFiles
import Foundation
import Simulation

/// How a run was carried out; unlike the result it may differ between two runs of the same scenario.
public struct Execution: Sendable, Hashable {
  /// When the run began.
  public var startTime: Date
  /// Including earlier parts of a resumed run as far as known.
  public var wallSeconds: Double
  /// Threads that worked on it.
  public var threads: Int
  /// The command with its arguments.
  public var commandLine: [String]
  /// Folders of the shards that the result was put together from, as seen from that of the result; empty for a whole run.
  public var shards: [String]

  /// How a run was carried out; the parameters are the properties.
  public init(
    startTime: Date, wallSeconds: Double, threads: Int, commandLine: [String], shards: [String] = []
  ) {
    self.startTime = startTime
    self.wallSeconds = wallSeconds
    self.threads = threads
    self.commandLine = commandLine
    self.shards = shards
  }
}

/// `manifest.json`: what is needed to repeat a run, and how it went.
public enum Manifest {
  /// Name of the file in the folder of results.
  public static let fileName = "manifest.json"
  /// Raised when a key changes its meaning.
  public static let formatVersion = 1

  /// The content of the file: keys in alphabetical order, times in UTC.
  ///
  /// - Precondition: the wall time is finite.
  public static func text(of result: RunResult, _ execution: Execution) -> String {
    precondition(execution.wallSeconds.isFinite, "wall time must be finite")
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.dateEncodingStrategy = .iso8601
    do {
      let data = try encoder.encode(Content(result, execution))
      return String(decoding: data, as: UTF8.self) + "\n"
    } catch {
      // Texts, whole numbers, dates and one finite number always have a JSON form.
      preconditionFailure("manifest without JSON form: \(error)")
    }
  }

  /// Writes the file into a folder, as a whole or not at all.
  ///
  /// - Throws: `DataFileError` if the folder cannot be written to.
  public static func write(_ result: RunResult, _ execution: Execution, toFolder folder: String)
    throws(DataFileError)
  {
    try AtomicFile.write(text(of: result, execution), to: "\(folder)/\(fileName)")
  }

  private struct Content: Encodable {
    let formatVersion = Manifest.formatVersion
    let reportFormat = ReportCSV.formatVersion
    let name: String
    let description: String
    let scenario: String
    let scenarioFolder: String
    let seed: UInt64
    let provenance: Provenance
    let startTime: Date
    let wallSeconds: Double
    let threads: Int
    let commandLine: [String]
    let shards: [String]

    init(_ result: RunResult, _ execution: Execution) {
      name = result.scenarioName
      description = result.description
      scenario = result.resolvedScenario
      scenarioFolder = result.scenarioFolder
      seed = result.seed
      provenance = result.provenance
      startTime = execution.startTime
      wallSeconds = execution.wallSeconds
      threads = execution.threads
      commandLine = execution.commandLine
      shards = execution.shards
    }
  }
}
