import Codecs
import Foundation
import LinkMath
import Networks
import Parts
import Scenarios
import Training

/// What a training tells while it works.
public enum TrainingEvent: Sendable {
  /// Samples of a set that are drawn.
  case drawing(set: String, done: Int, total: Int)
  /// How far a network's training is.
  case training(TrainingProgress)
  /// Drops of a set that have no energy and are left out.
  case leftOut(set: String, count: Int, total: Int)
}

/// One trained network of a scenario.
public struct TrainedNetwork: Sendable {
  /// Name, ratio and image.
  public let network: NetworkChoice
  /// Parameters of encoder and decoder.
  public let parameterCount: Int
  /// Weights, learning curve and test error.
  public let result: TrainingResult
  /// Digest of the data that it was trained on.
  public let dataDigest: String
  /// Start of the names of its files.
  public let stem: String
  /// Files of the encoder's and the decoder's weights.
  public let files: [String]
}

/// The trainings of a scenario: every network and ratio that its points name, one after another.
///
/// A network that several points share (other SNR, quantiser, feedback) is trained once; points that differ in a way that the
/// training sees are refused, because their weights would have the same file names, unless `training.mix` says how their drops are mixed.
public struct TrainingRun: Sendable {
  /// One training.
  package struct Task: Sendable {
    let network: NetworkChoice
    /// Weights that it starts from.
    let start: (weights: Weights, digests: [String])
    /// What it learns from beside the data.
    let teacher: TrainedTeacher?
    /// What it learns from in place of drops.
    let pairs: PairsFile?
    package let drops: DropMix
    /// What the stages before the codec tell it.
    let context: LinkContext
    /// What codewords pass behind the codec, if they do.
    let link: LinkStep.Plan?
  }

  /// The scenario as it was read.
  public let scenario: Scenario
  /// Drops in the training set.
  public var sampleCount: Int { settings.trainingCount }
  package let settings: TrainingSettings
  package let tasks: [Task]
  /// Seed of data, weights and order.
  public let seed: UInt64
  private let pool: WorkerPool

  /// - Parameters:
  ///   - scenario: what was read.
  ///   - pool: threads that parts are fitted and networks are trained on.
  ///   - isDry: fitted parts are replaced by placeholders of the right shape, for checking.
  ///   - progress: told what is fitted.
  /// - Throws: `ScenarioErrors` for scenarios without a training or a network, and for settings that do not go together.
  public init(
    _ scenario: Scenario, pool: WorkerPool, isDry: Bool = false,
    progress: @escaping @Sendable (String) -> Void = { _ in }
  ) throws {
    self.scenario = scenario
    self.pool = pool
    seed = RunSettings(scenario.run!).seed
    guard let training = scenario.training else {
      throw Self.complaint(
        scenario, "the scenario has no 'training'",
        hint: "write 'training: {epochs: 100}'; 'csilink list training' shows the keys")
    }
    let given: TrainingSettings
    do {
      given = try TrainingSettings(
        training, registry: scenario.registry.catalogues[TrainingRegistry.self] ?? .standard)
    } catch {
      throw ScenarioErrors([scenario.diagnostic(for: error, section: .training)])
    }
    let store = FittingStore(
      folder: nil, pool: pool, placeholdersOnly: isDry, progress: progress)
    do {
      tasks = try TrainingTasks(scenario, given, store, note: progress).tasks()
    } catch let placed as PlacedError {
      throw ScenarioErrors([
        scenario.diagnostic(for: placed.error, section: placed.section, point: placed.point)
      ])
    }
    let limits = TrainingLimits(given, given.pairs == nil ? tasks.map(\.drops) : []) {
      scenario.isWritten($0, .training)
    }
    settings = limits.settings
    let complaints =
      store.limits.map {
        scenario.diagnostic(
          for: $0.error.error, section: $0.error.section, point: $0.error.point)
      } + limits.errors.map { scenario.diagnostic(for: $0, section: .training) }
    guard complaints.isEmpty else { throw ScenarioErrors(complaints) }
    (store.lowered.map(\.note) + limits.notes).forEach(progress)
    if tasks.isEmpty {
      throw Self.complaint(
        scenario, "no point of the scenario has a network to train",
        hint: "write 'codec: {network: csinet, compression: 16}' below 'link:'")
    }
  }

