import DataFiles

/// How packed weights lie in a safetensors file: `KEY` holds the bytes, `KEY_scale` what they are multiplied with.
///
/// Signs are of type `U8`, bit i % 8 of byte i / 8 being 1 for weight i > 0, row-major (`unpackbits(..., bitorder="little")`
/// of NumPy); their scale is one number. 8-bit integers are of type `I8` and have the shape of the weight, with a scale for each
/// row of the first axis or one for all.
extension PackedTensor {
  private static func scaleKey(_ key: String) -> String { key + "_scale" }

  /// The tensors of a file.
  func arrays(_ key: String, shape: [Int]) -> [NumericArray] {
    switch self {
    case .signs(let signs):
      [
        NumericArray(
          name: key, shape: [signs.bytes.count], type: .uint8, integers: signs.bytes.map { Int($0) }
        ),
        NumericArray(name: Self.scaleKey(key), shape: [1], floats: [signs.scale]),
      ]
    case .int8(let tensor):
      [
        NumericArray(
          name: key, shape: shape, type: .int8, integers: tensor.integers.map { Int($0) }),
        NumericArray(
          name: Self.scaleKey(key), shape: [tensor.scales.count], floats: tensor.scales),
      ]
    }
  }

  /// The packed weight of a file; nil if the file holds real values.
  ///
  /// - Parameters:
  ///   - tensors: of the file.
  ///   - key: in the file.
  ///   - name: of the parameter, for errors.
  ///   - parameter: the weight.
  ///   - operation: what computes with it.
  /// - Throws: ``NetworkError`` for bytes or scales that do not fit.
  init?(
    _ tensors: [String: NumericArray], _ key: String, name: String, _ parameter: NetworkParameter,
    _ operation: NetworkOperation
  ) throws(NetworkError) {
    guard let (_, precision, rows) = operation.weight, let array = tensors[key] else { return nil }
    func scales(_ count: Int) throws(NetworkError) -> [Float] {
      guard let scales = tensors[Self.scaleKey(key)] else {
        throw .missingTensor(Self.scaleKey(name))
      }
      guard scales.shape == [count] else {
        throw .unexpectedShape(Self.scaleKey(name), expected: [count], found: scales.shape)
      }
      let values = scales.floats()
      guard !scales.elementType.isInteger, values.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
        throw .unexpectedValue(Self.scaleKey(name), expected: "finite scales of at least 0")
      }
      return values
    }
    switch (precision, array.elementType) {
    case (.binary, .uint8):
      let count = parameter.count
      guard array.shape == [(count + 7) / 8] else {
        throw .unexpectedShape(name, expected: [(count + 7) / 8], found: array.shape)
      }
      let bytes = array.floats().map { UInt8($0) }
      guard SignTensor.isWhole(bytes, count: count) else {
        throw .unexpectedValue(name, expected: "bits of 0 behind the last of \(count) weights")
      }
      self = .signs(SignTensor(count: count, bytes: bytes, scale: try scales(1)[0]))
    case (.int8, .int8), (.dynamicInt8, .int8):
      guard array.shape == parameter.shape else {
        throw .unexpectedShape(name, expected: parameter.shape, found: array.shape)
      }
      self = .int8(
        Int8Tensor(integers: array.floats().map { Int8($0) }, scales: try scales(rows)))
    default: return nil
    }
  }
}

extension Weights {
  /// The tensors of a finished weights file of a network.
  func arrays(of network: Network) -> [NumericArray] {
    let finished = packed(for: network)
    return network.parameters.flatMap { key, parameter in
      finished.packed[key]?.arrays(key, shape: parameter.shape) ?? [
        NumericArray(name: key, shape: parameter.shape, floats: finished.values[key]!)
      ]
    }
  }
}

extension TensorFile {
  /// A packed weight that a network computes with; nil for real values.
  func packed(
    _ key: String, _ name: String, _ parameter: NetworkParameter, _ network: Network
  ) throws(NetworkError) -> PackedTensor? {
    guard let operation = network.user(of: parameter) else { return nil }
    return try PackedTensor(tensors, key, name: name, parameter, operation)
  }
}
