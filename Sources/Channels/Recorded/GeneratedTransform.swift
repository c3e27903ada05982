import DataFiles
import Foundation

/// The angular-delay transform behind a file that `data generate` made, as the manifest beside it tells.
///
/// A single file `h.npy` has its manifest in `h.npy.json`, the shards of a folder have theirs in `manifest.json`. A manifest
/// that does not name the file is not looked at.
struct GeneratedTransform: Decodable, Sendable {
  /// Delay rows before delay zero.
  let guardRows: Int
  let angleDft: String
  let angleShift: Int

  private struct Manifest: Decodable {
    struct Shard: Decodable {
      struct File: Decodable { let name: String }
      let files: [File]
    }
    let format: String
    let grid: GeneratedTransform
    let shards: [Shard]
  }

  /// - Returns: the manifest's path and what it says; nil without one.
  /// - Throws: for a manifest of the file whose numbers cannot be.
  static func of(_ path: String) throws(DataFileError) -> (
    manifest: String, transform: GeneratedTransform
  )? {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let name = (path as NSString).lastPathComponent
    let folder = (path as NSString).deletingLastPathComponent
    let places = [path + ".json", (folder.isEmpty ? "" : folder + "/") + "manifest.json"]
    for place in places {
      guard let data = FileManager.default.contents(atPath: place),
        let manifest = try? decoder.decode(Manifest.self, from: data),
        manifest.format.hasPrefix("csilink dataset "),
        manifest.shards.contains(where: { $0.files.contains { $0.name == name } })
      else { continue }
      let grid = manifest.grid
      guard (0..<1 << 20).contains(grid.guardRows), abs(grid.angleShift) <= 4096,
        AngularDelaySynthesis.AngleDFT(rawValue: grid.angleDft) != nil
      else {
        throw DataFileError(
          file: place, expected: "guard rows and angles of a transform",
          found: "\(grid.guardRows), \(grid.angleDft), \(grid.angleShift)",
          hint: "the manifest was edited or is damaged; generate the data set again")
      }
      return (place, grid)
    }
    return nil
  }
}
