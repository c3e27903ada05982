import Parts

extension Column {
  /// Reports that the feedback link lost.
  public static let reportLossRate = number(
    "report_loss_rate", "Share of the reports that did not arrive."
  ) { fold in
    fold.mean(of: .lostReports).map { $0 / Double(fold.constants.reportsPerDrop) }
  }
}

/// Losses of reports.
public struct ReportLoss: Metric {
  public static let schema = PartSchema(
    .metric, "report_loss", "Column report_loss_rate: share of the reports that did not arrive.")
  public static let columns: [Column] = [.reportLossRate]

  public init() {}
}
