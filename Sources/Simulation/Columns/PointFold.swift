import LinkMath

/// What the statistics of a point need to know of its link; constants of the operating point.
public struct PointConstants: Sendable, Hashable {
  /// Swept values in axis order; nil where the axis does not apply.
  public var coordinates: [String?]
  /// Users of a drop.
  public var users: Int
  /// Bits of one report, the largest number if they vary; nil without bits.
  public var payloadBits: Int?
  /// Whether reports have different numbers of bits.
  public var payloadVaries: Bool
  /// Quantised values of one report; 0 without a quantiser.
  public var quantizedValues: Int
  /// Reports of a drop.
  public var reportsPerDrop: Int
  /// Mean rate of wrong bits of the feedback link, as its model has it.
  public var bitErrorRate: Double
  /// Share of the reports that the feedback link loses.
  public var lossRate: Double
  /// Whether the drops lie in one environment that the run's seed drew.
  public var sharesEnvironment: Bool
  /// Whether CSI has the energy of the channel, but for what is cut off.
  public var keepsEnergy: Bool
  /// Whether reconstructions are directions only.
  public var givesDirections: Bool
  /// Whether the BS learns the gain that the normaliser took out.
  public var givesScale: Bool
  /// Of the principal components of what the codec sees; nil if no column asks for them.
  public var inputVariances: [Double]?
  /// Of the symbols of a codeword, in bits; nil without symbols or if no column asks for it.
  public var symbolEntropy: Double?

  /// The constants of a point; the parameters are the properties.
  package init(
    coordinates: [String?], users: Int = 1, payloadBits: Int?, payloadVaries: Bool = false,
    quantizedValues: Int,
    reportsPerDrop: Int, bitErrorRate: Double, lossRate: Double = 0,
    sharesEnvironment: Bool = false, keepsEnergy: Bool = true, givesDirections: Bool = false,
    givesScale: Bool = true, inputVariances: [Double]? = nil, symbolEntropy: Double? = nil
  ) {
    self.coordinates = coordinates
    self.users = users
    self.payloadBits = payloadBits
    self.payloadVaries = payloadVaries
    self.quantizedValues = quantizedValues
    self.reportsPerDrop = reportsPerDrop
    self.bitErrorRate = bitErrorRate
    self.lossRate = lossRate
    self.sharesEnvironment = sharesEnvironment
    self.keepsEnergy = keepsEnergy
    self.givesDirections = givesDirections
    self.givesScale = givesScale
    self.inputVariances = inputVariances
    self.symbolEntropy = symbolEntropy
  }

  /// Whether the BS has CSI of the channel's scale.
  public var knowsScale: Bool { keepsEnergy && !givesDirections && givesScale }
}

/// The statistics of one operating point; drops are added in drop order.
///
/// Means are over drops, of the mean over the users of a drop, because users that are served together depend on each other;
/// quantiles are over all users of all drops.
public struct PointFold: Sendable {
  /// What is the same for all drops of the point.
  public let constants: PointConstants
  /// Why the run ended.
  public private(set) var stopReason = StopReason.drops
  /// Drops added, those without energy included.
  public private(set) var drops = 0
  /// Drops without energy, left out of all means; of drops with several users, their channels without energy.
  public private(set) var zeroEnergyDrops = 0
  private let columns: [Column]
  /// Where each number stands; also in the arrays below.
  private let places: [DropNumber: Int]
  private var means: [RunningMean]
  private var maxima: [Double]
  /// Of the numbers whose intervals a column asks for.
  private var intervals: [DropMean?]
  private var quantiles: [QuantileSketch?]
  /// Places of what tells that reports of a drop were harmed.
  private let harms: [Int]
  private var harmedDrops = 0

  /// Statistics that have seen no drop.
  package init(
    _ constants: PointConstants, numbers: [DropNumber] = DropNumber.standard,
    columns: [Column] = Column.standard
  ) {
    self.constants = constants
    self.columns = columns
    places = Dictionary(zip(numbers, numbers.indices)) { first, _ in first }
    means = numbers.map { _ in RunningMean() }
    maxima = numbers.map { _ in -.infinity }
    let spread = Set(columns.flatMap(\.intervals))
    intervals = numbers.map { spread.contains($0) ? DropMean() : nil }
    let sorted = Set(columns.flatMap(\.quantiles))
    quantiles = numbers.map { sorted.contains($0) ? QuantileSketch() : nil }
    harms = [DropNumber.bitErrors, .lostReports].compactMap { [places] in places[$0] }
  }

