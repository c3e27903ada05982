/// The values that the bits or integers of a weight stand for, made from real weights before each pass of a training plan.
final class RoundedWeights: @unchecked Sendable {
  // Sendable: written by one task before the others read.
  private let operation: NetworkOperation
  private let memory: FloatMemory

  /// - Returns: nil for a layer of real weights.
  init?(_ operation: NetworkOperation) {
    guard let (parameter, precision, _) = operation.weight, precision != .real else { return nil }
    self.operation = operation
    memory = FloatMemory(parameter.count)
  }

  /// Row-major, of the last update.
  var pointer: UnsafeMutablePointer<Float> { memory.pointer }

  /// Takes real weights, as many as the layer has.
  func update(_ weights: UnsafePointer<Float>) {
    let real = UnsafeBufferPointer(start: weights, count: memory.count)
    guard operation.weight?.precision != .binary else {
      let scale = SignTensor.scale(real)
      for i in real.indices { memory.pointer[i] = real[i] < 0 ? -scale : scale }
      return
    }
    if let packed = PackedTensor(Array(real), for: operation) { memory.write(packed.values) }
  }
}
