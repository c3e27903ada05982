/// A decimal number as it is written, `significand · 10^exponent`, so that the steps of a range stay exact.
struct ExactDecimal: Sendable, Equatable {
  var significand: Int
  var exponent: Int

  /// Reads `-5`, `0.1`, `2.5e9`.
  ///
  /// - Returns: nil for anything else, and for numbers with more than 18 digits or an exponent beyond ±18.
  init?(_ text: some StringProtocol) {
    var rest = Substring(text)
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest.removeFirst() }
    var exponent = 0
    if let mark = rest.firstIndex(where: { $0 == "e" || $0 == "E" }) {
      guard let power = Int(rest[rest.index(after: mark)...]), power.magnitude <= 18 else {
        return nil
      }
      exponent = power
      rest = rest[..<mark]
    }
    let parts = rest.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let digits = parts.joined()
    guard !digits.isEmpty, digits.utf8.count <= 18,
      digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
      let magnitude = Int(digits)
    else { return nil }
    if parts.count == 2 { exponent -= parts[1].utf8.count }
    significand = isNegative ? -magnitude : magnitude
    self.exponent = exponent
  }

  init(significand: Int, exponent: Int) {
    self.significand = significand
    self.exponent = exponent
  }

  /// The same number with a smaller exponent; nil if its significand does not fit.
  func scaled(to target: Int) -> Int? {
    var result = significand
    for _ in 0..<max(0, exponent - target) {
      let (product, overflow) = result.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      result = product
    }
    return result
  }

  /// Plain digits without trailing zeros: `0.3`, `-5`, `2500000000`.
  var text: String {
    var digits = String(significand.magnitude)
    if significand == 0 { return "0" }
    if exponent >= 0 {
      digits += String(repeating: "0", count: exponent)
    } else {
      let missing = -exponent + 1 - digits.count
      if missing > 0 { digits = String(repeating: "0", count: missing) + digits }
      digits.insert(".", at: digits.index(digits.endIndex, offsetBy: exponent))
      while digits.last == "0" { digits.removeLast() }
      if digits.last == "." { digits.removeLast() }
    }
    return (significand < 0 ? "-" : "") + digits
  }
}

/// The values `from`, `from + step`, ... up to and including `to`, as decimal texts with their unit.
struct DecimalRange {
  struct Problem: Error {
    var message: String
    var hint: String?
  }

  let texts: [String]
  /// Whether the last value equals `to`.
  let reachesEnd: Bool

  /// - Parameter limit: the largest number of values.
  init(from: String, to: String, step: String, limit: Int) throws(Problem) {
    let (start, startUnit) = try Self.split(from, "from")
    let (end, endUnit) = try Self.split(to, "to")
    let (increment, stepUnit) = try Self.split(step, "step")
    let unit = try Self.commonUnit([(start, startUnit), (end, endUnit), (increment, stepUnit)])
    let exponent = min(start.exponent, end.exponent, increment.exponent)
    guard let first = start.scaled(to: exponent), let last = end.scaled(to: exponent),
      let delta = increment.scaled(to: exponent)
    else { throw Problem(message: "the numbers of a range are too far apart in size") }
    guard delta != 0 else { throw Problem(message: "the step of a range must not be zero") }
    let (distance, overflow) = last.subtractingReportingOverflow(first)
    guard !overflow else {
      throw Problem(message: "the numbers of a range are too far apart in size")
    }
    guard distance == 0 || (distance > 0) == (delta > 0) else {
      throw Problem(
        message: "the step of \(step) leads from \(from) away from \(to)",
        hint: "change the sign of the step, or swap 'from' and 'to'")
    }
    // Int.min / -1 does not fit.
    let (steps, isTooLarge) = distance.dividedReportingOverflow(by: delta)
    guard !isTooLarge, steps < limit else {
      throw Problem(message: "a range of more than \(limit) values")
    }
    texts = (0...steps).map {
      ExactDecimal(significand: first + $0 * delta, exponent: exponent).text + unit
    }
    reachesEnd = distance % delta == 0
  }

  /// The range that `from:to` or `from:step:to` of other languages means; nil for anything else.
  static func matlab(_ text: String) -> String? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard (2...3).contains(parts.count), parts.allSatisfy({ ExactDecimal($0) != nil }) else {
      return nil
    }
    let step = parts.count == 3 ? parts[1] : "1"
    return "{from: \(parts[0]), to: \(parts[parts.count - 1]), step: \(step)}"
  }

  /// A number and what follows it, such as ` dB`.
  private static func split(_ text: String, _ role: String) throws(Problem) -> (
    ExactDecimal, String
  ) {
    // "10 ns", "3e8Hz"
    let head = text.prefix { "+-.0123456789eE".contains($0) }
    if let number = ExactDecimal(head) {
      let unit = text.dropFirst(head.count).drop { $0 == " " }
      return (number, unit.isEmpty ? "" : " \(unit)")
    }
    throw Problem(message: "'\(role)' of a range must be a number, got '\(text)'")
  }

  /// The one unit of the three numbers; zero may stand without.
  private static func commonUnit(_ numbers: [(ExactDecimal, String)]) throws(Problem) -> String {
    let written = Set(
      numbers.filter { $0.0.significand != 0 || !$0.1.isEmpty }.map { $0.1 })
    guard written.count <= 1 else {
      throw Problem(
        message: "the numbers of a range have different units",
        hint: "write from, to and step in the same unit")
    }
    return written.first ?? ""
  }
}
