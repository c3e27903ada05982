import LinkMath
import Networks
import Parts

/// How the networks of a scenario are trained: data, loss, optimiser, schedule, method, when to stop.
public struct TrainingSettings: Sendable {
  /// What the encoder sees; the target is the true channel in both cases.
  public enum Source: String, Choice {
    /// The true channel, or the estimate of the scenario's pilots.
    case truth, estimate
  }
  /// The key of the size of the training set.
  package static let samples = Parameter.integer(
    "samples", default: 20_000, in: 1...100_000_000,
    "Drops of an epoch, from the channel's domain 'train'.")
  /// The key of the size of the validation set.
  package static let validation = Parameter.integer(
    "validation_samples", default: 2_000, in: 1...10_000_000,
    "Drops that are reconstructed after each epoch to find the best one; never trained on.")
  /// The key of the size of the test set.
  package static let test = Parameter.integer(
    "test_samples", default: 2_000, in: 1...10_000_000,
    "Drops that the chosen weights are judged on, once, at the end.")
  static let source = Parameter<Source>.choice(
    "source", default: .truth,
    "Whether the encoder sees the true channel or the estimate of the scenario's pilots; the target is the true channel."
  )
  /// The key of the number of epochs, which parts with a plan of their own read.
  public static let epochs = Parameter.integer(
    "epochs", default: 100, in: 1...1_000_000,
    "Largest number of passes over the training set; 'patience' may end the training earlier.")
  static let batch = Parameter.integer(
    "batch", default: 200, in: 1...65_536,
    "Samples of one optimiser step; the last one of an epoch takes what is left.")
  /// The key of the word that tells trainings of one network apart.
  package static let label = Parameter<String?>.optional(
    "label", .text,
    """
    Word in the names of weights, curves and checkpoints, so that several trainings of one network lie side by side; the \
    link's codec names it too.
    """)
  static let patience = Parameter<Int?>.optional(
    "patience", .integer(1...1_000_000),
    "Stop after this many epochs without a better validation NMSE; never if left out.")
  static let start = Parameter<[String]?>.optional(
    "start", .list(.file, count: 1...8),
    """
    Files of weights that the training starts from; parameters that they lack are drawn. A folder stands for the files of \
    the same network and ratio in it that have no label.
    """)
  /// The key that puts the scenario's link into the training.
  package static let link = Parameter.flag(
    "link", default: false,
    """
    Whether codewords pass the scenario's quantiser, coder and feedback link in training, validation and test; gradients \
    pass straight through, and a lost report moves nothing.
    """)
  static let startPartly = Parameter.flag(
    "start_partly", default: false,
    "Draw parameters whose shapes differ from those of 'start', such as weights of another ratio, instead of refusing them."
  )
  static let outputGain = Parameter.number(
    "output_gain", default: 1, in: 1e-6...1e3,
    """
    Initial scale of the batch normalisations that reach the output's sigmoid without a convolution between (CRNet, ACRNet, \
    BCsiNet, CLLWCsiNet and others). CSI of many paths deviates from 0.5 by a few hundredths; a start ten times as strong \
    may never find it, 0.1 does.
    """)

  /// The keys that name parts.
  private struct Names {
    let loss, schedule, optimizer, method, quantizer: Parameter<String>

    init(_ registry: TrainingRegistry) {
      loss = TrainingRegistry.choice("loss", registry.losses, "What is minimised.")
      schedule = TrainingRegistry.choice(
        "schedule.type", registry.schedules, "Learning rate over the optimiser steps.")
      optimizer = TrainingRegistry.choice(
        "optimizer", registry.optimizers, "How the gradient moves the parameters.")
      method = TrainingRegistry.choice("method.type", registry.methods, "What is trained when.")
      quantizer = TrainingRegistry.choice(
        "quantizer.type", registry.quantizers,
        "What quantises the codewords in training, validation and test; the link's 'quantizer: trained' then does.",
        none: "none")
    }
  }

  /// All keys below `training:`, those of the parts of this package among them.
  public static let schema = schema(of: .standard)

  /// All keys below `training:` with the parts of a registry.
  public static func schema(of registry: TrainingRegistry) -> PartSchema {
    let names = Names(registry)
    return PartSchema(
      .training, "training", "Training of the scenario's networks on drops of its channel.",
      parameters: [
        samples.declaration, validation.declaration, test.declaration, source.declaration,
      ] + DataSettings.declarations + [
        epochs.declaration, batch.declaration, names.loss.declaration, names.schedule.declaration,
        names.optimizer.declaration, names.method.declaration, names.quantizer.declaration,
        link.declaration,
      ] + registry.keys + [
        start.declaration, startPartly.declaration, Initialization.parameter.declaration,
        patience.declaration, outputGain.declaration,
        label.declaration,
      ])
  }

