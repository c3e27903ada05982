import DataFiles
import Foundation

/// One array of a file, or of all shards of a folder that `data generate` made, read by rows.
public struct RecordSource: Sendable {
  /// The array file, or the folder of shards.
  public let path: String
  /// The rows of all shards together.
  public let info: ArrayInfo
  /// What is known of a data set that was generated.
  public let manifest: DatasetManifest?
  private let shards: [ArrayReader]
  /// The shards as one array; they may be such only when their axes are arranged.
  private let whole: Result<ArrayReader, DataFileError>

  /// Bytes of a block of rows, about.
  private static let blockByteCount = 16 << 20

  /// What the user should know: that a manifest beside the file was not used, or what was guessed of the file.
  public let warning: String?

  /// - Parameters:
  ///   - path: an array file, or a folder of shards, with a manifest or without.
  ///   - variable: needed if the file holds several arrays; in a generated data set the channels if nil.
  /// - Throws: also if a folder's data set is incomplete or its files are not those of the manifest.
  public init(_ path: String, variable: String? = nil) throws(DataFileError) {
    self.path = path
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    var name: String?
    let isGenerated = FileManager.default.fileExists(
      atPath: "\(path)/\(DatasetManifest.fileName)")
    if isFolder.boolValue, !isGenerated {
      var readers: [ArrayReader] = []
      for file in try ArrayFile.shards(of: path) {
        readers.append(try GeneratedFiles.open(file, variable))
      }
      shards = readers
      (manifest, warning) = (nil, readers.lazy.compactMap(\.note).first)
    } else if isFolder.boolValue {
      let manifest = try GeneratedFiles.manifest(ofFolder: path)
      (shards, name) = try GeneratedFiles.readers(path, manifest, variable)
      self.manifest = manifest
      warning = nil
    } else {
      let companion = GeneratedFiles.companion(of: path)
      manifest = companion.manifest
      let main = companion.manifest?.arrays[0].name
      shards = [try GeneratedFiles.open(path, variable ?? main)]
      warning = companion.warning ?? shards[0].note
      name = main
    }
    whole = Self.joined(shards, path)
    var info = (try? whole.get())?.info ?? shards[0].info
    info.name = info.name ?? name
    self.info = info
  }

  /// Whether there is one file, whose array is as it lies there.
  var isOneArray: Bool { shards.count == 1 }

  /// The first shard alone, whose axes are those of all.
  var shardInfo: ArrayInfo {
    var info = shards[0].info
    info.name = info.name ?? self.info.name
    return info
  }

  private init(_ source: RecordSource, _ shards: [ArrayReader]) throws(DataFileError) {
    (path, manifest, warning) = (source.path, source.manifest, source.warning)
    self.shards = shards
    whole = Self.joined(shards, path)
    var info = try whole.get().info
    info.name = info.name ?? source.info.name
    self.info = info
  }

  private static func joined(
    _ shards: [ArrayReader], _ path: String
  ) -> Result<ArrayReader, DataFileError> {
    do throws(DataFileError) {
      return .success(try ArrayReader.joined(shards, path: path))
    } catch {
      return .failure(error)
    }
  }

  /// The same with each shard as `arrange` gives it.
  ///
  /// - Throws: if they are not one array then.
  func arranged(
    _ arrange: (ArrayReader) throws(DataFileError) -> ArrayReader
  ) throws(DataFileError) -> RecordSource {
    var arranged: [ArrayReader] = []
    for shard in shards { arranged.append(try arrange(shard)) }
    return try RecordSource(self, arranged)
  }

  /// Rows of about 16 MiB, at least one; whole chunks where the file has them.
  public var blockRows: Int {
    let rowSize = max(1, info.valuesPerRow * 4)
    let fit = max(1, Self.blockByteCount / rowSize)
    let chunk = (try? whole.get())?.rowsPerChunk ?? 1
    // Chunks much larger than a block are read more than once.
    return chunk < 4 * fit ? (fit + chunk - 1) / chunk * chunk : fit
  }

  /// The values of rows, row-major, complex interleaved.
  ///
  /// - Precondition: `range` lies within `0 ..< info.rowCount`.
  public func rows(_ range: Range<Int>) throws(DataFileError) -> NumericArray.Values {
    try whole.get().rows(range).values
  }
}
