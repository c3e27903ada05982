import Foundation

extension Dimension {
  /// What a text that was refused may have meant: the number in a unit in which it lies within the range.
  ///
  /// - Parameters:
  ///   - text: what was written: a number without a unit, with the unit in other letters, or in a unit that takes it out
  ///     of the range.
  ///   - range: what the parameter accepts, in the base unit.
  ///   - usual: a value of usual size in the base unit, such as the default; of several units the nearest to it is named.
  /// - Returns: a question or a request that ends a message; nil if the text holds no number or no unit helps.
  public func hint(for text: String, in range: ClosedRange<Double>, near usual: Double?) -> String?
  {
    let trimmed = text.trimmingSpaces()
    guard !units.isEmpty, let (number, word) = Self.split(trimmed) else { return nil }
    if word.isEmpty {
      guard requiresUnit, Double(number) != 0 else { return nil }
      return best(among: units.map(\.name), number, in: range, near: usual)
        .map { "add a unit, for example '\($0)'" }
    }
    let written = units.map(\.name).filter { isMeant($0, by: word) }
    let others = units.map(\.name).filter { !written.contains($0) }
    let meant =
      best(among: written, number, in: range, near: usual)
      ?? (written.isEmpty ? nil : best(among: others, number, in: range, near: usual))
    guard let meant, parse(meant) != parse(trimmed) else { return nil }
    return "did you mean '\(meant)'?"
  }

  /// The number that a text begins with, and what follows.
  private static func split(_ text: String) -> (number: String, unit: String)? {
    let number = text.prefix { $0.isNumber || "+-.eE".contains($0) }
    // The `e` of a number belongs to it only if it can be read with it.
    for count in stride(from: number.count, to: 0, by: -1) {
      let head = String(text.prefix(count))
      guard let value = Double(head), value.isFinite else { continue }
      return (head, String(text.dropFirst(count)).trimmingSpaces())
    }
    return nil
  }

  /// Whether a word is a unit's name in other letters, its beginning (`k` for `kHz`) or a common other name.
  private func isMeant(_ unit: String, by word: String) -> Bool {
    let (unit, word) = (unit.lowercased(), word.lowercased())
    return word == unit || Self.otherNames[unit, default: []].contains(word)
      || (word.count < unit.count && requiresUnit && unit.hasPrefix(word))
  }

  private static let otherNames: [String: Set<String>] = [
    "us": ["µs", "μs", "usec"], "ns": ["nsec"], "ms": ["msec"], "s": ["sec", "seconds"],
    "km/h": ["kmh", "kph", "km/hr"], "m/s": ["mps", "ms"],
    "deg": ["°", "degree", "degrees"], "db": ["decibel", "decibels"],
  ]

  /// A size in the middle of a range on a scale of ratios; nil for a range without bounds.
  private func middle(of range: ClosedRange<Double>) -> Double? {
    guard range.upperBound > 0, range.upperBound < Double.greatestFiniteMagnitude else {
      return nil
    }
    return range.lowerBound > 0
      ? (range.lowerBound * range.upperBound).squareRoot() : range.upperBound / 1000
  }

  /// The number in the unit that keeps it within the range, the nearest to the usual size on a scale of ratios.
  private func best(
    among names: [String], _ number: String, in range: ClosedRange<Double>, near usual: Double?
  ) -> String? {
    let fitting = names.compactMap { name -> (text: String, distance: Double)? in
      let text = "\(number) \(name)"
      guard let value = parse(text), range.contains(value) else { return nil }
      let usual = usual.flatMap { $0 == 0 ? nil : $0 } ?? middle(of: range)
      guard let usual, value != 0 else { return (text, 0) }
      return (text, abs(log(abs(value / usual))))
    }
    // The first of equal ones.
    return fitting.enumerated()
      .min { ($0.element.distance, $0.offset) < ($1.element.distance, $1.offset) }?.element.text
  }
}
