/// What values a parameter accepts.
public indirect enum ValueKind: Sendable, Hashable {
  /// `true` or `false`.
  case flag
  /// A whole number in a range.
  case integer(ClosedRange<Int>)
  /// A number in a range, in the unit of its dimension; scenarios may write it with a unit.
  case number(Dimension, ClosedRange<Double>)
  /// One of some words.
  case choice([String])
  /// One of the words, which may have settings of its own behind it in braces: `acrnet {expansion: 4}`; whoever reads it
  /// checks those.
  case name([String])
  /// Any text.
  case text
  /// A file, relative to the folder of the scenario that names it.
  case file
  /// A list of values of one kind, whose length lies in a range.
  case list(ValueKind, count: ClosedRange<Int>)
  /// The first of several kinds that fits.
  case either([ValueKind])
}

/// A parameter as the scenario reader, `csilink list` and the documentation see it.
public struct ParameterDeclaration: Sendable, Hashable {
  /// What happens when the scenario does not mention the parameter.
  public enum Absence: Sendable, Hashable {
    /// The scenario must give it.
    case required
    /// The part works without it; the documentation says how.
    case unset
    /// The value that is taken instead.
    case value(Setting)
  }

  /// Key in the scenario; a dot descends into a nested mapping (`fit.drops`).
  public let key: String
  /// What values it accepts.
  public let kind: ValueKind
  /// What happens if the scenario leaves it out.
  public let absence: Absence
  /// One sentence with the meaning, the symbol and the source.
  public let documentation: String

  /// Whether a value that was written for this parameter of one part also fits that of another: the same key with the same
  /// values, or with the same meaning in other bounds.
  public func isSame(as other: ParameterDeclaration) -> Bool {
    key == other.key && (kind == other.kind || documentation == other.documentation)
  }
}

/// A typed handle for one parameter of a part: declares it and reads it from ``Settings``.
///
/// ```swift
/// static let snr = Parameter.number("snr_db", .level, default: 20, in: -100...200, "Pilot SNR.")
/// let linear = pow(10, settings[Self.snr] / 10)
/// ```
public struct Parameter<Value: Sendable>: Sendable {
  /// The parameter as the reader and the documentation see it.
  public let declaration: ParameterDeclaration
  let read: @Sendable (Setting?) -> Value?

  /// Key in the scenario.
  public var key: String { declaration.key }

  init(
    _ key: String, _ kind: ValueKind, _ absence: ParameterDeclaration.Absence,
    _ documentation: String, read: @escaping @Sendable (Setting?) -> Value?
  ) {
    declaration = ParameterDeclaration(
      key: key, kind: kind, absence: absence, documentation: documentation)
    self.read = read
  }
}

extension Parameter where Value: SettingValue {
  /// A parameter of any kind; without a default the scenario must give it.
  public init(
    _ key: String, _ kind: ValueKind, default value: Value? = nil, _ documentation: String
  ) {
    self.init(
      key, kind, value.map { .value($0.setting) } ?? .required, documentation,
      read: { $0.flatMap(Value.init(setting:)) })
  }
}

extension Parameter {
  /// A parameter that may be left out, read as nil then.
  public static func optional<Wrapped: SettingValue>(
    _ key: String, _ kind: ValueKind, _ documentation: String
  ) -> Parameter where Value == Wrapped? {
    Parameter(
      key, kind, .unset, documentation,
      read: { $0.map { Wrapped(setting: $0) } ?? .some(nil) })
  }
}

extension Parameter where Value == Double {
  /// A real number, in SI base units, degrees or dB by its dimension; required without a default.
  public static func number(
    _ key: String, _ dimension: Dimension = .plain, default value: Double? = nil,
    in range: ClosedRange<Double> = -Double
      .greatestFiniteMagnitude...Double.greatestFiniteMagnitude,
    _ documentation: String
  ) -> Parameter {
    Parameter(key, .number(dimension, range), default: value, documentation)
  }
}

extension Parameter where Value == Int {
  /// A whole number; required without a default.
  public static func integer(
    _ key: String, default value: Int? = nil, in range: ClosedRange<Int>, _ documentation: String
  ) -> Parameter {
    Parameter(key, .integer(range), default: value, documentation)
  }
}

extension Parameter where Value == Bool {
  /// A yes or no.
  public static func flag(_ key: String, default value: Bool, _ documentation: String) -> Parameter
  {
    Parameter(key, .flag, default: value, documentation)
  }
}

extension Parameter where Value: Choice {
  /// One word of a fixed set; required without a default.
  public static func choice(
    _ key: String, default value: Value? = nil, _ documentation: String
  ) -> Parameter {
    Parameter(key, .choice(Value.allCases.map(\.rawValue)), default: value, documentation)
  }
}
