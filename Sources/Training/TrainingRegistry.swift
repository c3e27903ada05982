import Networks
import Parts

/// Every part of a training that a scenario can name; a value that other programs add their own parts to.
public struct TrainingRegistry: Sendable {
  /// The parts of this package; the first of a kind is its default.
  public static let standard = TrainingRegistry(
    losses: [
      MeanSquareLoss.self, LogMeanSquareLoss.self, SquaredNormLoss.self, RelativeErrorLoss.self,
      CosineLoss.self,
    ],
    schedules: [
      ConstantSchedule.self, StepSchedule.self, ExponentialSchedule.self,
      WarmUpCosineSchedule.self,
    ],
    optimizers: [Adam.self, CentredAdam.self, SGD.self],
    methods: [
      SupervisedMethod.self, TwoStageMethod.self, DistillationMethod.self,
      EncoderDistillationMethod.self, VendorDistillationMethod.self, SequentialMethod.self,
      EncoderFromPairsMethod.self, DecoderFromPairsMethod.self,
    ],
    quantizers: [
      CodebookStep.self, LloydStep.self, FixedQuantizerStep<UniformCells>.self,
      FixedQuantizerStep<CompandedCells>.self, FixedQuantizerStep<RoundedCells>.self,
      VectorStep.self,
    ],
    codewordSteps: [CodewordNoise.self, CodewordBitErrors.self, CodewordMask.self])

  /// What can be minimised.
  public private(set) var losses: [any LossPart.Type]
  /// Learning rates over the steps.
  public private(set) var schedules: [any SchedulePart.Type]
  /// What moves parameters.
  public private(set) var optimizers: [any OptimizerPart.Type]
  /// What is trained when.
  public private(set) var methods: [any TrainingMethod.Type]
  /// Quantisers that a network can be trained through.
  public private(set) var quantizers: [any QuantizerStepPart.Type]
  /// What else can happen to codewords, behind the quantiser, in the order in which it does.
  public private(set) var codewordSteps: [any CodewordStepPart.Type]

  /// The same with more parts, which scenarios name like the others.
  ///
  /// - Precondition: no part of its kind has the word of another one.
  public func adding(_ parts: any TrainingPart.Type...) -> TrainingRegistry {
    var larger = self
    for part in parts {
      if let loss = part as? any LossPart.Type { larger.losses.append(loss) }
      if let schedule = part as? any SchedulePart.Type { larger.schedules.append(schedule) }
      if let optimizer = part as? any OptimizerPart.Type { larger.optimizers.append(optimizer) }
      if let method = part as? any TrainingMethod.Type { larger.methods.append(method) }
      if let quantizer = part as? any QuantizerStepPart.Type { larger.quantizers.append(quantizer) }
      if let step = part as? any CodewordStepPart.Type { larger.codewordSteps.append(step) }
    }
    for kind in larger.kinds {
      precondition(Set(kind.map { $0.word }).count == kind.count, "two parts share a word")
    }
    return larger
  }

  private var kinds: [[any TrainingPart.Type]] {
    [losses, schedules, optimizers, methods, quantizers, codewordSteps]
  }

  /// The key that chooses among parts of a kind.
  static func choice(
    _ key: String, _ parts: [any TrainingPart.Type], _ text: String
  ) -> Parameter<String> {
    choice(key, parts, text, none: nil)
  }

  /// The same with a word that stands for no part, which is the default.
  static func choice(
    _ key: String, _ parts: [any TrainingPart.Type], _ text: String, none: String?
  ) -> Parameter<String> {
    let words = [none].compactMap { $0 } + parts.map { $0.word }
    let meanings = parts.map { "\($0.word): \($0.summary)" }.joined(separator: "; ")
    return Parameter(
      key, .choice(words), default: words[0], "\(text) \(meanings).")
  }

  /// Keys of all parts, each once.
  var keys: [ParameterDeclaration] {
    var keys: [ParameterDeclaration] = []
    for key in kinds.joined().flatMap({ $0.keys })
    where !keys.contains(where: { $0.key == key.key }) {
      keys.append(key)
    }
    return keys
  }
}

extension PartRegistry {
  /// The same with other parts of a training, such as the standard ones and those of a program's own.
  ///
  /// - Precondition: it has the section `training`, as the standard registry.
  public func with(_ registry: TrainingRegistry) -> PartRegistry {
    with(registry, schema: TrainingSettings.schema(of: registry))
  }
}
