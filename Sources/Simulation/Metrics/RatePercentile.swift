import Parts

extension Column {
  /// The rate that 95 of 100 drops exceed: what a user at the edge of the cell gets.
  public static let rate5Percentile = Column(
    "rate_5_percentile", unit: "bit/s/Hz",
    "5th percentile of the rate: the smallest that at least 5 % of the drops, or of all their users, do not exceed.",
    label: "5th percentile of the rate", quantiles: [.rate]
  ) { $0.quantile(0.05, of: .rate).map(Value.number) }
}

/// Quantiles of the rate.
public struct RatePercentile: Metric {
  public static let schema = PartSchema(
    .metric, "rate_percentile",
    "Column rate_5_percentile: the smallest rate that at least 5 % of the drops, or of all their users, do not exceed."
  )
  public static let columns: [Column] = [.rate5Percentile]

  public init() {}
}
