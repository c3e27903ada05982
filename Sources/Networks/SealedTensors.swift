import DataFiles
import LinkMath

/// Safetensors files whose content is checked when they are read: the metadata carry a digest of all texts and tensors.
///
/// For files that the program keeps for itself, where a changed byte would silently change results.
public enum SealedTensors {
  private static let key = "sha256"

  /// Writes a file whole or not at all.
  public static func write(
    _ arrays: [NumericArray], metadata: [String: String], to path: String
  ) throws(DataFileError) {
    var metadata = metadata
    metadata[key] = seal(arrays, metadata)
    try ArrayFile.write(arrays, metadata: metadata, to: path)
  }

  /// Reads a file that ``write(_:metadata:to:)`` wrote.
  ///
  /// - Throws: `DataFileError` if it is damaged or was changed.
  public static func read(_ path: String) throws -> TensorFile {
    let file = try TensorFile(path: path)
    var metadata = file.metadata
    guard let found = metadata.removeValue(forKey: key),
      found == seal(Array(file.tensors.values), metadata)
    else {
      throw DataFileError(
        file: path, expected: "the content that csilink wrote", found: "another one",
        hint: "the file was changed or damaged; it is made again once it is deleted")
    }
    return file
  }

  private static func seal(_ arrays: [NumericArray], _ metadata: [String: String]) -> String {
    var digest = Digest()
    func add(_ text: String, _ digest: inout Digest) {
      var line = text + "\n"
      line.withUTF8 { digest.update(UnsafeRawBufferPointer($0)) }
    }
    for (key, text) in metadata.sorted(by: { $0.key < $1.key }) {
      add("\(key.utf8.count) \(key) \(text.utf8.count) \(text)", &digest)
    }
    for array in arrays.sorted(by: { ($0.name ?? "") < ($1.name ?? "") }) {
      add("\(array.name ?? "") \(array.elementType.rawValue) \(array.shape)", &digest)
      switch array.values {
      case .float(let values): values.withUnsafeBytes { digest.update($0) }
      case .double(let values): values.withUnsafeBytes { digest.update($0) }
      }
    }
    return digest.finish()
  }
}
