import LinkMath

/// An autoencoder ready for training steps: encoder, codeword noise, decoder, loss, and all the way back.
public final class AutoencoderTrainer {
  /// What is trained.
  public let autoencoder: Autoencoder
  /// The encoder in both directions.
  public let encoder: TrainingPlan
  /// The decoder in both directions.
  public let decoder: TrainingPlan
  /// Judges beside the target, for losses that ask for it.
  public var teacher: Teacher?
  private let codeword: Int
  /// Values of an input, and of an output.
  private let map, output: Int
  private let pool: WorkerPool
  /// Gradient of the loss with respect to the codewords, for losses that look at them.
  private lazy var codewordGradient = FloatMemory(encoder.capacity * codeword)

  /// - Parameters:
  ///   - autoencoder: what is trained.
  ///   - weights: of both sides.
  ///   - capacity: largest batch.
  ///   - needsInputGradient: whether the gradient of the encoder's input is wanted.
  ///   - pool: divides a batch; the result does not depend on it.
  public init(
    _ autoencoder: Autoencoder, weights: Weights, capacity: Int, needsInputGradient: Bool = false,
    pool: WorkerPool
  ) throws(NetworkError) {
    self.autoencoder = autoencoder
    self.pool = pool
    encoder = try TrainingPlan(
      autoencoder.encoder, weights: weights, capacity: capacity,
      needsInputGradient: needsInputGradient, pool: pool)
    decoder = try TrainingPlan(
      autoencoder.decoder, weights: weights, capacity: capacity, needsInputGradient: true,
      pool: pool)
    codeword = autoencoder.codewordLength
    map = autoencoder.encoder.graph.inputShapes[0].count
    output = autoencoder.decoder.graph.outputShapes[0].count
  }

  /// Forward and backward pass of one batch; gradients are then in both plans.
  ///
  /// - Parameters:
  ///   - input: `[sample, 2, angle, delay]`.
  ///   - target: what the output is compared with, same shape.
  ///   - noise: added to the codeword, `[sample, M]`, constant in the backward pass.
  ///   - loss: what is minimised.
  /// - Returns: the loss.
  public func differentiate(
    _ input: [Float], target: [Float], noise: [Float]? = nil, loss: any Loss = MeanSquareLoss()
  ) -> Double {
    let count = input.count / map
    precondition(input.count == count * map && target.count == count * output)
    precondition(noise == nil || noise!.count == count * codeword)
    return input.withUnsafeBufferPointer { input in
      target.withUnsafeBufferPointer { target in
        differentiate(
          input.baseAddress!, count: count, target: target.baseAddress!, loss: loss
        ) { received in
          if let noise { for i in noise.indices { received[i] += noise[i] } }
        }
      }
    }
  }

