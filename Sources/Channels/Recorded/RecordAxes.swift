import DataFiles
import Parts

/// What the axes of an array count, in the order of the file.
package struct RecordAxes: Sendable, Equatable {
  /// What an axis of an array counts.
  package enum Name: String, Choice {
    case drop, sample, slot, tone, subcarrier, port, antenna, delay, angle, part, value, one

    /// Other words of the field count as the first of their kind.
    var meaning: Name {
      switch self {
      case .sample: .drop
      case .subcarrier: .tone
      case .antenna: .port
      default: self
      }
    }
  }

  /// Each axis by its first word.
  let names: [Name]

  /// - Throws: ``Complaint`` if the axes are not those of a layout.
  package init(_ names: [Name], _ kind: RecordLayout.Kind) throws(Complaint) {
    self.names = names.map(\.meaning)
    if let text = complaint(kind) { throw Complaint(text: text) }
  }

  /// What is wrong with axes, to follow their key.
  package struct Complaint: Error, CustomStringConvertible {
    let text: String
    package var description: String { text }
  }

  private func count(_ name: Name) -> Int { names.count { $0 == name } }

  /// Axes that a layout has once, and those that it has at most once. Ports or angles may also lie on several axes, those of a panel.
  private func axes(of kind: RecordLayout.Kind) -> (once: [Name], atMost: [Name]) {
    let (row, column) = kind.matrixAxes
    guard kind == .csinet else { return ([row], [column, .slot, .part]) }
    return (count(.value) > 0 ? [.value] : [.part, row, column], [.slot])
  }

  /// Whether a layout has all these axes.
  private func knows(_ kind: RecordLayout.Kind) -> Bool {
    let (once, atMost) = axes(of: kind)
    return Set(names).isSubset(of: Set(once + atMost + [.drop, .one]))
  }

  private func complaint(_ kind: RecordLayout.Kind) -> String? {
    let (once, atMost) = axes(of: kind)
    let known = Set(once + atMost + [.drop, .one])
    let list = names.map(\.rawValue).joined(separator: ", ")
    if let other = names.first(where: { !known.contains($0) }) {
      let knowing = RecordLayout.Kind.allCases.filter(knows)
      let fitting =
        knowing.first { axes(of: $0).once.allSatisfy { count($0) > 0 } } ?? knowing.first
      return "has no axis '\(other)' in layout \(kind.rawValue), got [\(list)]"
        + (fitting.map { "; layout \($0.rawValue) has these axes" } ?? "")
    }
    for name in [.drop] + once where count(name) == 0 {
      return "must name the axis of each \(name), got [\(list)]"
        + (name == .drop ? "; files of one drop each have it behind their axes" : "")
    }
    for name in once + atMost where count(name) > 1 && name != kind.matrixAxes.1 {
      return "names \(name) twice, got [\(list)]"
    }
    return nil
  }

  /// Names for the axes of a shape: axes of length 1 need no name, and those that MATLAB drops at the end may have one.
  ///
  /// - Throws: if the numbers of names and axes do not go together.
  func fitted(to info: ArrayInfo, path: String) throws(DataFileError) -> [Name] {
    let shape = info.shape
    let failure = { (found: String) in
      DataFileError(
        file: path, variable: info.name,
        expected: "an array [\(names.map(\.rawValue).joined(separator: ", "))]", found: found,
        hint:
          "'axes' names every axis in the order of the file: drop (or sample), slot, tone (subcarrier), port (antenna), "
          + "delay, angle, part (real, imaginary), one (length 1); ports of rows and columns, or of polarisations, are several "
          + "axes, as in [drop, tone, port, port]")
    }
    var fitted = names
    if shape.count > names.count {
      let longer = shape.indices.filter { shape[$0] != 1 }
      guard longer.count == names.count else { throw failure(info.description) }
      fitted = shape.map { _ in .one }
      for (axis, name) in zip(longer, names) { fitted[axis] = name }
    }
    for (axis, length) in shape.enumerated() {
      let name = fitted[axis]
      guard length > 0, name != .one || length == 1, name != .part || length == 2 else {
        throw failure("\(info.description), whose axis '\(name)' has length \(length)")
      }
    }
    guard !fitted[shape.count...].contains(.part) else { throw failure(info.description) }
    return fitted
  }
}
