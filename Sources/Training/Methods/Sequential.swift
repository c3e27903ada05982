import Networks
import Parts

/// The encoder learns the codewords of a teacher whose decoder stays in use as it is.
///
/// The BS has trained an autoencoder of its own; the UE fits its encoder to the codewords, and nothing is tuned after
/// that.
///
/// Reference: Y. Cui et al., Lightweight Neural Network with Knowledge Distillation for CSI Feedback, 2022,
/// arXiv:2210.17113.
public struct SequentialMethod: TrainingMethod {
  public static let word = "sequential"
  public static let summary = "the encoder from the codewords of a teacher, whose decoder stays"
  public static let keys = TeacherKeys.all

  public let teacher: TeacherSource?
  public let keepsDecoder = true

  /// Reads the teacher.
  public init(_ settings: Settings) throws(SettingsError) {
    teacher = try TeacherKeys.source(settings)
  }

  public func stages(_ task: TrainingTask) throws(SettingsError) -> [TrainingStage] {
    [task.encoderStage]
  }

  public func start(_ task: TrainingTask) throws(SettingsError) -> Weights {
    try task.teachersDecoder()
  }
}
