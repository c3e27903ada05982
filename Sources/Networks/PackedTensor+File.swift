import DataFiles

/// How packed weights lie in a safetensors file: `KEY` holds the bytes, `KEY_scale` what they are multiplied with.
///
/// Signs are of type `U8`, bit i % 8 of byte i / 8 being 1 for weight i > 0, row-major (`unpackbits(..., bitorder="little")`
/// of NumPy); their scale is one number.
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
    }
  }

  /// The packed weight of a file; nil if the file holds real values.
  ///
  /// - Parameters:
  ///   - tensors: of the file.
  ///   - key: in the file.
  ///   - name: of the parameter, for errors.
  ///   - count: values of the parameter.
  /// - Throws: ``NetworkError`` for bytes or scales that do not fit.
  init?(
    _ tensors: [String: NumericArray], _ key: String, name: String, count: Int
  ) throws(NetworkError) {
    guard let array = tensors[key], array.elementType == .uint8 else { return nil }
    guard array.shape == [(count + 7) / 8] else {
      throw .unexpectedShape(name, expected: [(count + 7) / 8], found: array.shape)
    }
    let bytes = array.floats().map { UInt8($0) }
    guard SignTensor.isWhole(bytes, count: count) else {
      throw .unexpectedValue(name, expected: "bits of 0 behind the last of \(count) weights")
    }
    guard let scales = tensors[Self.scaleKey(key)] else {
      throw .missingTensor(Self.scaleKey(name))
    }
    guard scales.shape == [1] else {
      throw .unexpectedShape(Self.scaleKey(name), expected: [1], found: scales.shape)
    }
    let scale = scales.floats()[0]
    guard !scales.elementType.isInteger, scale.isFinite, scale >= 0 else {
      throw .unexpectedValue(Self.scaleKey(name), expected: "a finite scale of at least 0")
    }
    self = .signs(SignTensor(count: count, bytes: bytes, scale: scale))
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
    guard network.precision(of: parameter) != .real else { return nil }
    return try PackedTensor(tensors, key, name: name, count: parameter.count)
  }
}