  private static func complaint(_ scenario: Scenario, _ text: String, hint: String)
    -> ScenarioErrors
  {
    ScenarioErrors([scenario.diagnostic(text, hint: hint)])
  }

  /// What a training reads besides data: the weights that it starts from, a teacher, pairs; the method must suit the network.
  static func sources(
    _ network: NetworkChoice, _ settings: TrainingSettings, _ scenario: Scenario,
    _ context: LinkContext, _ note: (String) -> Void
  ) throws -> (
    start: (weights: Weights, digests: [String]), teacher: TrainedTeacher?, pairs: PairsFile?
  ) {
    func absolute(_ path: String) -> String {
      path.hasPrefix("/") ? path : scenario.directory + "/" + path
    }
    let teacher: TrainedTeacher?
    do {
      teacher = try settings.teacher.map { source in
        try TrainedTeacher(
          source.moved(absolute), of: network, normaliser: context.normaliser,
          zoo: context.catalogues[NetworkZoo.self] ?? .standard)
      }
      try settings.check(network, teacher: teacher)
    } catch let error as SettingsError {
      throw ScenarioErrors([scenario.diagnostic(for: error, section: .training)])
    }
    let pairs = try settings.pairs.map {
      try PairsFile(absolute($0.path), for: network, normaliser: context.normaliser)
    }
    let start = try StartWeights.read(
      settings.start.map(absolute), for: network, partly: settings.startsPartly)
    if !start.drawn.isEmpty {
      note(
        "\(network.title): drawn, as the weights to start from have other shapes: "
          + start.drawn.joined(separator: ", "))
    }
    return ((start.weights, start.digests), teacher, pairs)
  }

  /// The networks that are trained, in their order.
  public var networks: [NetworkChoice] { tasks.map(\.network) }

  /// Whether a folder has the weights of a finished training of a network.
  public func isTrained(_ network: NetworkChoice, in folder: String) -> Bool {
    WeightsFile.Side.allCases.allSatisfy {
      FileManager.default.fileExists(
        atPath: WeightsFile.path(in: folder, network, label: settings.label, $0))
    }
  }

  /// Whether a folder has a checkpoint of a network: its training goes on from there.
  public func hasBegun(_ network: NetworkChoice, in folder: String) -> Bool {
    FileManager.default.fileExists(
      atPath: "\(folder)/\(network.stem(label: settings.label))-checkpoint.safetensors")
  }

