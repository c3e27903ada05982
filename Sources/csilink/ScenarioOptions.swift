import ArgumentParser
import Foundation
import LinkMath
import Reports
import Scenarios
import Simulation

/// The arguments of every command that reads a scenario.
struct ScenarioOptions: ParsableArguments {
  @Argument(help: "Scenario file (YAML).", completion: .file(extensions: ["yaml", "yml"]))
  var scenario: String

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "Override a key, such as pilots.snr_db=10 or run.drops=200; may be repeated.",
      valueName: "path=value"))
  var overrides: [String] = []

  /// Reads the scenario and prints its warnings; plots that it cannot have are refused.
  func read() throws -> Scenario {
    let (scenario, warnings) = try ScenarioReader.standard.read(scenario, overrides: overrides)
    try ResultPlots.check(scenario)
    for warning in warnings + ChannelWarnings.of(scenario) { printError("\(warning)") }
    return scenario
  }
}

extension ScenarioOptions {
  /// Reads a scenario to be run: networks without weights, and those of ONNX files, take the weights that `csilink train` left in
  /// `results/<name>`.
  func readForRun() throws -> Scenario {
    let (plain, _) = try ScenarioReader.standard.read(scenario, overrides: overrides)
    guard let folder = trainedFolder(plain),
      TrainingRun.isUntrained(plain) || TrainingRun.isImported(plain, in: folder)
    else {
      let scenario = try read()
      for folder in Self.weightFolders(scenario) { warn(of: folder, scenario, ownTraining: false) }
      return scenario
    }
    printError("# weights: \(folder), as 'csilink train' left them")
    warn(of: folder, plain, ownTraining: true)
    _ = try read()  // for its warnings
    return try withWeights(of: folder, plain)
  }

  private func warn(of folder: String, _ scenario: Scenario, ownTraining: Bool) {
    let differences = TrainingFolder.differences(
      in: folder, from: scenario, ownTraining: ownTraining)
    for difference in differences { printError("warning: \(difference)") }
  }

  /// The folders that codecs are said to have their weights from.
  private static func weightFolders(_ scenario: Scenario) -> [String] {
    let paths = scenario.points.compactMap { point -> String? in
      guard case .text(let path)? = point.settings[.codec]?.values["weights"] else { return nil }
      return path.hasPrefix("/") || scenario.directory == "."
        ? path : "\(scenario.directory)/\(path)"
    }
    return Set(paths).sorted()
  }

  /// Where `csilink train` left the weights of a scenario; nil if it did not.
  func trainedFolder(_ scenario: Scenario) -> String? {
    let folder = "results/\(scenario.name)"
    return TrainingFolder.hasWeights(folder) ? folder : nil
  }

  /// The scenario with the weights of a folder, without its warnings.
  func withWeights(of folder: String, _ plain: Scenario) throws -> Scenario {
    let weights = relativePath(of: folder, from: plain.directory)
    let override = "codec.weights=\(weights)"
    return try ScenarioReader.standard.read(
      scenario, overrides: overrides + [override],
      origins: [override: "weights in \(folder), as 'csilink train' left them"]
    ).scenario
  }
}

/// The worker threads of every command that computes.
struct ThreadOption: ParsableArguments {
  @Option(help: "Worker threads; the processor's cores if left out. Results do not depend on it.")
  var threads: Int?

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be in 1...1024, got \(threads)")
    }
  }

  var count: Int { threads ?? ProcessInfo.processInfo.activeProcessorCount }
}

/// The arguments of every command that computes results of a scenario.
struct ComputeOptions: ParsableArguments {
  @OptionGroup var threads: ThreadOption

  @Option(
    name: .shortAndLong, help: "Result folder; results/<name of the scenario> if left out.")
  var output: String?

  @Flag(help: "Print no progress.")
  var quiet = false

  var threadCount: Int { threads.count }

  /// Tells of work on standard error, unless that is not wanted.
  func note(_ text: String) {
    if !quiet { printError("# \(text)") }
  }

  func folder(_ scenario: Scenario) -> String { output ?? "results/\(scenario.name)" }
}
