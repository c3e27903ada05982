import Networks
import Parts

/// The key of methods that learn from pairs of CSI and codewords.
enum PairsKeys {
  static let path = Parameter<String?>.optional(
    "method.pairs", .file,
    """
    File of pairs of CSI and codewords, made by 'csilink pairs', that encoder_from_pairs and decoder_from_pairs learn from \
    instead of drops of the channel.
    """)

  static func source(_ settings: Settings, _ side: WeightsFile.Side) throws(SettingsError)
    -> PairsSource
  {
    guard let path = settings[path] else {
      throw SettingsError(
        part: settings.part, key: path.key, reason: "is needed: the file of pairs",
        hint: "'csilink pairs' makes it")
    }
    return PairsSource(path: path, side: side)
  }
}

/// A file of pairs and what is trained with it.
public struct PairsSource: Sendable, Hashable {
  /// Relative to the scenario.
  public let path: String
  /// Trained from it; the other side is not there.
  public let side: WeightsFile.Side
}

/// The UE's encoder alone learns the codewords of a file of pairs: the mean squared error between them is minimised.
///
/// It is judged by the relative error of codewords, `‖s - s_t‖² / ‖s_t‖²`, as there is no decoder.
///
/// Reference: Y. Cui et al., Lightweight Neural Network with Knowledge Distillation for CSI Feedback, 2022,
/// arXiv:2210.17113.
public struct EncoderFromPairsMethod: TrainingMethod {
  public static let word = "encoder_from_pairs"
  public static let summary = "the encoder alone from a file of CSI and codewords"
  public static let keys = [PairsKeys.path.declaration]

  public let pairs: PairsSource?

  /// Reads `method.pairs`.
  public init(_ settings: Settings) throws(SettingsError) {
    pairs = try PairsKeys.source(settings, .encoder)
  }

  public func stages(_ task: TrainingTask) throws(SettingsError) -> [TrainingStage] {
    guard task.whole.loss is MeanSquareLoss else {
      throw SettingsError(
        part: TrainingSettings.schema.name, key: "loss",
        reason: "must be \(MeanSquareLoss.word) for codewords, which encoder_from_pairs compares")
    }
    return [task.whole]
  }
}

/// The BS's decoder alone learns to reconstruct the CSI of a file of pairs from its codewords.
///
/// Reference: Y. Cui et al., Lightweight Neural Network with Knowledge Distillation for CSI Feedback, 2022,
/// arXiv:2210.17113.
public struct DecoderFromPairsMethod: TrainingMethod {
  public static let word = "decoder_from_pairs"
  public static let summary = "the decoder alone from a file of CSI and codewords"
  public static let keys = [PairsKeys.path.declaration]

  public let pairs: PairsSource?

  /// Reads `method.pairs`.
  public init(_ settings: Settings) throws(SettingsError) {
    pairs = try PairsKeys.source(settings, .decoder)
  }

  public func stages(_ task: TrainingTask) throws(SettingsError) -> [TrainingStage] {
    guard task.network.autoencoder.decoder.graph.inputShapes.count == 1 else {
      throw SettingsError(
        part: TrainingSettings.schema.name, key: PairsKeys.path.key,
        reason:
          "has one codeword for each sample, but the decoder of \(task.network.name) needs two")
    }
    return [task.whole]
  }
}
