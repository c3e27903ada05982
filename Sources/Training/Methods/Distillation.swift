import Networks
import Parts

/// The whole network learns from the target and from a teacher's reconstructions (autoencoder distillation).
///
/// Reference: Y. Cui et al., Lightweight Neural Network with Knowledge Distillation for CSI Feedback, 2022,
/// arXiv:2210.17113.
public struct DistillationMethod: TrainingMethod {
  static let share = Parameter.number(
    "method.alpha", default: 0.3, in: 0...1,
    "Share of 'loss' in distillation; the rest is the cross-entropy with the teacher's softened reconstruction."
  )
  static let temperature = Parameter.number(
    "method.temperature", default: 5, in: 1e-3...1e6,
    "Temperature T of distillation, by which reconstructions are divided before the softmax.")
  public static let word = "distillation"
  public static let summary = "all from the target and a teacher's reconstructions"
  public static let keys = [share.declaration, temperature.declaration] + TeacherKeys.all

  private let share, temperature: Double
  public let teacher: TeacherSource?

  /// Reads `method.alpha`, `method.temperature` and the teacher.
  public init(_ settings: Settings) throws(SettingsError) {
    share = settings[Self.share]
    temperature = settings[Self.temperature]
    teacher = try TeacherKeys.source(settings)
  }

  public func stages(_ task: TrainingTask) throws(SettingsError) -> [TrainingStage] {
    let loss = type(of: task.whole.loss)
    guard loss.needs == [.target], !loss.ignoresGains else {
      throw SettingsError(
        part: TrainingSettings.schema.name, key: "loss",
        reason: "must compare reconstructions with the target to be mixed with a teacher's")
    }
    var stage = task.whole
    stage.loss = DistillationLoss(share: share, temperature: temperature, base: task.whole.loss)
    stage.teacher = task.teacher?.plan
    return [stage]
  }
}
