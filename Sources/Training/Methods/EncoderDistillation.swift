import Networks
import Parts

/// The encoder alone learns a teacher's codewords, then encoder and the teacher's decoder are tuned together.
///
/// Reference: Y. Cui et al., Lightweight Neural Network with Knowledge Distillation for CSI Feedback, 2022,
/// arXiv:2210.17113.
public struct EncoderDistillationMethod: TrainingMethod {
  static let epochs = Parameter<Int?>.optional(
    "method.encoder_epochs", .integer(1...1_000_000),
    "Epochs of encoder_distillation's first stage, fewer than 'epochs'; half of them if left out.")
  public static let word = "encoder_distillation"
  public static let summary =
    "first the encoder alone from a teacher's codewords, then all with the teacher's decoder"
  public static let keys = [epochs.declaration] + TeacherKeys.all

  private let encoderEpochs: Int?
  public let teacher: TeacherSource?

  /// Reads `method.encoder_epochs` and the teacher.
  public init(_ settings: Settings) throws(SettingsError) {
    encoderEpochs = settings[Self.epochs]
    teacher = try TeacherKeys.source(settings)
  }

  public func stages(_ task: TrainingTask) throws(SettingsError) -> [TrainingStage] {
    let epochs = encoderEpochs ?? task.whole.epochs / 2
    guard epochs < task.whole.epochs, epochs > 0 else {
      throw SettingsError(
        part: TrainingSettings.schema.name, key: Self.epochs.key,
        reason: "must be below the \(task.whole.epochs) epochs of the training, got \(epochs)")
    }
    var (first, second) = (task.encoderStage, task.whole)
    first.epochs = epochs
    second.epochs -= epochs
    return [first, second]
  }

  public func start(_ task: TrainingTask) throws(SettingsError) -> Weights {
    try task.teacher?.decoder(for: task.network) ?? Weights()
  }
}

extension TrainingTask {
  /// Stage of all epochs in which the encoder learns the teacher's codewords and the decoder stays as it is.
  var encoderStage: TrainingStage {
    var stage = whole
    stage.isFrozen = { side, _ in side == .decoder }
    stage.loss = CodewordLoss()
    stage.teacher = teacher?.plan
    return stage
  }
}
