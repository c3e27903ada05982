import LinkMath
import Networks

/// Everything that the weights of a training depend on: network, ratio, image, settings, data, seed, link, weights to start from,
/// program and instruction level.
///
/// Its digest marks checkpoints and weights, so that trainings are never mixed up.
public struct Recipe: Hashable, Sendable {
  /// Texts, each naming one thing.
  let ingredients: [String]

  init(
    _ network: NetworkChoice, _ settings: TrainingSettings, dataDigest: String, seed: UInt64,
    startDigests: [String], link: String?
  ) {
    // Gradients are summed lane by lane: the same bytes on one level only.
    ingredients =
      [
        "csilink training 3", ProgramIdentity.text, KernelLevel.name, network.title, "\(seed)",
        settings.signature, dataDigest,
      ] + startDigests + [link].compactMap { $0 }
  }

  /// SHA-256 of the texts.
  public var digest: String { Digest.sha256(ingredients.joined(separator: "\n")) }
}
