import Parts

/// Every feedback link a scenario can name.
public enum FeedbackRegistry {
  public static let links: [any (FeedbackLink & Part).Type] = [
    IdealFeedback.self, BinarySymmetricFeedback.self, BPSKFeedback.self, QPSKFeedback.self,
    AnalogueFeedback.self,
  ]
}
