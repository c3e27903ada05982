import Parts

/// How a scenario is run: seed, number of drops, block size and stop rule.
public struct RunSettings: Sendable, Hashable {
  static let seed = Parameter.integer(
    "seed", default: 1, in: 0...Int.max,
    "Seed of every random stream: channels, noise, fitting, training.")
  static let drops = Parameter.integer(
    "drops", default: 1000, in: 2...(1 << 40), "Largest number of drops of each operating point.")
  static let block = Parameter<Int?>.optional(
    "block", .integer(1...4096),
    "Drops computed together, the unit of the journal; chosen from the size of a drop if left out.")
  static let minimum = Parameter.integer(
    "stop.min_drops", default: 100, in: 2...(1 << 40), "Drops before the stop rule is looked at.")
  static let nmse = Parameter<Double?>.optional(
    "stop.nmse_half_width_db", .number(.level, 1e-6...100),
    "Stop once the 95 % interval of nmse_db is this narrow at every point (half width).")
  static let rate = Parameter<Double?>.optional(
    "stop.rate_half_width", .number(.plain, 1e-9...100),
    "Stop once the 95 % interval of the rate is this narrow at every point (half width, bit/s/Hz).")
  static let worst = Parameter.integer(
    "worst", default: 0, in: 0...100_000,
    "Drops with the largest NMSE of each operating point that worst.csv names; 'csilink replay' runs them again."
  )
  static let schema = PartSchema(
    .run, "run", "Seed, number of drops and stop rule.",
    parameters: [
      seed.declaration, drops.declaration, block.declaration, minimum.declaration,
      nmse.declaration, rate.declaration, worst.declaration,
    ])

  /// Seed of every random stream.
  public let seed: UInt64
  /// Largest number of drops of each operating point.
  public internal(set) var maximumDrops: Int
  /// Drops computed together; nil to choose from the size of a drop.
  public let blockSize: Int?
  /// Drops with the largest errors that are kept of each operating point.
  public let worst: Int
  let stop: StopRule

  init(_ settings: Settings) {
    seed = UInt64(settings[Self.seed])
    maximumDrops = settings[Self.drops]
    blockSize = settings[Self.block]
    worst = settings[Self.worst]
    stop = StopRule(
      minimumDrops: settings[Self.minimum], nmseHalfWidthDB: settings[Self.nmse],
      rateHalfWidth: settings[Self.rate])
  }
}

/// When all operating points are known well enough; looked at after each block, in block order.
struct StopRule: Sendable, Hashable {
  let minimumDrops: Int
  let nmseHalfWidthDB: Double?
  let rateHalfWidth: Double?

  func isMet(_ folds: [PointFold], drops: Int) -> Bool {
    guard nmseHalfWidthDB != nil || rateHalfWidth != nil, drops >= minimumDrops else {
      return false
    }
    return folds.allSatisfy { fold in
      (nmseHalfWidthDB.map { limit in fold.nmseHalfWidthDB.map { $0 <= limit } ?? false } ?? true)
        && (rateHalfWidth.map { limit in fold.rateHalfWidth.map { $0 <= limit } ?? false } ?? true)
    }
  }
}
