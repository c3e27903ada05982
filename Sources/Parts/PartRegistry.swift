/// Every part that a scenario can name, with the types behind them: what the scenario reader checks against, what a link is
/// made of and what `csilink list` prints.
public struct PartRegistry: Sendable {
  private var schemas: [Section: [PartSchema]]
  private let defaults: [Section: String]
  private var types: [Section: [String: any Part.Type]] = [:]
  /// What parts choose from, where it is not the standard one.
  public private(set) var catalogues = Catalogues()

  /// Sections that are only read: nothing can be made of them.
  ///
  /// - Parameters:
  ///   - schemas: all parts, in the order in which a section lists them.
  ///   - defaults: the part of a section that is absent or has no `type`. A section with a single part needs none;
  ///     a section with several parts and no default must be given.
  /// - Precondition: names are unique within a section, no key is the name of another part (a key that is its part's name
  ///   stands for the part), and every default names a part.
  public init(_ schemas: [PartSchema], defaults: [Section: String] = [:]) {
    self.schemas = Dictionary(grouping: schemas, by: \.section)
    self.defaults = defaults
    for (section, parts) in self.schemas {
      precondition(
        Set(parts.map(\.name)).count == parts.count, "two parts of \(section) share a name")
      for (part, other) in parts.flatMap({ part in parts.map { (part, $0) } }) {
        precondition(
          part.name == other.name || part.parameter(other.name) == nil,
          "\(section) '\(part.name)' has a key with the name of another part, '\(other.name)'")
      }
    }
    for (section, name) in defaults {
      precondition(part(name, of: section) != nil, "\(section) has no part '\(name)'")
    }
  }

  /// The parts of a link, and the sections beside them that are no parts.
  public init(
    _ parts: [any Part.Type], schemas: [PartSchema] = [], defaults: [Section: String] = [:]
  ) {
    self.init(schemas + parts.map { $0.schema }, defaults: defaults)
    for part in parts { types[part.schema.section, default: [:]][part.schema.name] = part }
  }

  /// The same with more parts, which scenarios name like the others.
  ///
  /// - Precondition: as ``init(_:defaults:)``: a name that its section has not yet.
  public func adding(_ parts: any Part.Type...) -> PartRegistry {
    var larger = PartRegistry(
      schemas.values.flatMap { $0 } + parts.map { $0.schema }, defaults: defaults)
    larger.types = types
    larger.catalogues = catalogues
    for part in parts { larger.types[part.schema.section, default: [:]][part.schema.name] = part }
    return larger
  }

  /// The same with another catalogue, and the schema of the part whose keys name its entries.
  ///
  /// - Precondition: the section has a part of the schema's name.
  public func with<Catalogue: Sendable>(_ catalogue: Catalogue, schema: PartSchema)
    -> PartRegistry
  {
    var other = self
    other.catalogues[Catalogue.self] = catalogue
    let place = parts(of: schema.section).firstIndex { $0.name == schema.name }
    guard let place else { preconditionFailure("\(schema.section) has no '\(schema.name)'") }
    other.schemas[schema.section]![place] = schema
    return other
  }

  /// The type behind a section's settings.
  ///
  /// - Precondition: the settings were read against this registry, of a section that has parts.
  public func type(of settings: Settings) -> any Part.Type {
    type(of: settings.section, named: settings.part)
  }

  /// The type of a section's part.
  ///
  /// - Precondition: the section has a part of that name, which is no mere schema.
  public func type(of section: Section, named name: String) -> any Part.Type {
    guard let type = types[section]?[name] else {
      preconditionFailure("no \(section) named '\(name)'")
    }
    return type
  }

  /// The sections that have parts, in the order of the link.
  public var sections: [Section] { schemas.keys.sorted() }

  /// The parts of a section in the order in which it lists them; empty if there are none.
  public func parts(of section: Section) -> [PartSchema] { schemas[section] ?? [] }

  /// The part of that name; nil if the section has none.
  public func part(_ name: String, of section: Section) -> PartSchema? {
    parts(of: section).first { $0.name == name }
  }

  /// The part of a section that is absent or has no `type`; nil if such a section is an error.
  public func defaultPart(of section: Section) -> PartSchema? {
    let parts = parts(of: section)
    return defaults[section].flatMap { part($0, of: section) }
      ?? (parts.count == 1 ? parts[0] : nil)
  }
}
