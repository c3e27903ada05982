import Coding
import LinkMath
import Networks
import Parts

/// One trained codebook for all groups of L neighbouring outputs.
///
/// Each of the M/L vectors z becomes the nearest e of 2^(L B) vectors; the gradient passes straight through. The loss gets
/// `mean (e - sg(z))² + β mean (z - sg(e))²` over the values that are quantised, sg meaning that no gradient passes. The first codebook is
/// uniform in ±1/L. In the last `ordered_epochs` a number of vectors, uniform in 1...M/L, is drawn for each sample and those
/// behind it are zero, so that any prefix of a codeword decodes afterwards.
///
/// Reference: A. van den Oord, O. Vinyals, K. Kavukcuoglu, Neural Discrete Representation Learning, NeurIPS 2017, arXiv:1711.00937; V. Rizzello,
/// M. Nerini, M. Joham, B. Clerckx, W. Utschick, User-Driven Adaptive CSI Feedback With Ordered Vector Quantization, IEEE Wireless Commun.
/// Lett. 2023.
public final class VectorStep: QuantizerStepPart, @unchecked Sendable {
  // Sendable: one owner trains; judging only reads the codebook, which changes between batches.

  static let length = Parameter.integer(
    "quantizer.length", default: 2, in: 1...16,
    "Outputs L of a vector, a divisor of M with L · bits at most 14 (quantizer: vector).")
  static let ordered = Parameter.integer(
    "quantizer.ordered_epochs", default: 0, in: 0...1_000_000,
    "Last epochs in which only a drawn number of vectors is kept (quantizer: vector).")

  public static let word = "vector"
  public static let summary = "one trained codebook for groups of outputs"
  public static let dependsOnEpochs = true
  public static let keys =
    [
      QuantizerKeys.bits, length, ordered,
    ].map(\.declaration) + [CodebookStep.weight.declaration]

  /// [vector, L].
  private let values: TrainableValues
  private let length: Int
  private let beta: Float
  private let orderedFrom: Int
  private let seed: UInt64
  private var codebook: VectorCodebook
  /// Of the last pass: gradient of the commitment, and vectors of each sample that were kept.
  private var pull: [Float] = []
  private var kept: [Int] = []

  /// Reads `quantizer.bits`, `quantizer.length`, `quantizer.beta`, `quantizer.ordered_epochs`.
  public convenience init(_ settings: Settings, for network: NetworkChoice, seed: UInt64)
    throws(SettingsError)
  {
    let (length, bits) = (settings[Self.length], settings[QuantizerKeys.bits])
    let outputs = network.autoencoder.codewordLength
    guard outputs % length == 0 else {
      throw SettingsError(
        part: settings.part, key: Self.length.key,
        reason: "must divide the \(outputs) outputs of \(network.title), got \(length)")
    }
    guard length * bits <= 14 else {
      throw SettingsError(
        part: settings.part, key: Self.length.key,
        reason: "must keep L · bits at most 14, got \(length) · \(bits)",
        hint: "a codebook has 2^(L · bits) vectors")
    }
    self.init(
      length: length, bits: length * bits, beta: settings[CodebookStep.weight],
      orderedFrom: settings[TrainingSettings.epochs] - settings[Self.ordered], seed: seed)
  }

  /// - Parameters:
  ///   - length: L.
  ///   - bits: of an index, L B.
  ///   - beta: weight of the commitment.
  ///   - orderedFrom: first epoch in which vectors are left out.
  ///   - seed: of the first codebook and of the numbers of vectors.
  public init(length: Int, bits: Int, beta: Double, orderedFrom: Int, seed: UInt64) {
    values = TrainableValues(length << bits)
    (self.length, self.beta, self.orderedFrom) = (length, Float(beta), orderedFrom)
    self.seed = seed
    // Instances 0 and 1 draw the weights of encoder and decoder.
    var stream = StreamKey(
      seed: seed, domain: .initialisation, purpose: .initialisation, instance: 2
    ).stream(drop: 0)
    for i in values.values.indices {
      values.values[i] = Float((2 * stream.uniform() - 1) / Double(length))
    }
    codebook = Self.codebook(values, length)
  }

  private static func codebook(_ values: TrainableValues, _ length: Int) -> VectorCodebook {
    VectorCodebook(Array(values.values), length: length)
  }

  public var parameters: TrainableValues? { values }

  /// The codebook [vector, L].
  public var vectors: RealArray {
    RealArray(codebook.vectors, shape: [codebook.count, length])
  }

  /// Quantises; in training it also forms the gradient of the codebook.
  ///
  /// - Returns: the errors of codebook and commitment; zero where the network is judged.
  /// - Complexity: O(2^(L B) M) for each sample.
  public func forward(_ codewords: UnsafeMutablePointer<Float>, _ pass: CodewordPass) -> Double {
    let groups = pass.length / length
    let counts = (0..<pass.samples).map { vectorCount($0, groups, pass) }
    guard pass.isTraining else {
      for first in stride(from: 0, to: pass.samples * pass.length, by: length) {
        _ = quantize(codewords + first)
      }
      return 0
    }
    kept = counts
    pull = [Float](repeating: 0, count: pass.samples * pass.length)
    let gradients = values.gradients
    gradients.update(repeating: 0)
    let scale = 2 / Float(counts.reduce(0, +) * length)
    var error = 0.0
    var received = [Float](repeating: 0, count: length)
    for sample in 0..<pass.samples {
      for group in 0..<groups {
        let first = sample * pass.length + group * length
        guard group < counts[sample] else {
          (codewords + first).update(repeating: 0, count: length)
          continue
        }
        for i in 0..<length { received[i] = codewords[first + i] }
        let index = quantize(codewords + first)
        for i in 0..<length {
          let gap = codewords[first + i] - received[i]
          error += Double(gap * gap)
          gradients[index * length + i] += scale * gap
          pull[first + i] = -beta * scale * gap
        }
      }
    }
    return (1 + Double(beta)) * error * Double(scale) / 2
  }

  /// Replaces L outputs by the nearest vector; its index.
  private func quantize(_ outputs: UnsafeMutablePointer<Float>) -> Int {
    let index = codebook.nearest(UnsafeBufferPointer(start: outputs, count: length))
    for (i, value) in codebook[index].enumerated() { outputs[i] = value }
    return index
  }

  /// Vectors of a sample that are kept.
  private func vectorCount(_ sample: Int, _ groups: Int, _ pass: CodewordPass) -> Int {
    guard pass.isTraining, pass.epoch >= orderedFrom else { return groups }
    var stream = StreamKey(seed: seed, domain: .train, purpose: .selection, instance: 1)
      .stream(drop: pass.first + sample, slot: pass.epoch)
    return 1 + stream.uniform(below: groups)
  }

  public func backward(_ gradient: UnsafeMutablePointer<Float>, _ pass: CodewordPass) {
    for sample in 0..<pass.samples {
      let first = sample * pass.length
      for i in first..<first + pass.length {
        let isKept = i - first < kept[sample] * length
        gradient[i] = isKept ? gradient[i] + pull[i] : 0
      }
    }
  }

  public func finishUpdate() throws {
    try values.requireFinite()
    codebook = Self.codebook(values, length)
  }

  public var state: [String: [Float]] {
    get { ["codebook": Array(values.values)] }
    set {
      _ = values.values.update(fromContentsOf: newValue["codebook"]!)
      codebook = Self.codebook(values, length)
    }
  }

  public var tables: [String: RealArray] { ["codebook": vectors] }
}
