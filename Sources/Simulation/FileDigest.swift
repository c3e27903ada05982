import DataFiles
import LinkMath

/// Digests of files, as the first 16 digits of SHA-256.
enum FileDigest {
  static func of(_ path: String) throws -> String { String(try whole(path).sha256.prefix(16)) }

  /// All digits, and the size of the file.
  static func whole(_ path: String) throws -> (sha256: String, bytes: Int) {
    guard let digest = Digest.sha256(ofFile: path) else {
      throw DataFileError(file: path, expected: "a readable file", found: "none")
    }
    return digest
  }
}
