import DataFiles
import Foundation
import Simulation

/// What is read of the manifest of a result.
struct RecordedManifest: Decodable, Sendable {
  /// Digests, with those that older builds did not write left out.
  struct Origin: Decodable, Sendable {
    let scenarioDigest, version: String
    let dataDigest, weightsDigest, build, kernel: String?
  }
  let name, scenario: String
  let description: String?
  let seed: UInt64
  let provenance: Origin
  let shards: [String]?
  let commandLine: [String]?
  /// The folder that relative names in the scenario start from, as the command had it.
  let scenarioFolder: String?

  /// ``scenarioFolder``, or where the command's scenario lies, which older builds did not write.
  var startFolder: String {
    if let scenarioFolder { return scenarioFolder }
    let file = commandLine?.first { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }
    let folder = file.map { $0.folderOfPath } ?? ""
    return folder.isEmpty ? "." : folder
  }

  /// - Returns: nil if the folder has none.
  init?(folder: String) throws(DataFileError) {
    let path = folder.isEmpty ? Manifest.fileName : "\(folder)/\(Manifest.fileName)"
    guard let data = FileManager.default.contents(atPath: path) else { return nil }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    guard let found = try? decoder.decode(RecordedManifest.self, from: data) else {
      throw DataFileError(
        file: path, expected: "a manifest of csilink", found: "something else",
        hint: "remove the file to do without it")
    }
    self = found
  }
}