  /// Forward and backward pass of `count` samples in the caller's memory.
  ///
  /// - Parameters:
  ///   - input: `[sample, 2, angle, delay]`.
  ///   - count: number of samples.
  ///   - target: what the output is compared with, same shape; the input itself if nil.
  ///   - loss: what is minimised.
  ///   - link: what happens to the codewords `[sample, M]` on their way, in place.
  ///   - linkBack: what happens to their gradient on its way back, in place.
  ///   - lost: samples whose codewords did not arrive, asked behind `link`: their reconstruction has no gradient.
  /// - Returns: the loss.
  public func differentiate(
    _ input: UnsafePointer<Float>, count: Int, target: UnsafePointer<Float>? = nil,
    loss: any Loss = MeanSquareLoss(),
    link: (_ codewords: UnsafeMutablePointer<Float>) -> Void = { _ in },
    linkBack: (_ gradient: UnsafeMutablePointer<Float>) -> Void = { _ in },
    lost: () -> [Int] = { [] }
  ) -> Double {
    let isEncoderFixed = encoder.isFrozen || encoder.network.parameterCount == 0
    encoder.write(from: input, samples: count)
    encoder.forward(count: count, isTraining: !isEncoderFixed)
    let received = decoder.inputMemory()
    received.update(from: encoder.outputMemory(), count: count * codeword)
    if autoencoder.decoder.graph.inputShapes.count > 1 {
      decoder.inputMemory(1).update(from: encoder.outputMemory(), count: count * codeword)
    }
    link(received)
    let needs = type(of: loss).needs
    let runsDecoder =
      !decoder.isFrozen || !needs.isDisjoint(with: [.target, .teacherOutput])
    if runsDecoder { decoder.forward(count: count, isTraining: true) }
    let value = evaluate(loss, input, target ?? input, count)
    if runsDecoder {
      for sample in lost() {
        (decoder.outputGradientMemory() + sample * output).update(repeating: 0, count: output)
      }
      decoder.backward()
    }
    if isEncoderFixed { return value }
    let gradient = encoder.outputGradientMemory()
    if runsDecoder {
      gradient.update(from: decoder.inputGradientMemory(), count: count * codeword)
    } else {
      gradient.update(repeating: 0, count: count * codeword)
    }
    linkBack(gradient)
    if runsDecoder, autoencoder.decoder.graph.inputShapes.count > 1 {
      let clean = decoder.inputGradientMemory(1)
      for i in 0..<count * codeword { gradient[i] += clean[i] }
    }
    if needs.contains(.codeword) {
      for i in 0..<count * codeword { gradient[i] += codewordGradient.pointer[i] }
    }
    encoder.backward()
    return value
  }

  /// The loss of the decoder's outputs; its gradients are then in the decoder and in ``codewordGradient``.
  private func evaluate(
    _ loss: any Loss, _ input: UnsafePointer<Float>, _ target: UnsafePointer<Float>, _ count: Int
  ) -> Double {
    let needs = type(of: loss).needs
    var batch = LossBatch(
      UnsafeBufferPointer(start: decoder.outputMemory(), count: count * output),
      UnsafeBufferPointer(start: target, count: count * output), samples: count, count: output)
    batch.image = autoencoder.encoder.graph.inputShapes[0]
    if needs.contains(.codeword) {
      batch.codeword = LossBatch.Codewords(encoder.outputMemory(), length: codeword)
      codewordGradient.fill(0)
    }
    if needs.contains(.teacherOutput) || needs.contains(.teacherCodeword) {
      guard let teacher else { preconditionFailure("\(type(of: loss)) needs a teacher") }
      teacher.judge(
        input, &batch, needsOutput: needs.contains(.teacherOutput), pool: pool)
    }
    return loss.evaluate(
      batch,
      LossGradients(
        decoder.outputGradientMemory(),
        codeword: needs.contains(.codeword) ? codewordGradient.pointer : nil), pool: pool)
  }

  /// Codewords `[sample, M]` as in a step of the training, the running statistics staying as they are.
  ///
  /// - Parameters:
  ///   - input: `[sample, 2, angle, delay]`.
  ///   - count: number of samples, at most the capacity.
  public func codewords(_ input: UnsafePointer<Float>, count: Int) -> [Float] {
    encoder.write(from: input, samples: count)
    encoder.keepingStatistics { encoder.forward(count: count, isTraining: !encoder.isFrozen) }
    return Array(UnsafeBufferPointer(start: encoder.outputMemory(), count: count * codeword))
  }

  /// Parameters that are not frozen, of the encoder and of the decoder.
  public var groups: [ParameterGroup] { [encoder.group, decoder.group] }

  /// Keeps parameters and statistics as they are from now on; the gradient passes them.
  ///
  /// - Parameter isFrozen: whether a key of a side is frozen.
  public func freeze(_ isFrozen: @escaping (WeightsFile.Side, String) -> Bool) {
    encoder.freeze { isFrozen(.encoder, $0) }
    decoder.freeze { isFrozen(.decoder, $0) }
  }

  /// Gradients of both sides by key.
  public var gradients: [String: [Float]] {
    encoder.gradients.merging(decoder.gradients) { $1 }
  }

  /// Parameters and running statistics of both sides.
  public var weights: Weights { encoder.weights.merging(decoder.weights) }
}
