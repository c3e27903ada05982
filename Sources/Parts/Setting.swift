/// One value of a scenario after units were resolved: what a part is configured with.
public enum Setting: Sendable, Hashable {
  /// `true` or `false`.
  case flag(Bool)
  /// A whole number.
  case integer(Int)
  /// A real number, in SI base units, degrees or dB.
  case number(Double)
  /// A word, a text or a file name.
  case text(String)
  /// Values in order.
  case list([Setting])

  /// The number of a `.number` or `.integer`.
  public var asNumber: Double? {
    switch self {
    case .number(let value): value
    case .integer(let value): Double(value)
    default: nil
    }
  }

  /// A canonical text: equal settings give equal texts, on any machine.
  public var canonical: String {
    switch self {
    case .flag(let value): value ? "true" : "false"
    case .integer(let value): String(value)
    case .number(let value):
      value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    case .text(let value): value
    case .list(let values): "[" + values.map(\.canonical).joined(separator: ", ") + "]"
    }
  }
}

/// A Swift type that a setting can be read into.
public protocol SettingValue: Sendable {
  /// The value that a setting holds; nil if it is of another kind.
  init?(setting: Setting)
  /// The value as a setting.
  var setting: Setting { get }
}

extension Bool: SettingValue {
  public init?(setting: Setting) {
    guard case .flag(let value) = setting else { return nil }
    self = value
  }
  public var setting: Setting { .flag(self) }
}

extension Int: SettingValue {
  public init?(setting: Setting) {
    guard case .integer(let value) = setting else { return nil }
    self = value
  }
  public var setting: Setting { .integer(self) }
}

extension Double: SettingValue {
  public init?(setting: Setting) {
    guard let value = setting.asNumber else { return nil }
    self = value
  }
  public var setting: Setting { .number(self) }
}

extension String: SettingValue {
  public init?(setting: Setting) {
    guard case .text(let value) = setting else { return nil }
    self = value
  }
  public var setting: Setting { .text(self) }
}

extension Array: SettingValue where Element: SettingValue {
  public init?(setting: Setting) {
    guard case .list(let values) = setting else { return nil }
    let elements = values.compactMap(Element.init(setting:))
    guard elements.count == values.count else { return nil }
    self = elements
  }
  public var setting: Setting { .list(map(\.setting)) }
}

/// A value chosen from a fixed set of words, such as `pilot_power: unitary`.
public protocol Choice: SettingValue, RawRepresentable<String>, CaseIterable {}

extension Choice {
  /// The case whose raw value is the setting's text; nil for another kind or an unknown word.
  public init?(setting: Setting) {
    guard case .text(let word) = setting else { return nil }
    self.init(rawValue: word)
  }
  /// The raw value as a text.
  public var setting: Setting { .text(rawValue) }
}
