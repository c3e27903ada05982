extension Column {
  /// Reports that the feedback link lost.
  public static let reportLossRate = number(
    "report_loss_rate", "Share of the reports that did not arrive."
  ) { fold in
    fold.mean(of: .lostReports).map { $0 / Double(fold.constants.reportsPerDrop) }
  }
}
