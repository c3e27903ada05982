import DataFiles
import Foundation

/// The files that a manifest names, which must be what it says.
enum GeneratedFiles {
  /// - Throws: if there is no manifest, or the data set is not finished.
  static func manifest(ofFolder path: String) throws(DataFileError) -> DatasetManifest {
    guard let manifest = try DatasetManifest.read("\(path)/\(DatasetManifest.fileName)") else {
      throw DataFileError(
        file: path, expected: "an array file, or a folder with \(DatasetManifest.fileName)",
        found: "a folder without")
    }
    guard manifest.isComplete else {
      throw DataFileError(
        file: path, expected: "\(manifest.drops) drops", found: "a data set that is not finished",
        hint: "run 'csilink data generate' again; it goes on")
    }
    return manifest
  }

  /// The main array of every shard, or another one by name.
  static func readers(
    _ folder: String, _ manifest: DatasetManifest, _ variable: String?
  ) throws(DataFileError) -> ([ArrayReader], name: String) {
    let names = manifest.arrays.map(\.name)
    guard let index = variable.map({ names.firstIndex(of: $0) }) ?? 0 else {
      throw DataFileError(
        file: folder, variable: variable, expected: "one of the arrays",
        found: names.joined(separator: ", "))
    }
    var readers: [ArrayReader] = []
    for shard in manifest.shards {
      let hasAll = shard.files.count == 1
      let file = shard.files[hasAll ? 0 : index]
      let path = "\(folder)/\(file.name)"
      let size = Self.size(of: path)
      guard size == file.bytes else {
        throw failure(
          path, "\(file.bytes) bytes as in the manifest", size.map { "\($0)" } ?? "no such file")
      }
      let reader = try open(path, hasAll && names.count > 1 ? names[index] : nil)
      guard fits(reader.info, manifest.arrays[index].info(drops: shard.drops)) else {
        let expected = manifest.arrays[index].info(drops: shard.drops)
        throw failure(path, "\(expected) as in the manifest", reader.info.description)
      }
      readers.append(reader)
    }
    return (readers, names[index])
  }

  /// The manifest beside a single file, if it is that of the file.
  ///
  /// - Returns: with a warning instead if it is a manifest of csilink, but not of this file as it is.
  static func companion(of path: String) -> (manifest: DatasetManifest?, warning: String?) {
    let place = "\(path).json"
    guard let data = FileManager.default.contents(atPath: place),
      let head = try? JSONDecoder().decode(Head.self, from: data),
      head.format == DatasetManifest.currentFormat
    else { return (nil, nil) }
    let ignored = { (reason: String) in "\(place) is not used: \(reason)" }
    do throws(DataFileError) {
      guard let manifest = try DatasetManifest.read(place) else { return (nil, nil) }
      guard manifest.isComplete else { return (nil, ignored("it is of a file not yet finished")) }
      let file = manifest.shards[0].files[0]
      let name = manifest.arrays[0].name
      guard manifest.shards.count == 1, file.name == path.nameOfPath,
        file.bytes == size(of: path),
        fits(try open(path, name).info, manifest.arrays[0].info(drops: manifest.drops))
      else { return (nil, ignored("its name, size or shape is not that of the file")) }
      return (manifest, nil)
    } catch {
      return (nil, ignored("\(error)"))
    }
  }

  private struct Head: Decodable { let format: String }

  /// Opens a variable if the format has names.
  static func open(_ path: String, _ variable: String?) throws(DataFileError) -> ArrayReader {
    let arrays = try ArrayFile.list(path)
    let isUnnamed = arrays.count == 1 && arrays[0].name == nil
    return try ArrayFile.open(path, variable: isUnnamed ? nil : variable)
  }

  private static func size(of path: String) -> Int? {
    (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int
  }

  /// Whether an array has the rows that were written; .mat and .csv have two axes at least.
  private static func fits(_ found: ArrayInfo, _ written: ArrayInfo) -> Bool {
    found.rowCount == written.rowCount && found.valuesPerRow == written.valuesPerRow
  }

  private static func failure(
    _ path: String, _ expected: String, _ found: String
  ) -> DataFileError {
    DataFileError(
      file: path, expected: expected, found: found,
      hint: "run 'csilink data generate' again; it draws damaged shards anew")
  }
}
