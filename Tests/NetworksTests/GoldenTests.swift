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
        .filter { $0.hasSuffix(".safetensors") && !$0.hasPrefix("methods") }
        .map { folder + "/" + $0 }
    }
  }()

  @Test(arguments: files, GoldenVector.Path.allCases)
  func matches(_ file: String, _ path: GoldenVector.Path) throws {
    let report = try GoldenVector.verify(file, by: path, pool: WorkerPool(threadCount: 2))
    let failures = report.deviations.filter { !$0.passes }
    #expect(
      report.passes,
      "\(file): \(failures.map { "\($0.tensor) \($0.largest) ratio \($0.ratio)" }.joined(separator: "; "))"
    )
    if ProcessInfo.processInfo.environment["CSILINK_GOLDEN_NETWORKS"] != nil {
      let worst = report.deviations.max { $0.ratio < $1.ratio }
      print(
        (file as NSString).lastPathComponent, path, report.passes ? "pass" : "FAIL",
        report.deviations.count, "tensors; worst", worst?.tensor ?? "-", worst?.ratio ?? 0)
    }
  }

  @Test func thereAreFiles() { #expect(GoldenTests.files.count >= 9) }
}
