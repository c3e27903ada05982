import Parts

extension Column {
  /// The rates of all users of a drop together.
  public static let sumRate = number(
    "sum_rate", unit: "bit/s/Hz", "Rates of all users that are served together.",
    label: "rate of all users"
  ) { fold in fold.mean(of: .rate).map { Double(fold.constants.users) * $0 } }
}

/// Rate of a drop.
public struct SumRate: Metric {
  public static let schema = PartSchema(
    .metric, "sum_rate", "Column sum_rate: the rates of all users that are served together.")
  public static let columns: [Column] = [.sumRate]

  public init() {}
}
