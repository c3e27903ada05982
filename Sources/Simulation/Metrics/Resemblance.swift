/// What a number is nearly equal to, computed from others of the same drop, so that a journal has to keep a small difference only.
///
/// The others have none themselves. Where it is far off, as over several slots, nothing is lost but room.
struct Resemblance: Sendable {
  let numbers: [String]
  let estimate: @Sendable ([Double]) -> Double

  init(_ numbers: DropNumber..., estimate: @escaping @Sendable ([Double]) -> Double) {
    precondition(numbers.allSatisfy { $0.resemblance == nil }, "what resembles is resembled")
    self.numbers = numbers.map(\.name)
    self.estimate = estimate
  }
}

/// A ``Resemblance`` among the numbers of a layout.
struct Likeness {
  private let places: [Int]
  private let estimate: @Sendable ([Double]) -> Double

  /// That of each number; nil where it has none or lacks others that it needs.
  static func all(of names: [String]) -> [Likeness?] {
    names.map { name in
      guard let resemblance = known[name] else { return nil }
      let places = resemblance.numbers.compactMap { names.firstIndex(of: $0) }
      guard places.count == resemblance.numbers.count else { return nil }
      return Likeness(places: places, estimate: resemblance.estimate)
    }
  }

  private static let known = Dictionary(
    uniqueKeysWithValues: MetricRegistry.metrics.flatMap { $0.numbers }.compactMap { number in
      number.resemblance.map { (number.name, $0) }
    })

  /// How many singles a value is behind the estimate, small ones of both signs as small numbers.
  func distance(of value: Float, _ values: [Double], _ row: Int) -> UInt32 {
    let steps = Self.rank(value) &- estimatedRank(values, row)
    return UInt32(bitPattern: (steps << 1) ^ (steps >> 31))
  }

  /// The value at such a distance.
  func value(at distance: UInt32, _ values: [Double], _ row: Int) -> Float {
    let steps = Int32(bitPattern: distance >> 1) ^ -Int32(bitPattern: distance & 1)
    let rank = steps &+ estimatedRank(values, row)
    return Float(bitPattern: UInt32(bitPattern: rank >= 0 ? rank : rank ^ .max))
  }

  private func estimatedRank(_ values: [Double], _ row: Int) -> Int32 {
    let estimate = Float(estimate(places.map { values[row + $0] }))
    return estimate.isFinite ? Self.rank(estimate) : 0
  }

  /// Singles in the order of their values, one step from each to the next.
  private static func rank(_ value: Float) -> Int32 {
    let bits = Int32(bitPattern: value.bitPattern)
    return bits >= 0 ? bits : bits ^ .max
  }
}
