import Foundation

/// What a number in a scenario measures, and the units it may be written in.
///
/// Inside the program every quantity is in SI base units (seconds, hertz, metres, metres per second) except angles
/// (degrees, as in the tables of TR 38.901) and levels (decibels, converted to linear where they are used).
public enum Dimension: String, Sendable, Hashable, CaseIterable {
  /// A number without a unit.
  case plain
  /// Seconds.
  case time
  /// Hertz.
  case frequency
  /// Metres.
  case length
  /// Metres per second.
  case speed
  /// Degrees.
  case angle
  /// Decibels.
  case level

  /// Unit names a scenario may use, each with its size in the base unit; the base unit comes first.
  public var units: [(name: String, size: Double)] {
    scales.map { ($0.name, $0.size.inBaseUnit(1)) }
  }

  private enum Scale {
    case powerOfTen(Int)
    case fraction(Double)

    func inBaseUnit(_ number: Double) -> Double {
      switch self {
      case .powerOfTen(let exponent):
        // Powers of ten are exact, their inverses are not.
        exponent < 0 ? number / pow(10, Double(-exponent)) : number * pow(10, Double(exponent))
      case .fraction(let divisor): number / divisor
      }
    }

    /// The double nearest to what the text says: `0.1` of 10^-6 is read as `0.1e-6`, so that 0.1 us equals 100 ns.
    func inBaseUnit(_ text: String) -> Double? {
      guard let number = Double(text), number.isFinite else { return nil }
      let parts = text.split(maxSplits: 1) { $0 == "e" || $0 == "E" }
      let power = parts.count == 2 ? Int(parts[1]) : 0
      guard case .powerOfTen(let exponent) = self, let power, power.magnitude < 1000 else {
        return inBaseUnit(number)
      }
      return Double("\(parts[0])e\(power + exponent)")
    }

    func inThisUnit(_ value: Double) -> Double {
      switch self {
      case .powerOfTen(let exponent):
        Scale.powerOfTen(-exponent).inBaseUnit("\(value)") ?? value
      case .fraction(let divisor): value * divisor
      }
    }
  }

  private var scales: [(name: String, size: Scale)] {
    switch self {
    case .plain: []
    case .time:
      [
        ("s", .powerOfTen(0)), ("ms", .powerOfTen(-3)), ("us", .powerOfTen(-6)),
        ("ns", .powerOfTen(-9)),
      ]
    case .frequency:
      [
        ("Hz", .powerOfTen(0)), ("kHz", .powerOfTen(3)), ("MHz", .powerOfTen(6)),
        ("GHz", .powerOfTen(9)),
      ]
    case .length:
      [
        ("m", .powerOfTen(0)), ("km", .powerOfTen(3)), ("cm", .powerOfTen(-2)),
        ("mm", .powerOfTen(-3)),
      ]
    case .speed: [("m/s", .powerOfTen(0)), ("km/h", .fraction(3.6))]
    case .angle: [("deg", .powerOfTen(0))]
    case .level: [("dB", .powerOfTen(0))]
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
    for unit in scales.sorted(by: { $0.name.count > $1.name.count })
    where trimmed.hasSuffix(unit.name) {
      let head = String(trimmed.dropLast(unit.name.count)).trimmingSpaces()
      if let number = unit.size.inBaseUnit(head) { return number }
    }
    return nil
  }

  /// A text that ``parse(_:)`` reads back, in the largest unit that keeps the number at or above one.
  public func format(_ value: Double) -> String {
    guard requiresUnit else { return shortest(value) }
    let unit =
      scales.sorted { $0.size.inBaseUnit(1) > $1.size.inBaseUnit(1) }
      .first { abs(value) >= $0.size.inBaseUnit(1) } ?? scales[0]
    let text = "\(shortest(unit.size.inThisUnit(value))) \(unit.name)"
    // Dividing can lose the last bit; the base unit always round-trips.
    return parse(text) == value ? text : "\(shortest(value)) \(scales[0].name)"
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
