import Parts

extension DropNumber {
  /// Mean over tones of |⟨h, ĥ⟩| / (‖h‖ ‖ĥ‖).
  public static let cosineSimilarity = DropNumber(
    "cosine_similarity", .servedSlots,
    like: Resemblance(.squaredCosineSimilarity) { $0[0].squareRoot() })
  /// Mean over tones of its square.
  public static let squaredCosineSimilarity = DropNumber(
    "squared_cosine_similarity", .servedSlots)
}

extension Column {
  /// `cosine_similarity`: mean over tones of |⟨h, ĥ⟩| / (‖h‖ ‖ĥ‖).
  public static let cosineSimilarity = mean(
    "cosine_similarity", .cosineSimilarity,
    "Mean over tones of |⟨h, ĥ⟩| / (‖h‖ ‖ĥ‖).", label: "cosine similarity")
  /// `sgcs`: mean over tones of the squared cosine similarity.
  public static let squaredCosineSimilarity = mean(
    "sgcs", .squaredCosineSimilarity, "Mean over tones of the squared cosine similarity.")
}

/// Similarity of channel and reconstruction on each tone, which sees neither scale nor phase.
public struct Similarity: Metric {
  public static let schema = PartSchema(
    .metric, "similarity",
    "Similarity of channel and reconstruction on each tone: cosine_similarity, sgcs.")
  public static let numbers: [DropNumber] = [.cosineSimilarity, .squaredCosineSimilarity]
  public static let columns: [Column] = [.cosineSimilarity, .squaredCosineSimilarity]

  public init() {}

  public func add(_ slot: ServedSlot, to sums: inout DropSums) {
    let tones = Double(slot.cosineToneCount)
    for drop in slot.drops {
      sums[drop, 0] += slot.cosines[drop].cosine / tones
      sums[drop, 1] += slot.cosines[drop].squaredCosine / tones
    }
  }
}
