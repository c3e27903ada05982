/// Batch normalisations of another epsilon: no file holds it, and it is not the same everywhere (Keras 1e-3, PyTorch 1e-5).
enum NormalizationEpsilon {
  /// The default of PyTorch's modules.
  static let ofPyTorch = 1e-5

  /// Epsilons of the normalisations of an autoencoder, each once.
  static func values(_ autoencoder: Autoencoder) -> Set<Double> {
    Set(layers(autoencoder).map(\.settings.epsilon))
  }

  /// Weights with which normalisations of their own epsilon do what those of another do.
  ///
  /// `gamma (x - m) / sqrt(v + e)` is `gamma sqrt((v + e') / (v + e)) (x - m) / sqrt(v + e')`.
  static func moved(_ weights: Weights, _ autoencoder: Autoencoder, from epsilon: Double) -> Weights
  {
    let keys = Dictionary(
      (autoencoder.encoder.parameters + autoencoder.decoder.parameters).map {
        (ObjectIdentifier($0.parameter), $0.key)
      }, uniquingKeysWith: { $1 })
    var result = weights
    for layer in layers(autoencoder) where layer.settings.epsilon != epsilon {
      guard let gamma = keys[ObjectIdentifier(layer.gamma)],
        let variance = keys[ObjectIdentifier(layer.runningVariance)],
        let scales = weights[gamma], let variances = weights[variance]
      else { continue }
      result[gamma] = zip(scales, variances).map { scale, variance in
        let ratio = (Double(variance) + layer.settings.epsilon) / (Double(variance) + epsilon)
        return Float(Double(scale) * ratio.squareRoot())
      }
    }
    return result
  }

  /// Note of an import that took no epsilon; nil where there is nothing to say.
  static func note(_ autoencoder: Autoencoder, isKeras: Bool) -> String? {
    let others = values(autoencoder).subtracting([ofPyTorch]).sorted()
    guard !isKeras, let first = others.first else { return nil }
    return
      "normalisations have the epsilon \(first) of \(autoencoder.name)'s definition; if the file is of a PyTorch module "
      + "that keeps the default of \(ofPyTorch), import it with --bn-epsilon \(ofPyTorch)"
  }

  private static func layers(_ autoencoder: Autoencoder) -> [BatchNorm] {
    (autoencoder.encoder.graph.nodes + autoencoder.decoder.graph.nodes).compactMap {
      if case .normalization(let layer) = $0.operation { layer } else { nil }
    }
  }
}
