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
  private let readers: [ArrayReader]
  /// First row of each reader, and the end.
  private let starts: [Int]

  /// Bytes of a block of rows, about.
  private static let blockByteCount = 16 << 20

  /// What the user should know: that a manifest beside the file was not used, or what was guessed of the file.
  public let warning: String?

  /// - Parameters:
  ///   - path: an array file, or a folder with a manifest.
  ///   - variable: needed if the file holds several arrays; in a generated data set the channels if nil.
  /// - Throws: also if a folder's data set is incomplete or its files are not those of the manifest.
  public init(_ path: String, variable: String? = nil) throws(DataFileError) {
    self.path = path
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    var name: String?
    if isFolder.boolValue {
      let manifest = try GeneratedFiles.manifest(ofFolder: path)
      (readers, name) = try GeneratedFiles.readers(path, manifest, variable)
      self.manifest = manifest
      warning = nil
    } else {
      let companion = GeneratedFiles.companion(of: path)
      manifest = companion.manifest
      let main = companion.manifest?.arrays[0].name
      readers = [try GeneratedFiles.open(path, variable ?? main)]
      warning = companion.warning ?? readers[0].note
      name = main
    }
    var (starts, info) = ([0], readers[0].info)
    for reader in readers {
      guard reader.info.shape.dropFirst() == info.shape.dropFirst(),
        reader.info.isComplex == info.isComplex, reader.info.elementType == info.elementType
      else {
        throw DataFileError(
          file: reader.path, expected: "rows as in the other shards", found: reader.info.description
        )
      }
      starts.append(starts.last! + reader.info.rowCount)
    }
    if !info.shape.isEmpty { info.shape[0] = starts.last! }
    info.name = info.name ?? name
    (self.starts, self.info) = (starts, info)
  }

  /// Rows of about 16 MiB, at least one; whole chunks where the file has them.
  public var blockRows: Int {
    let rowSize = max(1, info.valuesPerRow * 4)
    let fit = max(1, Self.blockByteCount / rowSize)
    let chunk = readers.map(\.rowsPerChunk).max() ?? 1
    // Chunks much larger than a block are read more than once.
    return chunk < 4 * fit ? (fit + chunk - 1) / chunk * chunk : fit
  }

  /// The values of rows, row-major, complex interleaved.
  ///
  /// - Precondition: `range` lies within `0 ..< info.rowCount`.
  public func rows(_ range: Range<Int>) throws(DataFileError) -> NumericArray.Values {
    var parts: [NumericArray.Values] = []
    for (index, reader) in readers.enumerated() {
      let own = starts[index]..<starts[index + 1]
      let part = range.clamped(to: own)
      guard !part.isEmpty else { continue }
      let rows = part.lowerBound - own.lowerBound..<part.upperBound - own.lowerBound
      parts.append(try reader.rows(rows).values)
    }
    guard parts.count != 1 else { return parts[0] }
    if info.elementType.isDouble {
      return .double(parts.flatMap(\.doubles))
    }
    return .float(parts.flatMap(\.floats))
  }
}

extension ElementType {
  /// Whether values of the type are held in double precision.
  fileprivate var isDouble: Bool { self == .float64 || (isInteger && byteCount > 2) }
}

extension NumericArray.Values {
  /// In single precision, rounded if they are held in double.
  public var floats: [Float] {
    switch self {
    case .float(let values): values
    case .double(let values): values.map { Float($0) }
    }
  }

  fileprivate var doubles: [Double] {
    switch self {
    case .float(let values): values.map { Double($0) }
    case .double(let values): values
    }
  }
}
