import DataFiles

/// The tensors and texts of a weights or vector file.
public struct TensorFile: Sendable {
  /// Texts beside the tensors.
  public let metadata: [String: String]
  /// Arrays by name.
  public let tensors: [String: NumericArray]

  /// Reads all tensors of a file.
  ///
  /// - Throws: `DataFileError` if it cannot be read.
  public init(path: String) throws {
    metadata = try ArrayFile.metadata(path)
    var tensors: [String: NumericArray] = [:]
    for array in try ArrayFile.readAll(path) {
      if let name = array.name { tensors[name] = array }
    }
    self.tensors = tensors
  }

  /// Values of a floating-point tensor, row-major.
  public func values(_ key: String) throws(NetworkError) -> [Float] { try array(key).floats() }

  /// Values of a tensor with samples of the given shape along the first axis, at least one.
  func samples(_ key: String, of shape: Shape) throws(NetworkError) -> [Float] {
    let array = try array(key)
    guard let count = array.shape.first, count > 0, array.values.count == count * shape.count else {
      throw .unexpectedShape(
        key, expected: [max(array.shape.first ?? 1, 1)] + shape.axes, found: array.shape)
    }
    return array.floats()
  }

  private func array(_ key: String) throws(NetworkError) -> NumericArray {
    guard let array = tensors[key] else { throw .missingTensor(key) }
    guard !array.elementType.isInteger else {
      throw .unexpectedElementType(key, found: array.elementType.rawValue)
    }
    return array
  }

  /// Parameters and statistics of a network, shapes checked; other tensors are ignored.
  ///
  /// A prefix that all keys of the file share is left out: PyTorch's `DataParallel` puts `module.` before them, its
  /// compiler `_orig_mod.`.
  ///
  /// - Throws: ``NetworkError/missingTensor(_:)``, ``NetworkError/unexpectedShape(_:expected:found:)``,
  ///   ``NetworkError/unexpectedElementType(_:found:)``, ``NetworkError/unexpectedValue(_:expected:)``.
  public func weights(for network: Network) throws(NetworkError) -> Weights {
    var weights = Weights()
    let prefix = sharedPrefix(network)
    for (key, parameter) in network.parameters {
      if let packed = try packed(prefix + key, key, parameter, network) {
        weights.packed[key] = packed
        continue
      }
      let array = try array(prefix + key)
      // Scalars may be stored without axes.
      let isScalar = parameter.shape == [1] && array.shape.isEmpty
      guard array.shape == parameter.shape || isScalar else {
        throw .unexpectedShape(key, expected: parameter.shape, found: array.shape)
      }
      weights[key] = array.floats()
    }
    try weights.check(network)
    return weights
  }

  private func sharedPrefix(_ network: Network) -> String {
    guard let key = network.parameters.first?.key, tensors[key] == nil else { return "" }
    let prefix = tensors.keys.filter { $0.hasSuffix(".\(key)") }
      .map { $0.dropLast(key.count) }
      .first { prefix in tensors.keys.allSatisfy { $0.hasPrefix(prefix) } }
    return prefix.map(String.init) ?? ""
  }
}
