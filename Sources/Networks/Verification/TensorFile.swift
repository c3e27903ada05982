import DataFiles

/// The tensors and texts of a weights or vector file.
public struct TensorFile: Sendable {
  public let metadata: [String: String]
  public let tensors: [String: NumericArray]

  public init(path: String) throws {
    metadata = try ArrayFile.metadata(path)
    var tensors: [String: NumericArray] = [:]
    for array in try ArrayFile.readAll(path) {
      if let name = array.name { tensors[name] = array }
    }
    self.tensors = tensors
  }

  /// Values of a tensor, row-major.
  public func values(_ key: String) throws(NetworkError) -> [Float] {
    guard let array = tensors[key] else { throw .missingTensor(key) }
    return array.floats()
  }

  /// Parameters and statistics of a network, shapes checked; other tensors are ignored.
  ///
  /// - Throws: ``NetworkError/missingTensor(_:)``, ``NetworkError/unexpectedShape(_:expected:found:)``.
  public func weights(for network: Network) throws(NetworkError) -> Weights {
    var weights = Weights()
    for (key, parameter) in network.parameters {
      guard let array = tensors[key] else { throw .missingTensor(key) }
      guard array.shape == parameter.shape else {
        throw .unexpectedShape(key, expected: parameter.shape, found: array.shape)
      }
      weights[key] = array.floats()
    }
    return weights
  }
}
