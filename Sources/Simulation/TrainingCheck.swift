import Codecs
import LinkMath
import Networks
import Scenarios
import Training

/// What `csilink check` prints of a scenario's training: networks, steps, samples on disk, time from a few timed steps.
enum TrainingCheck {
  /// - Throws: everything that training the scenario would throw before it draws samples.
  static func lines(_ scenario: Scenario, pool: WorkerPool) throws -> [String] {
    let run = try TrainingRun(scenario, pool: pool, isDry: true)
    let settings = run.settings
    let trainings = run.tasks.map { task in
      "# training \(task.network.title): \(task.network.autoencoder.parameterCount) parameters, "
        + "\(settings.trainingCount) \(settings.data.renewal == .fresh ? "new samples an epoch" : "samples"), at most \(settings.epochs) epochs, "
        + "\(settings.epochs * settings.stepsPerEpoch) steps"
    }
    let bytes = 4 * run.tasks[0].network.image.count
    let kinds = settings.source == .estimate ? 2 : 1
    let fixed = settings.data.renewal == .fixed ? settings.trainingCount : 0
    let count = fixed + settings.validationCount + settings.testCount
    let seconds = try run.tasks.reduce(0) { try $0 + time($1, settings, pool) }
    return trainings + [
      "# samples on disk: about \(max(1, (count * kinds * bytes) >> 20)) MiB",
      "# time: about \(duration(seconds)) with \(pool.threadCount) threads for all trainings at most,"
        + " drawing samples not counted",
    ]
  }

  private static func duration(_ seconds: Double) -> String {
    seconds < 120
      ? String(format: "%.1f s", seconds) : String(format: "%.0f min", seconds / 60)
  }

  /// Seconds of one training, by its steps on a batch without energy.
  private static func time(
    _ task: TrainingRun.Task, _ settings: TrainingSettings, _ pool: WorkerPool
  )
    throws -> Double
  {
    let count = min(settings.batchSize, settings.trainingCount)
    let autoencoder = settings.autoencoder(task.network)
    let trainer = try AutoencoderTrainer(
      autoencoder, weights: TrainingLoop.initialWeights(autoencoder, seed: 0), capacity: count,
      pool: pool)
    let inputs = [Float](
      repeating: 0.5, count: count * autoencoder.encoder.graph.inputShapes[0].count)
    let targets = [Float](
      repeating: 0.5, count: count * autoencoder.decoder.graph.outputShapes[0].count)
    return try settings.stages(task.network, teacher: task.teacher).reduce(0) { sum, stage in
      trainer.freeze(stage.isFrozen)
      trainer.teacher = stage.teacher
      let optimizer = stage.optimizer(trainer.groups, pool)
      let step = {
        _ = trainer.differentiate(inputs, target: targets, loss: stage.loss)
        optimizer.update(rate: 1e-3)
      }
      step()  // first use touches memory
      let clock = ContinuousClock()
      let start = clock.now
      for _ in 0..<3 { step() }
      let perStep = (clock.now - start).seconds / 3
      return sum + perStep * Double(stage.epochs * settings.stepsPerEpoch)
    }
  }
}
