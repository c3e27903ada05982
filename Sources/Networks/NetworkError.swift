import Parts

/// What can be wrong with a request for a network, its weights or a vector file.
public enum NetworkError: Error, Equatable, CustomStringConvertible {
  case unknownNetwork(String, known: [String])
  case unsupportedCompression(network: String, compression: Int, image: Shape, supported: [Int])
  /// A family that cannot compress images of this size at any ratio.
  case unsupportedImage(network: String, image: Shape, images: String)
  /// Settings that a family of networks does not have, or that do not go together.
  case unfitSettings(SettingsError)
  case missingTensor(String)
  case unexpectedShape(String, expected: [Int], found: [Int])
  case unexpectedElementType(String, found: String)
  case unknownMode(String)
  case missingMetadata(String)
  case unfitMetadata(String, expected: String)
  case needsWholeBatch(String)
  /// The decoder also reads the codeword before the noise.
  case needsCleanCodeword(String)
  /// No weights of a side were named.
  case missingWeights(String)
  case unexpectedValue(String, expected: String)
  /// A training file was to be checked without a training plan.
  case needsTrainingPath

  /// What is wrong, with the place.
  public var description: String {
    switch self {
    case .unknownNetwork(let name, let known):
      "unknown network '\(name)'; known: \(known.joined(separator: ", "))"
    case .unsupportedCompression(let network, let compression, let image, let supported):
      "\(network) is not defined at 1/\(compression)"
        + (image == .publicImage ? "" : " for \(image.imageSize) images") + "; defined: "
        + supported.map { "1/\($0)" }.joined(separator: ", ")
    case .unsupportedImage(let network, let image, let images):
      "\(network) cannot compress images of \(image.imageSize) angles and taps; it needs \(images)"
    case .unfitSettings(let error): "\(error)"
    case .missingTensor(let key): "no tensor '\(key)' in the file"
    case .unexpectedShape(let key, let expected, let found):
      "tensor '\(key)' has shape \(found), expected \(expected)"
    case .unexpectedElementType(let key, let found):
      "tensor '\(key)' holds \(found), expected floating point"
    case .unknownMode(let mode): "unknown mode '\(mode)'; known: eval, train"
    case .unfitMetadata(let key, let expected): "the metadata '\(key)' must be \(expected)"
    case .missingMetadata(let key): "the file's metadata has no '\(key)'"
    case .needsWholeBatch(let network):
      "\(network) attends across the batch, which sample-wise inference cannot do"
    case .needsCleanCodeword(let network):
      "the decoder of \(network) also reads the codeword before the noise, which no receiver has"
    case .missingWeights(let side): "no weights named for the \(side)"
    case .unexpectedValue(let key, let expected): "tensor '\(key)' must hold \(expected)"
    case .needsTrainingPath: "a file of mode 'train' is checked on the training path only"
    }
  }
}
