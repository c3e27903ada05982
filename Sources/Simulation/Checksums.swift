import DataFiles
import Foundation

/// The digests of files in a folder, kept beside them in `SHA256SUMS` as `sha256sum --check` reads them.
struct Checksums {
  private static let fileName = "SHA256SUMS"
  private let path: String
  /// Digests by file name.
  private var digests: [String: String] = [:]

  /// Reads the digests of a folder; none if there are none.
  ///
  /// - Throws: `DataFileError` for a file of another form.
  init(_ folder: String) throws(DataFileError) {
    path = "\(folder)/\(Self.fileName)"
    guard let bytes = FileManager.default.contents(atPath: path) else { return }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    for (index, line) in lines.enumerated() {
      guard let match = line.wholeMatch(of: /([0-9a-f]{64})  (.+)/) else {
        throw DataFileError(
          file: path, expected: "a digest and a file name in line \(index + 1)",
          found: "'\(line.prefix(80))'", hint: "delete the file; what it names is made again")
      }
      digests[String(match.2)] = String(match.1)
    }
  }

  private func name(_ file: String) -> String { file.nameOfPath }

  subscript(_ file: String) -> String? { digests[name(file)] }

  func has(_ file: String) -> Bool { self[file] != nil }

  /// Writes down the digests of new files.
  mutating func note(_ files: [String]) throws {
    for file in files { digests[name(file)] = try FileDigest.whole(file).sha256 }
    let lines = digests.sorted { $0.key < $1.key }.map { "\($0.value)  \($0.key)\n" }
    try AtomicFile.write(lines.joined(), to: path)
  }

  /// - Throws: `DataFileError` for a file with other bytes than it was written with.
  func check(_ files: [String]) throws {
    for file in files where try FileDigest.whole(file).sha256 != self[file] {
      throw DataFileError(
        file: file, expected: "the bytes that were written", found: "others",
        hint: "the file was changed or damaged; it is made again once it is deleted")
    }
  }
}
