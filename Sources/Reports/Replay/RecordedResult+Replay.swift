import Foundation
import LinkMath
import Scenarios
import Simulation

extension RecordedResult {
  /// The run behind the result, made again from the scenario in the manifest; fitted parts are taken from the folder.
  ///
  /// Relative names of files start where they did when the run was started.
  ///
  /// - Throws: `ReplayError` without a manifest; `ScenarioErrors` and file errors as for a run.
  public func preparedRun(
    pool: WorkerPool, isDry: Bool = false,
    progress: @escaping @Sendable (String) -> Void = { _ in }
  ) throws -> PreparedRun {
    guard let manifest, let folder else {
      throw ReplayError(
        message: "\(label) has no \(Manifest.fileName), which holds the scenario",
        hint: "name the folder of a result of 'csilink run'")
    }
    let path = "\(manifest.startFolder)/\(manifest.name).yaml"
    let scenario = try ScenarioReader.standard.read(text: manifest.scenario, path: path).scenario
    return try PreparedRun(
      scenario, pool: pool, artefactFolder: nil,
      artefactSources: ([folder] + shards).map { "\($0)/fitted" }, isDry: isDry,
      isResolved: true, progress: progress)
  }

  /// Whether a drop that was run again has the bits that the journal has of it.
  ///
  /// - Returns: false without a journal, which can tell nothing.
  /// - Throws: `ReplayError` if a number differs.
  public func confirms(_ replay: Replay, row: Int, drop: Int) throws -> Bool {
    let recorded: RecordedDrops
    do {
      recorded = try drops()
    } catch is JournalError {
      return false
    }
    guard drop < recorded.dropCount else { return false }
    for name in recorded.names {
      guard let old = recorded.values(of: name, point: row)?[drop], let new = replay.numbers[name]
      else { continue }
      guard old.bitPattern == new.bitPattern || (old.isNaN && new.isNaN) else {
        throw ReplayError(
          message: "drop \(drop) came out differently: \(name) was \(old), is \(new)",
          hint: "program, weights or data have changed since; run the scenario again")
      }
    }
    return true
  }
}
