import Foundation
import LinkMath
import Networks
import Testing

@Suite struct GoldenTests {
  /// The files shipped with the tests, and those of the directory named by CSILINK_GOLDEN_NETWORKS, if any.
  static let files: [String] = {
    let shipped = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/networks").path
    let more = ProcessInfo.processInfo.environment["CSILINK_GOLDEN_NETWORKS"]
    return ([shipped] + (more.map { [$0] } ?? [])).flatMap { folder in
      ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        .filter { $0.hasSuffix(".safetensors") }
        .map { folder + "/" + $0 }
    }
  }()

  @Test(arguments: files)
  func matches(_ file: String) throws {
    let reports = try GoldenVector.verify(file, pool: WorkerPool(threadCount: 2))
    #expect(reports.count == (file.contains("_eval") ? 2 : 1))
    for report in reports { #expect(report.passes, "\(file)\n\(report.text)") }
  }

  @Test func methodsSayWhatTheyCover() throws {
    let path = try #require(Self.files.first { $0.hasSuffix("/methods.safetensors") })
    let report = try #require(
      GoldenVector.verify(path, pool: WorkerPool(threadCount: 1)).first)
    #expect(
      report.deviations.map(\.tensor) == [
        "lr.crnet", "lr.acrnet", "logloss.value", "logloss.grad_pred", "binary.alpha",
        "binary.weight_b", "binary.ste_clip_grad", "int8.weight_q", "int8.weight_scale",
        "int8.act_scale_127", "int8.act_zero_127", "int8.act_q_127", "int8.acc_127", "int8.y_127",
        "int8.act_scale_255", "int8.act_zero_255", "int8.act_q_255", "int8.acc_255", "int8.y_255",
        "int8.conv_weight_q", "int8.conv_scale_per_channel", "metric.nmse_mean_of_ratios",
        "metric.nmse_ratio_of_means",
      ])
    #expect(report.unchecked.contains("metric.rho_n257_k125"))
    #expect(report.text.contains("\n# not implemented here: metric.nmse_mean_of_db, "))
  }

  @Test func thereAreFiles() { #expect(GoldenTests.files.count >= 10) }
}
