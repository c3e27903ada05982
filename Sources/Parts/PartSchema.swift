/// A section of a scenario: the stages of the link in the order in which a drop passes them, then how to train, run and report.
public enum Section: String, Sendable, Hashable, CaseIterable, Comparable {
  /// Tones, spacing and carrier.
  case grid
  /// Channel model or recorded channels.
  case channel
  /// How the BS sounds the channel.
  case pilots
  /// How the UE estimates it.
  case estimator
  /// To the domain in which CSI is compressed.
  case transform
  /// To the scale of the codec.
  case normaliser
  /// Encoder and decoder.
  case codec
  /// From reals to symbols.
  case quantizer
  /// From symbols to bits.
  case coder
  /// The uplink that carries the report.
  case feedback
  /// Slots, report period, delays and speed.
  case timing
  /// What the BS believes between reports.
  case prediction
  /// Transmit weights and data SNR.
  case precoder
  /// How the networks of the scenario are trained.
  case training
  /// Seed, number of drops, stop rule.
  case run
  /// What the metrics of the report refer to.
  case report
  /// Metrics, whose columns `report.columns` asks for; scenarios have no such section.
  case metric

  /// The sections below `link:`.
  public static let stages = allCases.filter { !besides.contains($0) && $0 != .metric }

  /// The sections beside `link:`.
  public static let besides: [Section] = [.training, .run, .report]

  /// The order of the link.
  public static func < (a: Section, b: Section) -> Bool { a.position < b.position }
  private var position: Int { Section.allCases.firstIndex(of: self)! }
}

/// The description of one pluggable part: its name in scenarios, what it does, what it can be told.
public struct PartSchema: Sendable {
  /// The stage that the part is one of.
  public let section: Section
  /// The word after `type:`; a section with a single part does not need it.
  public let name: String
  /// One sentence for lists of parts.
  public let summary: String
  /// Paper, standard and equation.
  public let reference: String
  /// The keys of the part, in the order of lists.
  public let parameters: [ParameterDeclaration]

  /// The description of a part; the parameters are the properties.
  public init(
    _ section: Section, _ name: String, _ summary: String, reference: String = "",
    parameters: [ParameterDeclaration] = []
  ) {
    self.section = section
    self.name = name
    self.summary = summary
    self.reference = reference
    self.parameters = parameters
  }

  /// The parameter with that key; nil if there is none.
  public func parameter(_ key: String) -> ParameterDeclaration? {
    parameters.first { $0.key == key }
  }

  /// Whether a key is a parameter, or the beginning of one (`fit` of `fit.drops`).
  public func knows(_ key: String) -> Bool {
    parameters.contains { $0.key == key || $0.key.hasPrefix(key + ".") }
  }

  /// Everything that keeps values from being settings of this part: unknown keys first, then in the order of the parameters.
  public func problems(_ given: [String: Setting]) -> [SettingsError] {
    let unknown = given.keys.sorted().filter { parameter($0) == nil }.map {
      SettingsError(part: name, key: $0, reason: "\(section) '\(name)' has no such key")
    }
    return unknown
      + parameters.compactMap { parameter in
        guard let value = given[parameter.key] else {
          return parameter.absence == .required
            ? SettingsError(
              part: name, key: parameter.key, reason: "is required: \(parameter.kind.expectation)")
            : nil
        }
        return parameter.kind.accepts(value)
          ? nil
          : SettingsError(
            part: name, key: parameter.key,
            reason: "must be \(parameter.kind.expectation), got \(value.canonical)")
      }
  }

  /// Settings of this part with every default filled in.
  ///
  /// - Throws: ``SettingsError`` for an unknown key, a value of the wrong kind or range, or a required key left out: the
  ///   first of ``problems(_:)``.
  public func settings(_ given: [String: Setting] = [:]) throws(SettingsError) -> Settings {
    if let problem = problems(given).first { throw problem }
    var values = given
    for parameter in parameters where given[parameter.key] == nil {
      if case .value(let value) = parameter.absence { values[parameter.key] = value }
    }
    return Settings(section: section, part: name, values: values)
  }
}

/// A complaint about one key of one part; the scenario reader adds file, line and column.
public struct SettingsError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Name of the part that complains.
  public let part: String
  /// Key that the complaint is about; empty if it is about the section.
  public let key: String
  /// What is wrong, to be read after the key.
  public let reason: String
  /// A way out, if one is known.
  public let hint: String?
  /// Index of the value that is meant, where the key has a list; nil for the key as a whole.
  public let element: Int?

  /// A complaint; the reason continues "part.key".
  public init(
    part: String, key: String, reason: String, hint: String? = nil, element: Int? = nil
  ) {
    self.part = part
    self.key = key
    self.reason = reason
    self.hint = hint
    self.element = element
  }

  /// Key, reason and hint in one line.
  public var description: String { "\(part).\(key) \(reason)" + (hint.map { " (\($0))" } ?? "") }
}

/// The checked configuration of one part, every default filled in.
public struct Settings: Sendable, Hashable {
  /// The section that the part belongs to.
  public let section: Section
  /// Name of the part.
  public let part: String
  /// The values by key; a key that was left out and has no default is absent.
  public let values: [String: Setting]

  init(section: Section, part: String, values: [String: Setting]) {
    self.section = section
    self.part = part
    self.values = values
  }

  /// The same with another value of a key, which must be one that its parameter takes.
  package func replacing(_ key: String, with value: Setting) -> Settings {
    Settings(section: section, part: part, values: values.merging([key: value]) { $1 })
  }

  /// The value of a declared parameter.
  ///
  /// - Precondition: the parameter belongs to the schema these settings were made from.
  public subscript<Value>(_ parameter: Parameter<Value>) -> Value {
    guard let value = parameter.read(values[parameter.key]) else {
      preconditionFailure("\(section).\(part) does not declare '\(parameter.key)' of this type")
    }
    return value
  }

  /// One line per key, sorted: equal settings give equal texts.
  public var canonical: String { canonical(without: []) }

  /// The same without some keys.
  public func canonical(without hidden: Set<String>) -> String {
    let lines = values.keys.filter { !hidden.contains($0) }.sorted().map {
      "\(section.rawValue).\($0)=\(values[$0]!.canonical)"
    }
    return (["\(section.rawValue)=\(part)"] + lines).joined(separator: "\n")
  }
}
