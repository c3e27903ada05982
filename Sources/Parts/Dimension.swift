/// What a number in a scenario measures, and the units it may be written in.
///
/// Inside the program every quantity is in SI base units (seconds, hertz, metres, metres per second) except angles
/// (degrees, as in the tables of TR 38.901) and levels (decibels, converted to linear where they are used).
public enum Dimension: String, Sendable, Hashable, CaseIterable {
  case plain, time, frequency, length, speed, angle, level

  /// Unit names a scenario may use, each with its size in the base unit; the base unit comes first.
  public var units: [(name: String, size: Double)] {
    switch self {
    case .plain: []
    case .time: [("s", 1), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9)]
    case .frequency: [("Hz", 1), ("kHz", 1e3), ("MHz", 1e6), ("GHz", 1e9)]
    case .length: [("m", 1), ("km", 1e3), ("cm", 1e-2), ("mm", 1e-3)]
    case .speed: [("m/s", 1), ("km/h", 1 / 3.6)]
    case .angle: [("deg", 1)]
    case .level: [("dB", 1)]
    }
  }

  /// Whether a bare number is refused: it would be ambiguous between several units.
  public var requiresUnit: Bool { units.count > 1 }

  /// The value in the base unit of a text such as `100 ns`, `3 km/h` or `-5`.
  ///
  /// - Returns: nil if the text is not a number followed by a unit of this dimension. Zero needs no unit.
  public func parse(_ text: String) -> Double? {
    let trimmed = text.trimmingSpaces()
    if let bare = Double(trimmed) {
      return requiresUnit && bare != 0 ? nil : bare
    }
    // Longest unit name first, so that "ms" is not read as "m" followed by "s".
    for unit in units.sorted(by: { $0.name.count > $1.name.count })
    where trimmed.hasSuffix(unit.name) {
      let head = String(trimmed.dropLast(unit.name.count)).trimmingSpaces()
      if let number = Double(head) { return number * unit.size }
    }
    return nil
  }

  /// A text that ``parse(_:)`` reads back, in the largest unit that keeps the number at or above one.
  public func format(_ value: Double) -> String {
    guard requiresUnit else { return shortest(value) }
    let unit =
      units.sorted { $0.size > $1.size }.first { abs(value) >= $0.size } ?? units[0]
    let scaled = value / unit.size
    let text = shortest(scaled)
    // Dividing can lose the last bit; the base unit always round-trips.
    if let back = Double(text), back * unit.size == value { return "\(text) \(unit.name)" }
    return "\(shortest(value)) \(units[0].name)"
  }

  private func shortest(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
  }
}

extension String {
  func trimmingSpaces() -> String {
    String(
      drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }
}
