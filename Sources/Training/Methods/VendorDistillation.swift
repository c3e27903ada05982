import Networks
import Parts

/// The UE's encoder alone learns a teacher's codewords, then the BS tunes its decoder alone to the UE's codewords.
///
/// What ``EncoderDistillationMethod`` does, for two vendors who keep their networks to themselves: the BS gives CSI and codewords of its teacher,
/// the UE gives CSI and codewords of its encoder, and neither changes the other's network. Where the two work apart, `csilink pairs` writes what
/// they give, and ``EncoderFromPairsMethod`` and ``DecoderFromPairsMethod`` learn from it.
///
/// Reference: Y. Cui et al., Lightweight Neural Network with Knowledge Distillation for CSI Feedback, 2022,
/// arXiv:2210.17113.
public struct VendorDistillationMethod: TrainingMethod {
  public static let word = "vendor_distillation"
  public static let summary =
    "first the encoder alone from a teacher's codewords, then the teacher's decoder alone"
  public static let keys = EncoderEpochs.keys

  private let first: EncoderEpochs
  public var teacher: TeacherSource? { first.teacher }

  /// Reads `method.encoder_epochs` and the teacher.
  public init(_ settings: Settings) throws(SettingsError) {
    first = try EncoderEpochs(settings)
  }

  public func stages(_ task: TrainingTask) throws(SettingsError) -> [TrainingStage] {
    var second = task.whole
    second.isFrozen = { side, _ in side == .encoder }
    return try first.stages(task, second: second)
  }

  public func start(_ task: TrainingTask) throws(SettingsError) -> Weights {
    try task.teachersDecoder()
  }
}
