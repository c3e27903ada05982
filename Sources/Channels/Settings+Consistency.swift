import Parts

/// Checks between keys that every channel model needs.
extension Settings {
  /// - Throws: if an optional key is given although nothing would read it.
  func refuse<Value>(
    _ parameter: Parameter<Value?>, unless applies: Bool, _ condition: String
  ) throws(SettingsError) {
    if !applies && values[parameter.key] != nil {
      throw SettingsError(
        part: part, key: parameter.key, reason: "only has a meaning with \(condition)",
        hint: "remove it, or set \(condition)")
    }
  }

  /// - Throws: if an optional key is missing that another setting calls for.
  func require<Value>(
    _ parameter: Parameter<Value?>, because reason: String
  ) throws(SettingsError) -> Value {
    guard let value = self[parameter] else {
      throw SettingsError(
        part: part, key: parameter.key, reason: "is required: \(reason)",
        hint: parameter.declaration.documentation)
    }
    return value
  }
}
