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
    print(text.replacing("weights \(drawn)", with: "not trained yet"))
  }

  /// The scenario with the weights that `csilink train` left, or drawn ones before it has been trained; nil if it has its own.
  private func trained(_ plain: Scenario, drawnIn folder: String) throws -> Scenario? {
    guard TrainingRun.isUntrained(plain), plain.training != nil else { return nil }
    if let kept = scenario.trainedFolder(plain) { return try scenario.withWeights(of: kept, plain) }
    let training = try TrainingRun(plain, pool: WorkerPool(threadCount: 1), isDry: true)
    guard try training.writeInitialWeights(to: folder) else { return nil }
    return try scenario.withWeights(of: folder, plain)
  }
}
