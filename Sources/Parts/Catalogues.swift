/// What parts choose from by words in their settings, one value for each type: families of networks, parts of a training.
///
/// A program that brings more of a kind puts its own value in place of the standard one with
/// ``PartRegistry/with(_:schema:)``; parts find it in ``LinkContext/catalogues``.
public struct Catalogues: Sendable {
  private var values: [ObjectIdentifier: any Sendable] = [:]

  /// None: parts use the standard ones.
  public init() {}

  /// The catalogue of a type; nil for the standard one.
  public subscript<Catalogue: Sendable>(_ type: Catalogue.Type) -> Catalogue? {
    get { values[ObjectIdentifier(type)] as? Catalogue }
    set { values[ObjectIdentifier(type)] = newValue }
  }
}
