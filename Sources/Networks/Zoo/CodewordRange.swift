import Parts

/// Where the values of a codeword lie: a key of every family, `acrnet {codeword: sigmoid}`.
///
/// The saturating function stands behind the encoder's last layer and belongs to the encoder (Z. Lu et al., Binarized Aggregated Network
/// with Quantization, IEEE Trans. Wireless Commun. 2022, equation 12); the decoder gets its values as they are.
public enum CodewordRange: String, Choice {
  /// As the family defines it, most often unbounded.
  case linear
  /// In 0...1 by a logistic sigmoid.
  case sigmoid
  /// In -1...1 by a hyperbolic tangent.
  case tanh

  static let parameter = Parameter<CodewordRange>.choice(
    "codeword", default: .linear,
    "What stands behind the encoder: nothing, a sigmoid for codewords in [0, 1], or tanh for [-1, 1]."
  )

  /// The autoencoder with the function behind its encoder.
  func bounding(_ autoencoder: Autoencoder) -> Autoencoder {
    let function: Pointwise
    switch self {
    case .linear: return autoencoder
    case .sigmoid: function = .sigmoid
    case .tanh: function = .tanh
    }
    return Autoencoder(
      name: autoencoder.name, compression: autoencoder.compression,
      encoder: autoencoder.encoder.appending("codeword", function), decoder: autoencoder.decoder)
  }
}

extension NetworkFamily {
  /// ``schema`` with the keys that every family has.
  static var fullSchema: PartSchema {
    PartSchema(
      schema.section, schema.name, schema.summary, reference: schema.reference,
      parameters: schema.parameters + LowPrecision.parameters
        + [CodewordRange.parameter.declaration])
  }
}
