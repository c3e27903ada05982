/// What can be wrong with a request for a network, its weights or a vector file.
public enum NetworkError: Error, Equatable, CustomStringConvertible {
  case unknownNetwork(String, known: [String])
  case unsupportedCompression(network: String, compression: Int, supported: [Int])
  case missingTensor(String)
  case unexpectedShape(String, expected: [Int], found: [Int])
  case unexpectedElementType(String, found: String)
  case unknownMode(String)
  case missingMetadata(String)
  case needsWholeBatch(String)

  public var description: String {
    switch self {
    case .unknownNetwork(let name, let known):
      "unknown network '\(name)'; known: \(known.joined(separator: ", "))"
    case .unsupportedCompression(let network, let compression, let supported):
      "\(network) is not defined at 1/\(compression); defined: "
        + supported.map { "1/\($0)" }.joined(separator: ", ")
    case .missingTensor(let key): "no tensor '\(key)' in the file"
    case .unexpectedShape(let key, let expected, let found):
      "tensor '\(key)' has shape \(found), expected \(expected)"
    case .unexpectedElementType(let key, let found):
      "tensor '\(key)' holds \(found), expected floating point"
    case .unknownMode(let mode): "unknown mode '\(mode)'; known: eval, train"
    case .missingMetadata(let key): "the file's metadata has no '\(key)'"
    case .needsWholeBatch(let network):
      "\(network) attends across the batch, which sample-wise inference cannot do"
    }
  }
}
