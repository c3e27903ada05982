import Parts

/// What can be wrong with a request for a network, its weights or a vector file.
public enum NetworkError: Error, Equatable, CustomStringConvertible {
  /// No family or variant has that name.
  case unknownNetwork(String, known: [String])
  /// The network is not defined at that ratio for images of that size.
  case unsupportedCompression(network: String, compression: Int, image: Shape, supported: [Int])
  /// A family that cannot compress images of this size at any ratio.
  case unsupportedImage(network: String, image: Shape, images: String)
  /// Settings that a family of networks does not have, or that do not go together.
  case unfitSettings(SettingsError)
  /// A file lacks a tensor.
  case missingTensor(String)
  /// A tensor has another shape.
  case unexpectedShape(String, expected: [Int], found: [Int])
  /// A tensor has another type of numbers.
  case unexpectedElementType(String, found: String)
  /// A file of expected results is neither of `train` nor of `eval`.
  case unknownMode(String)
  /// A file lacks a text of its metadata.
  case missingMetadata(String)
  /// A text of the metadata says something else.
  case unfitMetadata(String, expected: String)
  /// A network that attends across its batch has no other way to be run.
  case needsWholeBatch(String)
  /// The decoder also reads the codeword before the noise.
  case needsCleanCodeword(String)
  /// No weights of a side were named.
  case missingWeights(String)
  /// A tensor has a value that cannot be.
  case unexpectedValue(String, expected: String)
  /// A network without 8-bit layers.
  case nothingToQuantise(String)
  /// A network that only inference can run.
  case cannotTrain(String)
  /// A network that cannot start as principal components.
  case noPrincipalStart(String, reason: String)
  /// An operation without equivalent in ONNX.
  case notInONNX(String)
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
    case .nothingToQuantise(let network):
      "\(network) has no 8-bit layers; name the network with them, as in 'csinet {int8: both}'"
    case .cannotTrain(let network):
      "\(network) has ranges at run time, which no training follows: train the network without 'int8'"
    case .noPrincipalStart(let network, let reason):
      "\(network) cannot start as principal components: \(reason)"
    case .notInONNX(let operation):
      "'\(operation)' cannot be said with operators of ONNX"
    case .needsTrainingPath: "a file of mode 'train' is checked on the training path only"
    }
  }
}