  /// Adds the drops of a block. A number that a drop or a user does not have, NaN, is left out of its own statistics only.
  package mutating func add(_ block: BlockMetrics, point: Int) {
    for drop in 0..<block.dropCount {
      drops += 1
      let rows = (0..<constants.users).map { user in
        block.layout.offset(
          point: point, row: user * block.dropCount + drop, drops: block.dropCount)
      }
      for place in means.indices { add(block.values, rows, place) }
      zeroEnergyDrops += rows.count { row in
        means.indices.allSatisfy { block.values[row + $0].isNaN }
      }
      if rows.contains(where: { row in harms.contains { block.values[row + $0] > 0 } }) {
        harmedDrops += 1
      }
    }
  }

  /// Adds one number of all users of a drop.
  private mutating func add(_ values: [Double], _ rows: [Int], _ place: Int) {
    var (sum, count) = (0.0, 0)
    for row in rows where !values[row + place].isNaN {
      sum += values[row + place]
      count += 1
      maxima[place] = max(maxima[place], values[row + place])
      quantiles[place]?.add(values[row + place])
    }
    guard count > 0 else { return }
    means[place].add(sum / Double(count))
    intervals[place]?.add(sum / Double(count))
  }

  /// Mean over the drops that have the number; nil if none has it.
  public func mean(of number: DropNumber) -> Double? {
    guard let mean = places[number].map({ means[$0] }), mean.count > 0 else { return nil }
    return mean.mean
  }

  /// The largest value of all users of all drops; nil if none has the number.
  public func largest(of number: DropNumber) -> Double? {
    places[number].flatMap { means[$0].count > 0 ? maxima[$0] : nil }
  }

  /// Mean bits of a report; nil without bits.
  public var meanPayloadBits: Double? {
    guard constants.payloadVaries else { return constants.payloadBits.map(Double.init) }
    return mean(of: .sentBits).map { $0 / Double(constants.reportsPerDrop) }
  }

  /// Statistics of the mean of a number.
  ///
  /// - Precondition: a column of the report asks for intervals of the number.
  private func spread(of number: DropNumber) -> DropMean {
    guard let mean = places[number].flatMap({ intervals[$0] }) else {
      preconditionFailure("a column names the numbers whose intervals it needs: \(number)")
    }
    return mean
  }

  /// 95 % interval of the mean of a number; nil below two drops.
  ///
  /// - Precondition: a column of the report asks for intervals of the number.
  public func interval(of number: DropNumber) -> ClosedRange<Double>? {
    spread(of: number).interval
  }

  /// How many equal drops would leave the mean of a number as uncertain; nil without a positive value.
  ///
  /// - Precondition: as ``interval(of:)``.
  public func effectiveDrops(of number: DropNumber) -> Double? {
    spread(of: number).effectiveCount
  }

  /// The smallest value that at least a share p of the drops does not exceed; nil if no drop has the number.
  ///
  /// - Precondition: a column of the report asks for quantiles of the number.
  public func quantile(_ p: Double, of number: DropNumber) -> Double? {
    guard let sketch = places[number].flatMap({ quantiles[$0] }) else {
      preconditionFailure("a column names the numbers whose quantiles it needs: \(number)")
    }
    return sketch.quantile(p)
  }

  /// Whether the drops determine the interval of a number.
  ///
  /// - Precondition: as ``interval(of:)``.
  public func isReliable(_ number: DropNumber) -> Bool {
    let mean = spread(of: number)
    // The drops of one drawn environment say nothing of how environments differ.
    guard let interval = mean.interval, mean.isDetermined, !constants.sharesEnvironment
    else { return false }
    // Rare errors of the feedback link carry the mean once they are there, and do not show before: fewer than five
    // harmed drops are enough only if the errors to come cannot move the mean by a tenth of the interval.
    let harmed = min(
      constants.bitErrorRate * Double((constants.payloadBits ?? 0) * constants.reportsPerDrop)
        + constants.lossRate * Double(constants.reportsPerDrop), 1)
    let harm = number.whenHarmed ?? mean.mean
    let width = interval.upperBound - interval.lowerBound
    return harmedDrops >= 5 || harmed * harm <= 0.05 * width
  }

  /// Half the width of the 95 % interval of `nmse_db`; nil while it has no finite lower end or is not reliable.
  package var nmseHalfWidthDB: Double? {
    guard isReliable(.errorRatio), let interval = interval(of: .errorRatio), interval.lowerBound > 0
    else { return nil }
    return (decibels(interval.upperBound) - decibels(interval.lowerBound)) / 2
  }

  /// Half the width of the 95 % interval of the rate, in bit/s/Hz; nil while it is not reliable.
  package var rateHalfWidth: Double? {
    guard isReliable(.rate) else { return nil }
    return interval(of: .rate).map { ($0.upperBound - $0.lowerBound) / 2 }
  }

  /// The row of the report.
  package func summary(_ reason: StopReason) -> PointSummary {
    var ended = self
    ended.stopReason = reason
    return PointSummary(
      coordinates: constants.coordinates,
      values: columns.reduce(into: [:]) { $0[$1.name] = $1.value(ended) })
  }
}
