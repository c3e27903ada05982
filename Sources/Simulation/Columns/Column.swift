import LinkMath
import Parts

/// A column of `report.csv` behind the swept keys: what the drops of an operating point come to.
///
/// A new column is a constant of this type among the columns of a ``Metric``.
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
  /// What figures call it, without the unit.
  public let label: String
  /// The number of a drop whose mean it tells; nil if it tells something else.
  public let mean: DropNumber?
  /// Whether less of it is better.
  public let lowerIsBetter: Bool
  /// Numbers of which quantiles are asked for, so that they are kept.
  let quantiles: Set<DropNumber>
  /// Numbers of which intervals of the mean are asked for.
  let intervals: Set<DropNumber>
  /// The field, from the statistics of a point; nil leaves it empty.
  let value: @Sendable (PointFold) -> Value?

  /// - Parameters:
  ///   - name: what the header of the file calls it.
  ///   - unit: unit of the numbers; empty for none.
  ///   - documentation: one sentence for users.
  ///   - label: what figures call it, without the unit; the words of the name if left out.
  ///   - mean: the number of a drop whose mean `value` is, or 10 log10 of it if the unit is dB.
  ///   - lowerIsBetter: whether less of it is better.
  ///   - quantiles: numbers whose quantiles `value` asks for.
  ///   - intervals: numbers whose intervals `value` asks for.
  ///   - value: the field, from the statistics of a point; nil leaves it empty.
  public init(
    _ name: String, unit: String = "", _ documentation: String, label: String? = nil,
    mean: DropNumber? = nil, lowerIsBetter: Bool = false, quantiles: Set<DropNumber> = [],
    intervals: Set<DropNumber> = [], value: @escaping @Sendable (PointFold) -> Value?
  ) {
    self.name = name
    self.unit = unit
    self.documentation = documentation
    self.label = label ?? name.inWords
    self.mean = mean
    self.lowerIsBetter = lowerIsBetter
    self.quantiles = quantiles
    self.intervals = intervals
    self.value = value
  }

  /// A column of numbers.
  public static func number(
    _ name: String, unit: String = "", _ documentation: String, label: String? = nil,
    of value: @escaping @Sendable (PointFold) -> Double?
  ) -> Column {
    Column(name, unit: unit, documentation, label: label) { value($0).map(Value.number) }
  }

  /// The mean of a number over the drops.
  public static func mean(
    _ name: String, unit: String = "", _ number: DropNumber, _ documentation: String,
    label: String? = nil
  ) -> Column {
    Column(name, unit: unit, documentation, label: label, mean: number) {
      $0.mean(of: number).map(Value.number)
    }
  }

  /// 10 log10 of the mean of a number over the drops.
  public static func level(
    _ name: String, _ number: DropNumber, _ documentation: String, label: String? = nil,
    lowerIsBetter: Bool = false
  ) -> Column {
    Column(
      name, unit: "dB", documentation, label: label, mean: number, lowerIsBetter: lowerIsBetter
    ) {
      $0.mean(of: number).map { .number(decibels($0)) }
    }
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

  /// Their names.
  static let standardNames = Set(standard.map(\.name))

  /// The name that a misspelt one of a column or a key was meant for; of columns that begin alike the standard means come first.
  public static func nearest(to name: String, among known: [String]) -> String? {
    nearestWord(to: name, among: known) { word in
      standard.contains { $0.name == word && $0.mean != nil }
    }
  }

  /// The two ends of a 95 % interval of a mean, and whether the drops determine it.
  public struct Interval: Sendable {
    /// Columns of the ends, and of the answer.
    public let low, high, isReliable: Column

    /// - Parameters:
    ///   - name: of the mean's column; the ends have it as their beginning.
    ///   - unit: unit of the ends.
    ///   - number: whose mean it is.
    ///   - convert: from the number to the unit of the column.
    public init(
      _ name: String, unit: String, _ number: DropNumber,
      _ convert: @escaping @Sendable (Double) -> Double
    ) {
      func end(
        _ suffix: String, _ which: String,
        _ bound: @escaping @Sendable (ClosedRange<Double>) -> Double
      ) -> Column {
        Column(
          "\(name)_\(suffix)", unit: unit, "\(which) end of the 95 % interval of \(name).",
          intervals: [number]
        ) { $0.interval(of: number).map { .number(convert(bound($0))) } }
      }
      low = end("low", "Lower") { $0.lowerBound }
      high = end("high", "Upper") { $0.upperBound }
      isReliable = Column(
        "\(name.replacing("_db", with: ""))_interval_reliable",
        "Whether the drops determine the interval of \(name).", intervals: [number]
      ) { fold in fold.interval(of: number).map { _ in .answer(fold.isReliable(number)) } }
    }
  }
}
