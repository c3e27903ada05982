/// One file or folder, or several that belong together, such as the two halves of a network that another program saved one by one.
public struct FilePaths: SettingValue, Hashable {
  /// As they are written, in their order; at least one.
  public let paths: [String]

  /// - Parameter paths: at least one.
  public init(_ paths: [String]) {
    precondition(!paths.isEmpty)
    self.paths = paths
  }

  /// What scenarios may write: `a.pth` or `[a.pth, b.pth]`.
  public static let oneOrTwo = ValueKind.either([.file, .list(.file, count: 1...2)])

  public init?(setting: Setting) {
    if let path = String(setting: setting) {
      paths = [path]
    } else if let paths = [String](setting: setting), !paths.isEmpty {
      self.paths = paths
    } else {
      return nil
    }
  }

  public var setting: Setting { paths.count == 1 ? paths[0].setting : paths.setting }

  /// Each path changed, such as made absolute.
  public func map(_ transform: (String) throws -> String) rethrows -> FilePaths {
    FilePaths(try paths.map(transform))
  }

  /// As it is written in a scenario.
  public var text: String { setting.canonical }
}

extension ValueKind {
  /// The files that a setting of this kind names.
  package func files(_ setting: Setting) -> [String] {
    switch (self, setting) {
    case (.file, .text(let path)): [path]
    case (.list(let element, _), .list(let values)): values.flatMap { element.files($0) }
    case (.either(let kinds), _): kinds.first { $0.accepts(setting) }?.files(setting) ?? []
    default: []
    }
  }
}
