/// Parts of a path, as text. Foundation's own end the program for a path of one character (Swift 6.3 on Linux).
extension String {
  /// Before the last name; empty for a name alone, "/" for one at the root. Slashes at the end do not count.
  package var folderOfPath: String {
    let parts = trimmedPath
    guard let slash = parts.lastIndex(of: "/") else { return "" }
    let folder = parts[..<slash]
    return slash == parts.startIndex ? "/" : String(folder).trimmedPathText
  }

  /// The last name, without slashes at the end; "/" for the root.
  package var nameOfPath: String {
    let parts = trimmedPath
    guard let slash = parts.lastIndex(of: "/"), parts.count > 1 else { return String(parts) }
    return String(parts[parts.index(after: slash)...])
  }

  /// The path without the ending of its last name; a name that begins with its only dot has none.
  package var withoutEnding: String {
    let ending = endingOfPath
    return ending.isEmpty ? trimmedPathText : String(trimmedPath.dropLast(ending.count + 1))
  }

  /// What stands behind the last dot of the last name; empty without one.
  package var endingOfPath: String {
    let name = nameOfPath
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
    return String(name[name.index(after: dot)...])
  }

  /// As a word of a command that can be pasted: in double quotes if a shell would take it apart.
  package var inShell: String {
    let plain = allSatisfy { $0.isLetter || $0.isNumber || "-_./,:=+@%".contains($0) }
    return plain && !isEmpty
      ? self : "\"" + replacing(/["$`\\]/) { "\\" + $0.output } + "\""
  }

  private var trimmedPath: Substring {
    var path = self[...]
    while path.count > 1, path.last == "/" { path.removeLast() }
    return path
  }

  private var trimmedPathText: String { String(trimmedPath) }
}
