import Foundation

/// A text with scenario content: a file, a preset, or a value of `--set`.
public final class SourceText: Sendable, Hashable {
  /// As printed in front of a diagnostic.
  public let name: String
  let text: String
  /// False for `--set`, whose name already shows the whole text.
  let hasLines: Bool
  /// Folder of this source seen from the folder of the scenario: empty, or ending in a slash.
  let folder: String
  /// 0 for the scenario itself, then counting up along `extends`; overrides come before it, presets last.
  let layer: Int
  static let presetLayer = 1000
  var isPreset: Bool { layer == Self.presetLayer }
  private let lines: [String]

  init(_ text: String, name: String, folder: String = "", layer: Int, hasLines: Bool = true) {
    self.name = name
    self.text = text
    self.hasLines = hasLines
    self.folder = folder
    self.layer = layer
    lines = hasLines ? text.yamlLines() : []
  }

  func line(_ number: Int) -> String? {
    lines.indices.contains(number - 1) ? lines[number - 1] : nil
  }

  /// Equal names and equal texts.
  public static func == (a: SourceText, b: SourceText) -> Bool {
    a.name == b.name && a.text == b.text
  }
  /// Hashes the name.
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension String {
  /// The lines as YAML counts them.
  fileprivate func yamlLines() -> [String] {
    // A Character holds "\r\n" as one.
    split(omittingEmptySubsequences: false) { "\n\r\u{85}\u{2028}\u{2029}\r\n".contains($0) }
      .map(String.init)
  }
}

extension SourceText {
  /// Larger than any scenario; keeps a wrong file name (`drops.npz`) from filling the memory.
  static let sizeLimit = 256 * 1024

  /// The reason why a file cannot be a scenario, with the position in it where there is one.
  struct Unreadable: Error {
    var reason: String
    var line = 0
    var column = 0
  }

  /// The checked text of a file: UTF-8, no control characters, no byte order mark.
  static func load(_ path: String) throws(Unreadable) -> String {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw Unreadable(reason: "no such file")
    }
    guard !isDirectory.boolValue else {
      throw Unreadable(reason: "is a folder, not a scenario file")
    }
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw Unreadable(reason: "cannot be opened: permission denied")
    }
    defer { try? handle.close() }
    let bytes: Data
    do {
      bytes = try handle.read(upToCount: sizeLimit + 1) ?? Data()
    } catch {
      throw Unreadable(reason: "cannot be read: \(error.localizedDescription)")
    }
    return try checked(Array(bytes))
  }

  static func checked(_ bytes: [UInt8]) throws(Unreadable) -> String {
    guard bytes.count <= sizeLimit else {
      throw Unreadable(
        reason: "is larger than \(sizeLimit / 1024) KiB, which no scenario file should be")
    }
    let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
    let content = bytes.starts(with: byteOrderMark) ? bytes[3...] : bytes[...]
    var (line, column) = (1, 1)
    var decoder = UTF8()
    var iterator = content.makeIterator()
    decoding: while true {
      switch decoder.decode(&iterator) {
      case .emptyInput: break decoding
      case .error:
        throw Unreadable(reason: "is not UTF-8 text", line: line, column: column)
      case .scalarValue(let scalar):
        guard scalar.isAllowedInYAML else {
          let code = String(scalar.value, radix: 16, uppercase: true)
          throw Unreadable(
            reason: "contains the control character U+\(code)", line: line, column: column)
        }
        (line, column) = scalar == "\n" ? (line + 1, 1) : (line, column + 1)
      }
    }
    return String(decoding: content, as: UTF8.self)
  }
}

extension Unicode.Scalar {
  /// c-printable of YAML 1.2, section 5.1.
  fileprivate var isAllowedInYAML: Bool {
    switch value {
    case 0x9, 0xA, 0xD, 0x20...0x7E, 0x85, 0xA0...0xD7FF, 0xE000...0xFFFD, 0x10000...:
      value != 0xFEFF
    default: false
    }
  }
}
