/// Values and gradients of a network's parameters in two flat arrays, trainable ones first.
final class ParameterStore: @unchecked Sendable {
  // Sendable: see FloatMemory.
  let keys: [(key: String, parameter: NetworkParameter)]
  let values: FloatMemory
  let gradients: FloatMemory
  let trainableCount: Int
  private let offsets: [ObjectIdentifier: Int]

  init(_ network: Network, _ weights: Weights) throws(NetworkError) {
    try weights.check(network)
    keys =
      network.parameters.filter(\.parameter.isTrainable)
      + network.parameters.filter { !$0.parameter.isTrainable }
    var offsets: [ObjectIdentifier: Int] = [:]
    var end = 0
    for (_, parameter) in keys {
      offsets[ObjectIdentifier(parameter)] = end
      end += parameter.count
    }
    self.offsets = offsets
    trainableCount = network.parameterCount
    values = FloatMemory(end)
    gradients = FloatMemory(trainableCount)
    load(weights)
  }

  func load(_ weights: Weights) {
    for (key, parameter) in keys {
      guard let source = weights[key] else { continue }
      value(parameter).update(from: source, count: parameter.count)
    }
  }

  func offset(_ parameter: NetworkParameter) -> Int { offsets[ObjectIdentifier(parameter)]! }

  func value(_ parameter: NetworkParameter) -> UnsafeMutablePointer<Float> {
    values.pointer + offset(parameter)
  }

  func gradient(_ parameter: NetworkParameter) -> UnsafeMutablePointer<Float> {
    precondition(parameter.isTrainable)
    return gradients.pointer + offset(parameter)
  }

  var weights: Weights {
    var result = Weights()
    for (key, parameter) in keys {
      result[key] = Array(UnsafeBufferPointer(start: value(parameter), count: parameter.count))
    }
    return result
  }

  var gradientsByKey: [String: [Float]] {
    var result: [String: [Float]] = [:]
    for (key, parameter) in keys where parameter.isTrainable {
      result[key] = Array(UnsafeBufferPointer(start: gradient(parameter), count: parameter.count))
    }
    return result
  }
}
