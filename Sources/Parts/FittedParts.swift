import LinkMath

/// Drops that do not determine what a part should learn, or an artefact that is not of this part.
public struct FittingError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Name of the part.
  public let part: String
  /// What is missing or wrong.
  public let reason: String
  /// Where the part stands, and how many drops it was fitted on; nil if that is not known.
  public let place: String?

  /// An error of a part.
  public init(part: String, reason: String, place: String? = nil) {
    self.part = part
    self.reason = reason
    self.place = place
  }

  /// Place, part and reason in one line.
  public var description: String { (place.map { "\($0): " } ?? "") + "\(part): \(reason)" }
}

extension Artefact? {
  /// An array of the artefact that a part was fitted with.
  ///
  /// - Parameter shape: sizes by axis; nil accepts any size.
  /// - Throws: ``FittingError`` if there is no artefact, no such array, another shape or a non-finite value.
  package func array(_ name: String, shape: [Int?], for part: String) throws(FittingError)
    -> RealArray
  {
    guard let array = self?[name] else {
      throw FittingError(part: part, reason: "the fitted artefact has no array '\(name)'")
    }
    let fits =
      array.shape.count == shape.count
      && zip(array.shape, shape).allSatisfy { $1 == nil || $0 == $1 }
    guard fits else {
      let wanted = shape.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
      throw FittingError(
        part: part, reason: "the fitted '\(name)' has shape \(array.shape), expected [\(wanted)]")
    }
    guard array.withUnsafeElements({ $0.allSatisfy(\.isFinite) }) else {
      throw FittingError(part: part, reason: "the fitted '\(name)' holds a non-finite value")
    }
    return array
  }
}

/// The keys below `fit:` of every part that learns from drops.
package enum FitParameters {
  /// The number of drops to learn from.
  package static let drops = Parameter.integer(
    "fit.drops", default: 4000, in: 1...10_000_000,
    "Drops that the part is fitted on; they come from their own random domain.")
  /// The channel to learn from, true or estimated.
  package static let source = Parameter<Fitting.Source>.choice(
    "fit.source", default: .truth,
    "Whether the fitted drops carry the true channel or the estimate of the scenario's pilots.")

  /// Both keys, for the schema of a part.
  package static let declarations = [drops.declaration, source.declaration]

  /// A fitting whose signature covers these keys and what the part adds.
  package static func fitting(
    _ settings: Settings, signature: String, shapes: [String: [Int]],
    makeFitter: @escaping @Sendable () -> any Fitter
  ) -> Fitting {
    let (drops, source) = (settings[drops], settings[source])
    return Fitting(
      dropCount: drops, source: source,
      signature:
        "\(settings.section.rawValue) \(settings.part) \(signature) drops=\(drops) source=\(source)",
      shapes: shapes, makeFitter: makeFitter)
  }
}