  /// Samples of the training set.
  public private(set) var trainingCount: Int
  /// Samples of the validation set.
  public private(set) var validationCount: Int
  /// Samples of the test set.
  public private(set) var testCount: Int
  /// What the encoder sees.
  public let source: Source
  /// Where the samples come from, beside the scenario's link.
  public let data: DataSettings
  /// Whether codewords pass the scenario's quantiser, coder and feedback link.
  public let passesLink: Bool
  /// Largest number of epochs of all stages.
  public let epochs: Int
  /// Samples of an optimiser step.
  public let batchSize: Int
  /// Initial scale of the batch normalisations that reach the output's sigmoid.
  public let outputGain: Double
  /// What the parameters have before the first step.
  public let initialization: Initialization
  /// Everything that the numbers of the curve depend on besides network and data; without the number of epochs if a
  /// longer training starts with the same epochs.
  let signature: String
  private let given: Settings
  private let registry: TrainingRegistry
  private let loss: any Loss
  let method: any TrainingMethod
  private let optimizer: any OptimizerPart.Type
  private let schedule: any SchedulePart.Type

  /// Optimiser steps of an epoch; the last batch may be smaller.
  public var stepsPerEpoch: Int { (trainingCount + batchSize - 1) / batchSize }

  /// - Parameters:
  ///   - settings: checked against the schema of the registry.
  ///   - registry: the parts that the settings name.
  /// - Throws: `SettingsError` for keys that do not go together, such as a warm-up that does not leave room for the cosine.
  public init(_ settings: Settings, registry: TrainingRegistry = .standard) throws(SettingsError) {
    given = settings
    self.registry = registry
    let names = Names(registry)
    trainingCount = settings[Self.samples]
    validationCount = settings[Self.validation]
    testCount = settings[Self.test]
    source = settings[Self.source]
    data = try DataSettings(settings, source: settings[Self.source])
    passesLink = settings[Self.link]
    epochs = settings[Self.epochs]
    batchSize = settings[Self.batch]
    outputGain = settings[Self.outputGain]
    initialization = settings[Initialization.parameter]
    let lossType = registry.losses.first { $0.word == settings[names.loss] }!
    loss = try lossType.init(settings)
    let methodType = registry.methods.first { $0.word == settings[names.method] }!
    method = try methodType.init(settings)
    optimizer = registry.optimizers.first { $0.word == settings[names.optimizer] }!
    let schedule = registry.schedules.first { $0.word == settings[names.schedule] }!
    self.schedule = schedule
    if let label = settings[Self.label],
      !label.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" })
    {
      throw SettingsError(
        part: settings.part, key: Self.label.key,
        reason: "must be a word of letters, digits and '_', got \(label)")
    }
    // A method of one stage goes on where a shorter training ended.
    let quantizer = registry.quantizers.first { $0.word == settings[names.quantizer] }
    let isFixed =
      schedule.dependsOnEpochs || quantizer?.dependsOnEpochs == true
      || settings[names.method] != SupervisedMethod.word
    // The recipe has the digests of the files that are read, wherever they lie.
    let read = [
      "label", Self.start.key, TeacherKeys.weights.key, TeacherKeys.label.key, PairsKeys.path.key,
    ]
    let left = isFixed ? read : read + ["epochs"]
    signature = settings.canonical.split(separator: "\n").filter { line in
      !left.contains { line.hasPrefix("training.\($0)=") }
    }.joined(separator: "\n")
    _ = try schedule.init(settings, epochs: epochs, stepsPerEpoch: stepsPerEpoch)
    try refuseNoiseBesideLink()
  }

  private func refuseNoiseBesideLink() throws(SettingsError) {
    let noise = [
      CodewordNoise.levels.key, CodewordNoise.range.key, CodewordBitErrors.rate.key,
    ].first { given.values[$0] != nil }
    guard passesLink, let noise else { return }
    throw SettingsError(
      part: given.part, key: Self.link.key,
      reason: "has the noise of the scenario's link, and cannot stand beside \(noise)",
      hint: "choose a 'feedback' link with noise, or write 'link: false'")
  }

  /// Word in the names of files; nil for none.
  public var label: String? { given[Self.label] }

  /// The trained network that the method learns from, if it does.
  public var teacher: TeacherSource? { method.teacher }

