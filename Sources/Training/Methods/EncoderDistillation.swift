import Networks
import Parts

/// The encoder alone learns a teacher's codewords, then encoder and the teacher's decoder are tuned together.
///
/// Reference: Y. Cui et al., Lightweight Neural Network with Knowledge Distillation for CSI Feedback, 2022,
/// arXiv:2210.17113.
public struct EncoderDistillationMethod: TrainingMethod {
  public static let word = "encoder_distillation"
  public static let summary =
    "first the encoder alone from a teacher's codewords, then all with the teacher's decoder"
  public static let keys = EncoderEpochs.keys

  private let first: EncoderEpochs
  public var teacher: TeacherSource? { first.teacher }

  /// Reads `method.encoder_epochs` and the teacher.
  public init(_ settings: Settings) throws(SettingsError) {
    first = try EncoderEpochs(settings)
  }

  public func stages(_ task: TrainingTask) throws(SettingsError) -> [TrainingStage] {
    try first.stages(task, second: task.whole)
  }

  public func start(_ task: TrainingTask) throws(SettingsError) -> Weights {
    try task.teachersDecoder()
  }
}

/// The first of two stages, in which the encoder alone learns a teacher's codewords.
struct EncoderEpochs {
  private static let epochs = Parameter<Int?>.optional(
    "method.encoder_epochs", .integer(1...1_000_000),
    "Epochs of the first stage of encoder_distillation and vendor_distillation, fewer than 'epochs'; half of them if left out."
  )
  static let keys = [epochs.declaration] + TeacherKeys.all

  private let count: Int?
  let teacher: TeacherSource

  /// Reads `method.encoder_epochs` and the teacher.
  init(_ settings: Settings) throws(SettingsError) {
    count = settings[Self.epochs]
    teacher = try TeacherKeys.source(settings)
  }

  /// Both stages, which share the epochs of the training.
  ///
  /// - Throws: `SettingsError` if nothing is left for the second one.
  func stages(_ task: TrainingTask, second: TrainingStage) throws(SettingsError) -> [TrainingStage]
  {
    let count = count ?? task.whole.epochs / 2
    guard count < task.whole.epochs, count > 0 else {
      throw SettingsError(
        part: TrainingSettings.schema.name, key: Self.epochs.key,
        reason: "must be below the \(task.whole.epochs) epochs of the training, got \(count)")
    }
    var (first, second) = (task.encoderStage, second)
    first.epochs = count
    second.epochs -= count
    return [first, second]
  }
}

extension TrainingTask {
  /// What the decoder starts from: the teacher's.
  func teachersDecoder() throws(SettingsError) -> Weights {
    try teacher?.decoder(for: network) ?? Weights()
  }

  /// Stage of all epochs in which the encoder learns the teacher's codewords and the decoder stays as it is.
  var encoderStage: TrainingStage {
    var stage = whole
    stage.isFrozen = { side, _ in side == .decoder }
    stage.loss = CodewordLoss()
    stage.teacher = teacher?.plan
    return stage
  }
}
