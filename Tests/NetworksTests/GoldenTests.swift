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

  @Test(arguments: files)
  func matches(_ file: String) throws {
    let reports = try GoldenVector.verify(file, pool: WorkerPool(threadCount: 2))
    #expect(reports.count == (file.contains("_train") ? 1 : 2))
    for report in reports { #expect(report.passes, "\(file)\n\(report.text)") }
  }

  @Test func thereAreFiles() { #expect(GoldenTests.files.count >= 9) }
}