  /// Trains what is not trained yet.
  ///
  /// - Parameters:
  ///   - folder: result folder, made if missing; it gets weights, curves, checkpoints, and the data below `data`.
  ///   - only: the network that is trained; all if nil.
  ///   - progress: called often, from any thread.
  ///   - shouldStop: looked at between steps.
  /// - Returns: nil if stopped; the same call goes on.
  /// - Throws: errors of data, checkpoints and files; what was finished before is kept.
  public func execute(
    in folder: String, only: NetworkChoice? = nil,
    progress: @escaping @Sendable (TrainingEvent) -> Void = { _ in },
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws -> [TrainedNetwork]? {
    var finished: [TrainedNetwork] = []
    for task in tasks where only.map({ $0 == task.network }) ?? true {
      guard let trained = try execute(task, folder, progress, shouldStop) else { return nil }
      finished.append(trained)
    }
    return finished
  }

  private func execute(
    _ task: Task, _ folder: String, _ progress: @escaping @Sendable (TrainingEvent) -> Void,
    _ shouldStop: @escaping @Sendable () -> Bool
  ) throws -> TrainedNetwork? {
    let draw = TrainingDraw(
      task: task, sees: settings.sees, seed: seed, folder: "\(folder)/data", pool: pool
    ) {
      progress(.drawing(set: $0, done: $1, total: $2))
    } leftOut: {
      progress(.leftOut(set: $0, count: $1, total: $2))
    }
    let data: TrainingData
    let settings: TrainingSettings
    do {
      let given = try task.pairs?.data(for: self.settings.pairs!.side)
      guard let known = try given ?? draw.data(self.settings, shouldStop: shouldStop) else {
        return nil
      }
      data = known
      settings = self.settings.with(trainingCount: data.training.count)
    } catch let error as SettingsError {
      throw ScenarioErrors([scenario.diagnostic(for: error, section: .training)])
    }
    let side = settings.pairs?.side
    let stem =
      task.network.stem(label: settings.label) + (side.map { "-\($0.rawValue)" } ?? "")
    let loop: TrainingLoop
    let result: TrainingResult?
    do {
      var initial: Weights?
      if !FileManager.default.fileExists(atPath: "\(folder)/\(stem)-checkpoint.safetensors") {
        initial = try Initialization.weights(
          task.network, settings, data, start: task.start.weights, seed: seed, pool: pool,
          progress: { progress(.drawing(set: "component", done: $0, total: $1)) },
          shouldStop: shouldStop)
        if initial == nil { return nil }
      }
      loop = try TrainingLoop(
        task.network, settings: settings, data: data, seed: seed, start: task.start,
        initial: initial, teacher: task.teacher,
        link: task.link.map { plan in
          let seed = seed
          return ({ try LinkStep(plan, seed: seed, behind: $0) }, plan.key)
        }, stem: "\(folder)/\(stem)", pool: pool)
      result = try loop.run(progress: { progress(.training($0)) }, shouldStop: shouldStop)
    } catch let placed as PlacedError {
      throw ScenarioErrors([
        scenario.diagnostic(for: placed.error, section: placed.section, point: placed.point)
      ])
    } catch let error as SettingsError {
      throw ScenarioErrors([scenario.diagnostic(for: error, section: .training)])
    }
    guard let result else { return nil }
    let files = try WeightsFile.write(
      result.weights, task.network, label: settings.label, quantizer: result.tables,
      metadata: metadata(task, data, result, loop.recipe),
      sides: side.map { [$0] } ?? WeightsFile.Side.allCases, in: folder)
    return TrainedNetwork(
      network: task.network,
      parameterCount: settings.autoencoder(task.network).parameterCount,
      result: result, dataDigest: data.digest, stem: stem, files: files)
  }

  /// What stands beside the weights: the rule that a link must keep, and where they come from.
  private func metadata(
    _ task: Task, _ data: TrainingData, _ result: TrainingResult, _ recipe: Recipe
  ) -> [String: String] {
    let best = result.curve.best!
    return [
      "normaliser": task.context.normaliser, "source": settings.source.rawValue,
      "data": settings.data.renewal.rawValue,
      "seed": "\(seed)", "data_digest": data.digest, "samples": "\(data.training.count)",
      "epochs": "\(result.curve.epochs.count)", "best_epoch": "\(best.number)",
      "validation_nmse_db": String(format: "%.3f", best.validationNMSEDB),
      "test_nmse_db": String(format: "%.3f", result.test.nmseDB),
      "version": ProgramIdentity.version, "recipe": String(recipe.digest.prefix(16)),
    ]
  }
}

/// How much work the training of a network is.
public struct TrainingWork: Sendable {
  /// Name and ratio.
  public let network: String
  /// Multiply-accumulates of a sample forward through both sides; backward it is about twice as many.
  public let products: Double
  /// Samples of all epochs.
  public let samples: Int

  /// The work of a network; the parameters are the properties.
  public init(network: String, products: Double, samples: Int) {
    (self.network, self.products, self.samples) = (network, products, samples)
  }

  /// Multiply-accumulates forward of the whole training.
  public var total: Double { products * Double(samples) }
}

extension TrainingRun {
  /// The work of each network in the order of their training.
  public var workload: [TrainingWork] {
    tasks.map { task in
      let sides = [task.network.autoencoder.encoder, task.network.autoencoder.decoder]
      return TrainingWork(
        network: task.network.title,
        products: Double(sides.map(\.graph.costs.allProducts).reduce(0, +)),
        samples: settings.epochs * sampleCount)
    }
  }
}

extension TrainingSettings {
  /// What the encoder sees.
  package var sees: Fitting.Source { source == .estimate ? .estimate : .truth }
}
