import DataFiles
import Foundation

/// What `data generate` says of a file or of the shards of a folder: layout, axes and the angular-delay transform behind them.
///
/// A single file `h.npy` has its manifest in `h.npy.json`, the shards of a folder have theirs in `manifest.json`. A manifest
/// that does not name the file is not looked at.
struct GeneratedTransform: Sendable {
  /// Path of the manifest.
  let manifest: String
  /// Files with the channels, in the order of their drops.
  let files: [String]
  /// Name of the channels in files with names.
  let variable: String?
  /// Layout of the channels and their axes; nil if the manifest does not tell.
  let layout: RecordLayout.Kind?
  let axes: [RecordAxes.Name]?
  let grid: Grid

  struct Grid: Decodable, Sendable {
    /// Delay rows before delay zero.
    let guardRows: Int
    let angleDft: String
    let angleShift: Int
    /// Angles of layout csinet.
    let ports: Int?
  }

  private struct Manifest: Decodable {
    struct Shard: Decodable {
      struct File: Decodable { let name: String }
      let files: [File]
    }
    struct Array: Decodable {
      let name: String
      let axes: [String]
    }
    let format: String
    let grid: Grid
    let shards: [Shard]
    let isComplete: Bool?
    let layout: String?
    let arrays: [Array]?
  }

  /// - Returns: nil without a manifest of the file or folder.
  /// - Throws: for a manifest whose numbers cannot be, or of a data set that is not finished.
  static func of(_ path: String) throws(DataFileError) -> GeneratedTransform? {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    let name = path.nameOfPath
    let folder = isFolder.boolValue ? path : path.folderOfPath
    let shared = (folder.isEmpty || folder.hasSuffix("/") ? folder : folder + "/") + "manifest.json"
    for place in isFolder.boolValue ? [shared] : [path + ".json", shared] {
      guard let data = FileManager.default.contents(atPath: place),
        let manifest = try? decoder.decode(Manifest.self, from: data),
        manifest.format.hasPrefix("csilink dataset "),
        isFolder.boolValue
          || manifest.shards.contains(where: { $0.files.contains { $0.name == name } })
      else { continue }
      return try GeneratedTransform(manifest, place, isFolder.boolValue ? nil : path)
    }
    return nil
  }

  /// - Parameter file: the file that is read; all shards if nil.
  private init(_ manifest: Manifest, _ place: String, _ file: String?) throws(DataFileError) {
    let grid = manifest.grid
    guard (0..<1 << 20).contains(grid.guardRows), abs(grid.angleShift) <= 4096,
      AngularDelaySynthesis.AngleDFT(rawValue: grid.angleDft) != nil
    else {
      throw DataFileError(
        file: place, expected: "guard rows and angles of a transform",
        found: "\(grid.guardRows), \(grid.angleDft), \(grid.angleShift)",
        hint: "the manifest was edited or is damaged; generate the data set again")
    }
    guard file != nil || (manifest.isComplete == true && !manifest.shards.isEmpty) else {
      throw DataFileError(
        file: place, expected: "a finished data set", found: "one with shards missing",
        hint: "run 'csilink data generate' again; it goes on")
    }
    let folder = place.folderOfPath
    let names = manifest.shards.compactMap { $0.files.first?.name }
    files = file.map { [$0] } ?? names.map { folder.isEmpty ? $0 : "\(folder)/\($0)" }
    let main = manifest.arrays?.first
    layout = manifest.layout.flatMap { RecordLayout.Kind(rawValue: $0) }
    let axes = main?.axes.compactMap { RecordAxes.Name(rawValue: $0) }
    self.axes = axes?.count == main?.axes.count ? axes : nil
    (self.manifest, variable, self.grid) = (place, main?.name, grid)
  }
}
