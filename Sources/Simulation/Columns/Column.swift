import LinkMath

/// A column of `report.csv` behind the swept keys: what the drops of an operating point come to.
///
/// A new column is one file with a constant of this type and its name in ``standard`` or ``further``.
public struct Column: Sendable {
  /// What a field holds.
  public enum Value: Sendable, Hashable {
    /// A number, in the column's unit.
    case number(Double)
    /// How many.
    case count(Int)
    /// Yes or no.
    case answer(Bool)
    /// One of some words.
    case word(String)
  }

  /// Name in the header of the file.
  public let name: String
  /// Unit of the numbers; empty for none.
  public let unit: String
  /// One sentence for users.
  public let documentation: String
  /// Metrics of which quantiles are asked for, so that they are kept.
  let quantiles: Set<DropMetric>
  /// The field, from the statistics of a point; nil leaves it empty.
  let value: @Sendable (PointFold) -> Value?

  /// - Parameters:
  ///   - name: what the header of the file calls it.
  ///   - unit: unit of the numbers; empty for none.
  ///   - documentation: one sentence for users.
  ///   - quantiles: metrics whose quantiles `value` asks for.
  ///   - value: the field, from the statistics of a point; nil leaves it empty.
  public init(
    _ name: String, unit: String = "", _ documentation: String, quantiles: Set<DropMetric> = [],
    value: @escaping @Sendable (PointFold) -> Value?
  ) {
    self.name = name
    self.unit = unit
    self.documentation = documentation
    self.quantiles = quantiles
    self.value = value
  }

  /// A column of numbers.
  static func number(
    _ name: String, unit: String = "", _ documentation: String,
    of value: @escaping @Sendable (PointFold) -> Double?
  ) -> Column {
    Column(name, unit: unit, documentation) { value($0).map(Value.number) }
  }

  /// The mean of a metric over the drops.
  static func mean(_ name: String, unit: String = "", _ metric: DropMetric, _ documentation: String)
    -> Column
  {
    number(name, unit: unit, documentation) { $0.mean(of: metric) }
  }

  /// 10 log10 of the mean of a metric over the drops.
  static func level(_ name: String, _ metric: DropMetric, _ documentation: String) -> Column {
    number(name, unit: "dB", documentation) { $0.mean(of: metric).map(decibels) }
  }
}

extension Column {
  /// The columns of every report, in their order.
  public static let standard: [Column] = [
    drops, stopReason, payloadBits, estimateNMSEDB, nmseDB, Interval.nmse.low, Interval.nmse.high,
    nmseRatioOfSumsDB,
    nmseFullDB, cosineSimilarity, squaredCosineSimilarity, feedbackBitErrorRate, beamformingGainDB,
    gainFraction, rate, Interval.rate.low, Interval.rate.high, perfectRate, quantizerClipFraction,
    zeroEnergyDrops, truncationLossDB, nmseEffectiveDrops, Interval.nmse.isReliable,
    Interval.rate.isReliable,
  ]

  /// Further columns, which `report.columns` of a scenario asks for by name.
  public static let further: [Column] = [rate5Percentile, reportLossRate]

  /// The two ends of a 95 % interval of a mean, and whether the drops determine it.
  public struct Interval: Sendable {
    /// Columns of the ends, and of the answer.
    public let low, high, isReliable: Column

    init(
      _ name: String, unit: String, _ metric: DropMetric,
      _ convert: @escaping @Sendable (Double) -> Double
    ) {
      low = .number("\(name)_low", unit: unit, "Lower end of the 95 % interval of \(name).") {
        $0.interval(of: metric).map { convert($0.lowerBound) }
      }
      high = .number("\(name)_high", unit: unit, "Upper end of the 95 % interval of \(name).") {
        $0.interval(of: metric).map { convert($0.upperBound) }
      }
      isReliable = Column(
        "\(name.replacing("_db", with: ""))_interval_reliable",
        "Whether the drops determine the interval of \(name)."
      ) { fold in fold.interval(of: metric).map { _ in .answer(fold.isReliable(metric)) } }
    }
  }
}
