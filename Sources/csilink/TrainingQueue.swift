import ArgumentParser
import DataFiles
import Foundation
import LinkMath
import Scenarios
import Simulation

/// Trainings that `csilink train --queue` works through: the scenarios of a folder that have a training, by name, or those of a
/// file with the arguments of `csilink train` on each line.
struct TrainingQueue {
  /// One of them, checked.
  private struct Entry {
    /// How the user wrote it.
    let text: String
    let command: TrainCommand
    let scenario: Scenario
    let folder: String
    let workload: [TrainingWork]
  }

  private let entries: [Entry]

  /// Reads and checks all trainings before the first one begins.
  ///
  /// - Parameters:
  ///   - path: folder or file.
  ///   - shared: options that all get; its output is the folder of the results of those that name none.
  /// - Throws: `ExitCode` 2 after the errors of all have been printed.
  init(_ path: String, shared: TrainCommand) throws {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw ValidationError("no file or folder '\(path)' for --queue")
    }
    let lines = isFolder.boolValue ? try Self.scenarios(in: path) : try Self.lines(of: path)
    var entries: [Entry] = []
    var isBroken = false
    for line in lines {
      do {
        entries.append(try Self.entry(line, shared))
      } catch {
        isBroken = true
        printError(line.place.map { "\($0): \(TrainCommand.message(of: error))" } ?? "\(error)")
      }
    }
    if isBroken { throw ExitCode(2) }
    guard !entries.isEmpty else {
      throw ValidationError(
        "no training in '\(path)': --queue takes a folder of scenarios with 'training:', or a file with lines such as "
          + "'scenarios/quickstart-weights.yaml --set training.epochs=20'")
    }
    self.entries = entries
  }

  /// Arguments of one training, as the user wrote them and where.
  private typealias Line = (place: String?, text: String, words: [String])

  /// A scenario that cannot be read stays, so that its error is told.
  private static func scenarios(in folder: String) throws -> [Line] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      .filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.map { "\(folder)/\($0)" }
      .filter { path in
        guard let scenario = try? ScenarioReader.standard.read(path).0 else { return true }
        return scenario.training != nil
      }
      .map { (nil, $0, [$0]) }
  }

  private static func lines(of file: String) throws -> [Line] {
    try String(contentsOfFile: file, encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false).enumerated()
      .compactMap { number, line in
        guard let words = ShellWords.split(String(line)) else {
          throw ValidationError("\(file):\(number + 1): a quotation is left open")
        }
        return words.isEmpty ? nil : ("\(file):\(number + 1)", String(line), words)
      }
  }

  private static func entry(_ line: Line, _ shared: TrainCommand) throws -> Entry {
    var command = try TrainCommand.parse(line.words)
    if command.queue { throw ValidationError("a line cannot be a queue") }
    command.scenario.overrides += shared.scenario.overrides
    command.fresh = command.fresh || shared.fresh
    command.compute.quiet = command.compute.quiet || shared.compute.quiet
    command.compute.threads.threads =
      command.compute.threads.threads ?? shared.compute.threads.threads
    let scenario = try command.scenario.read()
    let folder =
      command.compute.output ?? "\(shared.compute.output ?? "results")/\(scenario.name)"
    let workload: [TrainingWork]
    do {
      workload =
        try TrainingRun(scenario, pool: WorkerPool(threadCount: 1), isDry: true).workload
    } catch is DataFileError {
      // Files of trainings that come earlier in the queue may not be there yet; they are looked for when it is their turn.
      workload = []
    }
    return Entry(
      text: line.text, command: command, scenario: scenario, folder: folder,
      workload: workload)
  }

  /// Trains one after another; a training that fails is told and does not keep the others from their turn.
  ///
  /// - Throws: `ExitCode`, 130 if it was interrupted, 1 if a training failed.
  func run(quiet: Bool) throws {
    let interrupt = InterruptFlag()
    let display = TrainingDisplay(isQuiet: quiet, queue: QueueClock(entries.map(\.workload)))
    var failed: [String] = []
    for (number, entry) in entries.enumerated() {
      if !quiet { printError("# \(number + 1) of \(entries.count): \(entry.text)") }
      display.queue?.begin(number)
      do {
        try entry.command.train(entry.scenario, in: entry.folder, display, interrupt)
      } catch let code as ExitCode {
        throw code
      } catch {
        display.finish()
        printError("\(error)")
        failed.append(entry.text)
      }
    }
    guard failed.isEmpty else {
      printError("# failed: \(failed.joined(separator: "; ")); the same command tries again")
      throw ExitCode(1)
    }
  }
}

extension TrainCommand {
  /// What is wrong with a line, without the usage of the command.
  fileprivate static func message(of error: any Error) -> String {
    error is ScenarioErrors ? "\n\(error)" : "error: \(message(for: error))"
  }
}
