import DataFiles
import Datasets
import Foundation
import LinkMath

/// The names of the files, and what an earlier call left of them.
extension DatasetGeneration {
  /// Where the files lie.
  var folder: String {
    guard isFile else { return output }
    let parent = output.folderOfPath
    return parent.isEmpty ? "." : parent
  }

  /// Where the manifest is: in the folder, or beside a single file.
  public var manifestPath: String {
    isFile ? "\(output).json" : "\(output)/\(DatasetManifest.fileName)"
  }

  /// The extension of the files, of a single file as the user wrote it.
  var suffix: String {
    isFile ? output.endingOfPath : request.format.rawValue
  }

  /// The name without extension of the file with the channels from a drop on.
  func stem(_ first: Int) -> String {
    guard !isFile else {
      return output.nameOfPath.withoutEnding
    }
    let digits = String(first)
    return "drops-" + String(repeating: "0", count: max(0, 9 - digits.count)) + digits
  }

  /// Whether a name is one that this or, in a folder, any generation gives its files of arrays.
  private func isOwn(_ name: String) -> Bool {
    let isFormat =
      isFile ? name.endingOfPath == suffix : DatasetRequest.Format(of: name) != nil
    guard isFormat, !name.contains("/") else { return false }
    var start = name.withoutEnding
    if let level = ArrayFile.levelNames.first(where: { start.hasSuffix("-" + $0) }) {
      start.removeLast(level.count + 1)
    }
    return isFile ? start == stem(0) : start.wholeMatch(of: /drops-[0-9]{9,}/) != nil
  }

  private var names: [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
  }

  /// Shards of an earlier call with the same recipe.
  ///
  /// - Parameter isReplacing: whether files without a manifest are given up.
  func found(
    _ plan: DatasetManifest, replacing isReplacing: Bool
  ) throws(DataFileError) -> [DatasetManifest.Shard] {
    var isFolder: ObjCBool = false
    if isFile, FileManager.default.fileExists(atPath: output, isDirectory: &isFolder),
      isFolder.boolValue
    {
      throw DataFileError(
        file: output, expected: "the name of a file", found: "a folder",
        hint: "choose another output, or end the name in / to write into the folder")
    }
    guard let old = try DatasetManifest.read(manifestPath) else {
      if !isReplacing, let name = names.sorted().first(where: isOwn) {
        throw DataFileError(
          file: "\(folder)/\(name)", expected: "no file of that name without a manifest",
          found: "one that is not known to be of this data set",
          hint: "choose another output, or replace it (--fresh)")
      }
      return []
    }
    guard !old.shards.isEmpty else { return [] }
    guard old.recipe == plan.recipe, old.drops <= plan.drops else {
      throw DataFileError(
        file: manifestPath,
        expected: old.recipe == plan.recipe
          ? "at most the \(plan.drops) drops that are asked for"
          : "a data set of this scenario and these options",
        found: old.recipe == plan.recipe ? "\(old.drops)" : "another one",
        hint: "choose another output, or replace it (--fresh)")
    }
    return old.shards
  }

  func isIntact(_ shard: DatasetManifest.Shard) throws -> Bool {
    for file in shard.files {
      let path = folder + "/" + file.name
      guard FileManager.default.fileExists(atPath: path) else { return false }
      if try FileDigest.whole(path).sha256 != file.sha256 { return false }
    }
    return true
  }

  /// Removes the manifest and those files it names that a generation makes.
  ///
  /// - Throws: if the manifest is none of a data set; nothing is removed then.
  func discard() throws(DataFileError) {
    let old: DatasetManifest?
    do throws(DataFileError) {
      old = try DatasetManifest.read(manifestPath)
    } catch {
      throw DataFileError(
        file: error.file, expected: error.expected, found: error.found,
        hint: "only data sets are replaced; remove the file, or choose another output")
    }
    guard let old else { return }
    for file in old.shards.flatMap(\.files) where isOwn(file.name) {
      try? FileManager.default.removeItem(atPath: folder + "/" + file.name)
    }
    try? FileManager.default.removeItem(atPath: manifestPath)
  }

  /// Removes the temporary files of a process that was killed.
  func removeLeftovers() {
    let manifest = manifestPath.nameOfPath
    AtomicFile.removeLeftovers(in: folder) { $0 == manifest || isOwn($0) }
  }
}
