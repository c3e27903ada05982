import Parts

/// Every feedback link a scenario can name.
public enum FeedbackRegistry {
  /// The links, in the order in which `csilink list` shows them.
  public static let links: [any (FeedbackLink & Part).Type] = [
    IdealFeedback.self, BinarySymmetricFeedback.self, BPSKFeedback.self, QPSKFeedback.self,
    AnalogueFeedback.self, ErasureFeedback.self, PolarFeedback.self,
  ]
}
