import Foundation
import LinkMath

/// Values of the parameters of one or more networks, by key.
public struct Weights: Sendable, Equatable {
  /// Values by key, row-major.
  public var values: [String: [Float]]
  /// Weights that take less than 32 bits a value, by key; a key stands here or in ``values``.
  public var packed: [String: PackedTensor] = [:]

  /// Holds the given values.
  public init(_ values: [String: [Float]] = [:]) { self.values = values }

  /// The values of one parameter; those that a packed one stands for.
  public subscript(key: String) -> [Float]? {
    get { values[key] ?? packed[key]?.values }
    set {
      values[key] = newValue
      packed[key] = nil
    }
  }

  /// Initial values as each layer declares them, drawn in the order of the network's parameters.
  public static func initial(_ network: Network, using stream: inout RandomStream) -> Weights {
    var weights = Weights()
    for (key, parameter) in network.parameters {
      weights.values[key] = parameter.initialValues(using: &stream)
    }
    return weights
  }

  /// The values of both, `other` winning.
  public func merging(_ other: Weights) -> Weights {
    var merged = Weights(values.merging(other.values) { $1 })
    merged.packed = packed.merging(other.packed) { $1 }
    for key in other.values.keys { merged.packed[key] = nil }
    for key in other.packed.keys { merged.values[key] = nil }
    return merged
  }

  /// The values of a network's parameters alone.
  public func of(_ autoencoder: Autoencoder) -> Weights {
    let keys = Set((autoencoder.encoder.parameters + autoencoder.decoder.parameters).map(\.key))
    var result = Weights(values.filter { keys.contains($0.key) })
    result.packed = packed.filter { keys.contains($0.key) }
    return result
  }

  /// The weights as a finished file holds them: those that a network computes with in few bits are packed.
  public func packed(for network: Network) -> Weights {
    var result = self
    for (key, parameter) in network.parameters {
      guard let values = values[key],
        let packed = PackedTensor(values, for: network.user(of: parameter))
      else { continue }
      result[key] = nil
      result.packed[key] = packed
    }
    return result
  }

  /// Checks that every parameter of the network is present with its size and with values that it can have.
  public func check(_ network: Network) throws(NetworkError) {
    for (key, parameter) in network.parameters {
      if let packed = packed[key] {
        try check(packed, key, parameter, network)
        continue
      }
      guard let found = values[key] else { throw .missingTensor(key) }
      guard found.count == parameter.count else {
        throw .unexpectedShape(key, expected: parameter.shape, found: [found.count])
      }
      guard found.allSatisfy(\.isFinite) else {
        throw .unexpectedValue(key, expected: "finite values")
      }
      if key.hasSuffix("running_var"), found.contains(where: { $0 < 0 }) {
        throw .unexpectedValue(key, expected: "variances of at least zero")
      }
      if key.hasSuffix("input_range"), !(found[0] <= 0 && found[1] >= 0) {
        throw .unexpectedValue(key, expected: "a range that contains 0")
      }
    }
  }

  private func check(
    _ packed: PackedTensor, _ key: String, _ parameter: NetworkParameter, _ network: Network
  ) throws(NetworkError) {
    guard packed.count == parameter.count else {
      throw .unexpectedShape(key, expected: parameter.shape, found: [packed.count])
    }
    guard packed.suits(network.user(of: parameter)) else {
      throw .unexpectedValue(key, expected: "the kind of numbers that the layer computes with")
    }
    guard packed.isFinite else { throw .unexpectedValue(key, expected: "finite scales") }
  }
}

extension NetworkParameter {
  func initialValues(using stream: inout RandomStream) -> [Float] {
    switch initialization {
    case .constant(let value): [Float](repeating: value, count: count)
    case .uniform(let bound):
      (0..<count).map { _ in Float(bound * (2 * stream.uniform() - 1)) }
    case .normal(let deviation):
      stream.normal(count: count).map { Float(deviation * Double($0)) }
    case .truncatedNormal(let deviation):
      (0..<count).map { _ in
        // Rejection from the box [-2, 2]: accepted with probability exp(-x²/2).
        while true {
          let x = 4 * stream.uniform() - 2
          if stream.uniform() < exp(-x * x / 2) {
            return Float(deviation * x)
          }
        }
      }
    }
  }
}
