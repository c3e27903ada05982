/// Errors that are told together, such as those of two files that belong together.
public struct SeveralErrors: Error, CustomStringConvertible {
  /// At least two, no two with the same text.
  public let errors: [any Error]

  /// One below the other.
  public var description: String { errors.map { "\($0)" }.joined(separator: "\n") }

  /// Some errors as one: the error itself where all say the same, nil for none.
  ///
  /// Errors that are several themselves are taken one by one.
  package static func joined(_ errors: [any Error]) -> (any Error)? {
    var seen: Set<String> = []
    let all = errors.flatMap { ($0 as? SeveralErrors)?.errors ?? [$0] }
      .filter { seen.insert("\($0)").inserted }
    return all.count > 1 ? SeveralErrors(errors: all) : all.first
  }
}

extension Sequence {
  /// The results of all elements.
  ///
  /// - Throws: what `transform` throws, of all elements at once: ``SeveralErrors`` if they are several.
  package func mapAll<Result>(_ transform: (Element) throws -> Result) throws -> [Result] {
    var results: [Result] = []
    var errors: [any Error] = []
    for element in self {
      do {
        results.append(try transform(element))
      } catch {
        errors.append(error)
      }
    }
    if let error = SeveralErrors.joined(errors) { throw error }
    return results
  }
}