  /// The file of pairs that the method learns from, if it does.
  public var pairs: PairsSource? { method.pairs }

  /// Files of weights to start from and folders of them, relative to the scenario; none for drawn weights.
  public var start: [String] { given[Self.start] ?? [] }

  /// Whether parameters of other shapes than in the files of ``start`` are drawn.
  public var startsPartly: Bool { given[Self.startPartly] }

  /// The same for a training set of another size than asked for.
  public func with(trainingCount count: Int) -> TrainingSettings {
    with(training: count, validation: validationCount, test: testCount)
  }

  /// The same for sets of other sizes than asked for.
  public func with(training: Int, validation: Int, test: Int) -> TrainingSettings {
    var copy = self
    (copy.trainingCount, copy.validationCount, copy.testCount) = (training, validation, test)
    return copy
  }

  /// The network that is trained: a side alone for a method that has only that.
  public func autoencoder(_ network: NetworkChoice) -> Autoencoder {
    method.pairs.map { network.autoencoder.alone($0.side) } ?? network.autoencoder
  }

  /// - Throws: `SettingsError` for a network or a teacher that the method does not suit.
  public func check(_ network: NetworkChoice, teacher: TrainedTeacher?) throws(SettingsError) {
    _ = try stages(network, teacher: teacher)
    _ = try start(network, teacher: teacher)
    _ = try codewordSteps(network, seed: 0)
    if initialization != .drawn {
      _ = try Initialization.principalStart(network, self)
    }
  }

  /// What is wrong with the value of a key.
  func error(_ key: String, _ reason: String, hint: String? = nil) -> SettingsError {
    SettingsError(part: given.part, key: key, reason: reason, hint: hint)
  }

  /// Values that parameters start from, whatever else they would start from.
  ///
  /// - Throws: `SettingsError` for a teacher that does not suit the network.
  func start(_ network: NetworkChoice, teacher: TrainedTeacher?) throws(SettingsError) -> Weights {
    try method.start(task(network, teacher))
  }

  /// The stages of the training of a network.
  ///
  /// - Parameters:
  ///   - network: what is trained.
  ///   - teacher: what ``teacher`` names, read.
  /// - Throws: `SettingsError` for a network or a teacher that the method does not suit.
  public func stages(_ network: NetworkChoice, teacher: TrainedTeacher? = nil)
    throws(SettingsError) -> [TrainingStage]
  {
    let stages = try method.stages(task(network, teacher))
    for stage in stages {
      _ = try stage.schedule(stage.epochs)
      let needs = type(of: stage.loss).needs
      if stage.teacher == nil, !needs.isDisjoint(with: [.teacherOutput, .teacherCodeword]) {
        throw SettingsError(
          part: given.part, key: "loss",
          reason: "compares with a teacher, which the method does not have")
      }
    }
    return stages
  }

  private func task(_ network: NetworkChoice, _ teacher: TrainedTeacher?) -> TrainingTask {
    let (given, schedule, optimizer, steps) = (given, schedule, optimizer, stepsPerEpoch)
    let whole = TrainingStage(
      epochs: epochs, isFrozen: { _, _ in false }, loss: loss,
      schedule: { epochs throws(SettingsError) in
        try schedule.init(given, epochs: epochs, stepsPerEpoch: steps)
      }, optimizer: { optimizer.init(given, $0, pool: $1) },
      stop: StopPolicy(patience: given[Self.patience]))
    return TrainingTask(network: network, teacher: teacher, whole: whole)
  }

  /// What happens to the codewords of a network, in order.
  ///
  /// - Throws: `SettingsError` for settings that do not suit the network.
  public func codewordSteps(_ network: NetworkChoice, seed: UInt64) throws(SettingsError)
    -> [any CodewordStep]
  {
    var steps: [any CodewordStep] = []
    let word = given[Names(registry).quantizer]
    var quantizer: (any QuantizerStepPart)?
    if let part = registry.quantizers.first(where: { $0.word == word }) {
      quantizer = try part.init(given, for: network, seed: seed)
    }
    if let quantizer { steps.append(quantizer) }
    for part in registry.codewordSteps {
      if let step = try part.make(given, for: network, seed: seed, behind: quantizer) {
        steps.append(step)
      }
    }
    if !steps.isEmpty || given[Self.link], method.pairs?.side == .encoder {
      throw SettingsError(
        part: given.part, key: PairsKeys.path.key,
        reason: "goes without quantiser and noise: the encoder learns the codewords as they are")
    }
    return steps
  }
}
