import ArgumentParser
import Foundation
import LinkMath
import Reports
import Scenarios
import Simulation

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract:
      "Check a scenario without running or training it: shapes, payload bits, memory, estimated time."
  )

  @OptionGroup var scenario: ScenarioOptions
  @OptionGroup var threads: ThreadOption

  func run() throws {
    let plain = try scenario.read()
    let folder = NSTemporaryDirectory() + "csilink-check-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let text = try ScenarioCheck.text(
      plain, trained: trained(plain, drawnIn: folder), threads: threads.count)
    let drawn = relativePath(of: folder, from: plain.directory)
    print(text.replacing("weights \(drawn)", with: "weights drawn for this check"))
  }

  /// The scenario with drawn weights, which do for shapes, bits and time, whatever of it has been trained; with those that `csilink train`
  /// left if it needs their quantiser; nil if it has its own or there are none.
  private func trained(_ plain: Scenario, drawnIn folder: String) throws -> Scenario? {
    guard TrainingRun.isUntrained(plain), plain.training != nil else { return nil }
    let training = try TrainingRun(plain, pool: WorkerPool(threadCount: 1), isDry: true)
    let drawn = try training.writeInitialWeights(to: folder) ? folder : nil
    return try (drawn ?? scenario.trainedFolder(plain)).map {
      try scenario.withWeights(of: $0, plain)
    }
  }
}
