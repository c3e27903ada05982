import Codecs
import DataFiles
import LinkMath
import Networks
import Parts
import Scenarios
import Training

/// Writes the file of CSI and codewords of a scenario's one network: what its vendor gives to that of the other side.
public struct PairsExport: Sendable {
  /// What was written.
  public struct Summary: Sendable {
    /// Where.
    public let path: String
    /// Size of the file.
    public let bytes: Int
    /// All digits of the file's digest.
    public let sha256: String
    /// Samples of the training, validation and test set.
    public let counts: [Int]
    /// Name and ratio.
    public let network: String
  }

  private let run: TrainingRun
  private let task: TrainingRun.Task
  private let weights: WeightsFile
  private let pool: WorkerPool

  /// - Parameters:
  ///   - scenario: has `training` with the sizes of the sets, and a codec with weights.
  ///   - pool: threads that parts are fitted and networks are run on.
  ///   - progress: told what is fitted.
  /// - Throws: `ScenarioErrors` for scenarios with several networks, without weights, or whose encoder sees estimates;
  ///   `DataFileError` for the weights.
  public init(
    _ scenario: Scenario, pool: WorkerPool, progress: @escaping @Sendable (String) -> Void
  ) throws {
    run = try TrainingRun(scenario, pool: pool, progress: progress)
    self.pool = pool
    func complaint(_ text: String, _ hint: String) -> ScenarioErrors {
      ScenarioErrors([scenario.diagnostic(text, hint: hint)])
    }
    guard run.tasks.count == 1 else {
      throw complaint(
        "the scenario names \(run.tasks.count) networks, but pairs are those of one",
        "choose with --set sweep.codec.compression=16 or the like")
    }
    guard run.settings.source == .truth else {
      throw complaint(
        "pairs hold the CSI that the encoder sees, which must be the true one",
        "write 'source: truth' below 'training'")
    }
    task = run.tasks[0]
    let codecs = scenario.points.lazy.map { $0.settings[.codec]! }
    guard let codec = codecs.first(where: { $0.part == NeuralCodec.schema.name }) else {
      throw complaint(
        "pairs are those of a network of 'csilink inspect', not of ONNX files",
        "write 'codec: {network: csinet}' with its weights")
    }
    do {
      weights = try NeuralCodec.weights(codec, task.network, in: task.context, .encoder)
    } catch let error as SettingsError {
      throw ScenarioErrors([scenario.diagnostic(for: error, section: .codec, point: 0)])
    }
  }

  /// Draws the samples, or finds them, and writes the file.
  ///
  /// - Parameters:
  ///   - path: where the file appears, ending in `.safetensors`.
  ///   - folder: the drawn samples are kept below its `data`.
  ///   - bits: of each real of a codeword; nil for single precision.
  ///   - progress: called often, from any thread.
  ///   - shouldStop: looked at between pieces.
  /// - Returns: nil if stopped.
  /// - Throws: errors of data and files.
  public func write(
    to path: String, in folder: String, bits: Int?,
    progress: @escaping @Sendable (TrainingEvent) -> Void,
    shouldStop: @escaping @Sendable () -> Bool
  ) throws -> Summary? {
    let draw = TrainingDraw(
      task: task, sees: .truth, seed: run.seed, folder: "\(folder)/data", pool: pool
    ) {
      progress(.drawing(set: $0, done: $1, total: $2))
    } leftOut: {
      progress(.leftOut(set: $0, count: $1, total: $2))
    }
    guard let data = try draw.data(run.settings, shouldStop: shouldStop) else { return nil }
    let writer = try PairsWriter(
      task.network, weights: weights.weights, data: data, bits: bits, pool: pool)
    let isWritten = try writer.write(to: path, normaliser: task.context.normaliser) {
      progress(.drawing(set: "pairs", done: $0, total: $1))
    } shouldStop: {
      shouldStop()
    }
    guard isWritten else { return nil }
    let (sha256, bytes) = try FileDigest.whole(path)
    return Summary(
      path: path, bytes: bytes, sha256: sha256,
      counts: [data.training.count, data.validation.count, data.test.count],
      network: task.network.title)
  }
}
