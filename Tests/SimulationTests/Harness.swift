import LinkMath
import Parts
import Reports
import Scenarios
import Simulation
import TestSupport
import Testing

/// Reads a scenario as if it were in a file `test.yaml`.
func scenario(_ yaml: String, path: String = "test.yaml", set overrides: [String] = []) throws
  -> Scenario
{
  try ScenarioReader.standard.read(text: yaml, path: path, overrides: overrides).scenario
}

func prepare(
  _ yaml: String, path: String = "test.yaml", set overrides: [String] = [], threads: Int = 1,
  artefacts: String? = nil
) throws -> PreparedRun {
  try PreparedRun(
    scenario(yaml, path: path, set: overrides), pool: WorkerPool(threadCount: threads),
    artefactFolder: artefacts)
}

/// Runs to the end in a folder of its own.
func execute(_ run: PreparedRun, threads: Int = 1) throws -> RunResult {
  try withTemporaryFolder { folder in try execute(run, threads: threads, folder: folder) }
}

func execute(_ run: PreparedRun, threads: Int = 1, folder: String) throws -> RunResult {
  let runner = Runner(run, pool: WorkerPool(threadCount: threads), folder: folder)
  guard case .finished(let result) = try runner.execute() else { throw NotFinished() }
  return result
}

/// A run that should have ended with a result did not.
struct NotFinished: Error {}

/// The diagnostics that preparing a scenario throws.
func complaints(_ yaml: String, path: String = "test.yaml", set overrides: [String] = [])
  -> [String]
{
  do {
    _ = try prepare(yaml, path: path, set: overrides)
    return []
  } catch let errors as ScenarioErrors {
    return errors.diagnostics.map(\.description)
  } catch {
    return ["not positioned: \(error)"]
  }
}

/// Every drop of a run: its metrics at one point, by the blocks of the run.
func forEachDrop(
  _ run: PreparedRun, _ body: (_ point: Int, _ value: (DropNumber) -> Double) throws -> Void
) throws {
  for block in 0..<run.blockCount {
    let metrics = try run.metrics(ofBlock: block)
    for point in 0..<metrics.pointCount {
      for drop in 0..<metrics.dropCount { try body(point) { metrics[point, drop, $0] } }
    }
  }
}
