import Coding
import LinkMath
import Networks
import Parts

/// Codebooks of single outputs that are trained together with the autoencoder, and bits that move between the outputs.
///
/// Output m has 2^B_m codewords w, and every value z becomes its nearest one, z^q; the gradient passes straight through. The
/// autoencoder's loss gets `mean over the batch of Σ_m β'_m (z_m^q - z_m)²` with z^q constant, the codebooks have the loss
/// `mean over the batch of Σ_m (z_m^q - z_m)²` with z constant. The weight of codeword j is `β'_m = β (w_{j+1} - w_{j-1})`, of the first one
/// `2 β (w_2 - w_1)`, of the last one alike, and counts as a constant. An output without bits becomes its one codeword, has β' = 0 and
/// blocks the gradient.
///
/// Codebooks start at the exact k-means of the encoder's outputs and are sorted after each update. After each epoch bits move between
/// the outputs (`BitAllocation`) by the errors of exact k-means on a sample of codewords; an output whose bits changed gets the k-means
/// codebook, of which the optimiser has no memory. Its moments stay with the rank of a codeword where sorting exchanges two.
///
/// Without adaptive weights β' is β throughout.
///
/// Reference: M. Yin, S. Han, C. Yang, Quantization Design for Deep Learning-Based CSI Feedback, 2025, arXiv:2503.08125.
public final class CodebookStep: QuantizerStepPart, @unchecked Sendable {
  // Sendable: one owner trains; judging only reads the codebooks, which change between batches.

  static let weight = Parameter.number(
    "quantizer.beta", default: 0.25, in: 0...100,
    "Weight β of the quantisation error in the loss, 0.01 to 0.25 in the paper (quantizer: codebooks, vector)."
  )
  static let adaptive = Parameter.flag(
    "quantizer.adaptive", default: true,
    "Whether a codeword's weight is β times the distance of its neighbours (quantizer: codebooks).")
  static let reallocate = Parameter.flag(
    "quantizer.reallocate", default: true,
    "Whether bits move between the outputs after each epoch (quantizer: codebooks).")
  static let limit = Parameter.integer(
    "quantizer.max_bits", default: 10, in: 1...12, "Most bits of an output (quantizer: codebooks).")
  static let settled = Parameter.integer(
    "quantizer.settled", default: 50, in: 1...1_000_000,
    "Epochs without a move after which the bits stay (quantizer: codebooks).")

  public static let word = "codebooks"
  public static let summary = "trained codebooks of single outputs, among which bits move"
  public static let keys =
    [
      QuantizerKeys.bits, QuantizerKeys.samples, limit, settled,
    ].map(\.declaration) + [weight.declaration, adaptive.declaration, reallocate.declaration]

  /// [output, 2^limit], the first 2^B_m of each in use.
  private let values: TrainableValues
  private let beta: Float
  private let isAdaptive, reallocates: Bool
  private let maximum, patience: Int
  public let sampleCount: Int
  private var codebooks: ScalarCodebooks
  /// Epochs since the last move of a bit.
  private var stillEpochs = 0
  /// Gradient of the quantisation error in the last pass's codewords.
  private var pull: [Float] = []

  /// Reads the keys below `quantizer`.
  public convenience init(_ settings: Settings, for network: NetworkChoice, seed: UInt64)
    throws(SettingsError)
  {
    let (bits, maximum) = (settings[QuantizerKeys.bits], settings[Self.limit])
    guard bits <= maximum else {
      throw SettingsError(
        part: settings.part, key: Self.limit.key,
        reason: "must be at least quantizer.bits = \(bits), got \(maximum)")
    }
    try QuantizerKeys.checkSamples(settings, bits: settings[Self.reallocate] ? maximum : bits)
    self.init(
      bits: [Int](repeating: bits, count: network.autoencoder.codewordLength), limit: maximum,
      beta: settings[Self.weight], isAdaptive: settings[Self.adaptive],
      reallocates: settings[Self.reallocate], sampleCount: settings[QuantizerKeys.samples],
      patience: settings[Self.settled])
  }

  /// - Parameters:
  ///   - bits: B_m of each output at the start.
  ///   - limit: most bits of an output.
  ///   - beta: β.
  ///   - isAdaptive: whether β' depends on the distance of neighbouring codewords.
  ///   - reallocates: whether bits move after each epoch.
  ///   - sampleCount: codewords that codebooks and bits are fitted on.
  ///   - patience: epochs without a move after which the bits stay.
  public init(
    bits: [Int], limit: Int, beta: Double, isAdaptive: Bool = true, reallocates: Bool = true,
    sampleCount: Int = 2000, patience: Int = 50
  ) {
    precondition(bits.allSatisfy { (0...limit).contains($0) })
    values = TrainableValues(bits.count << limit)
    (maximum, self.patience, self.sampleCount) = (limit, patience, sampleCount)
    (self.beta, self.isAdaptive, self.reallocates) = (Float(beta), isAdaptive, reallocates)
    codebooks = ScalarCodebooks(bits.map { [Float](repeating: 0, count: 1 << $0) })
  }

  public var parameters: TrainableValues? { values }

  /// B_m of each output.
  public var bits: [Int] { codebooks.bits }

  /// The codewords of an output, ascending.
  public func codebook(of output: Int) -> [Float] { Array(codebooks[output]) }

  /// Places of an output among the parameters.
  private func places(_ output: Int) -> Range<Int> {
    output << maximum..<output << maximum + 1 << codebooks.bits[output]
  }

  public func begin(_ sample: RealArray) throws {
    set(try sample.codebookTable().codebooks(bits: bits))
  }

  /// Sets all codebooks.
  ///
  /// - Precondition: at most the limit of bits.
  public func set(_ codebooks: ScalarCodebooks) {
    self.codebooks = codebooks
    for output in bits.indices {
      for (place, value) in zip(places(output), codebooks[output]) { values.values[place] = value }
    }
  }

  /// Quantises; in training it also forms the gradients of the codebooks.
  ///
  /// - Returns: the quantisation error of the autoencoder's loss; zero where the network is judged.
  /// - Complexity: B_m comparisons for each value.
  public func forward(_ codewords: UnsafeMutablePointer<Float>, _ pass: CodewordPass) -> Double {
    guard pass.isTraining else {
      codebooks.quantize(codewords, samples: pass.samples)
      return 0
    }
    let count = pass.samples * pass.length
    let scale = 2 / Float(pass.samples)
    let gradients = values.gradients
    gradients.update(repeating: 0)
    pull.removeAll(keepingCapacity: true)
    var error = 0.0
    for i in 0..<count {
      let output = i % pass.length
      let index = codebooks.nearest(codewords[i], output: output)
      let codeword = codebooks.level(index, output: output)
      let gap = codeword - codewords[i]
      let weight = weight(of: index, output: output)
      error += Double(weight * gap * gap)
      pull.append(-scale * weight * gap)
      gradients[output << maximum + index] += scale * gap
      codewords[i] = codeword
    }
    return error / Double(pass.samples)
  }

  /// β' of a codeword.
  public func weight(of index: Int, output: Int) -> Float {
    let codebook = codebooks[output]
    guard codebook.count > 1 else { return 0 }
    guard isAdaptive else { return beta }
    let (first, last) = (codebook.startIndex, codebook.endIndex - 1)
    switch first + index {
    case first: return 2 * beta * (codebook[first + 1] - codebook[first])
    case last: return 2 * beta * (codebook[last] - codebook[last - 1])
    case let place: return beta * (codebook[place + 1] - codebook[place - 1])
    }
  }

  public func backward(_ gradient: UnsafeMutablePointer<Float>, _ pass: CodewordPass) {
    for i in 0..<pass.samples * pass.length {
      let passes = codebooks.bits[i % pass.length] > 0
      gradient[i] = (passes ? gradient[i] : 0) + pull[i]
    }
  }

  /// Sorts the codewords of each output.
  public func finishUpdate() throws {
    try values.requireFinite()
    var sorted: [[Float]] = []
    for output in bits.indices {
      let places = places(output)
      var codebook = UnsafeMutableBufferPointer(rebasing: values.values[places])
      if !zip(codebook, codebook.dropFirst()).allSatisfy({ $0 <= $1 }) { codebook.sort() }
      sorted.append(Array(codebook))
    }
    codebooks = ScalarCodebooks(sorted)
  }

  public func endEpoch(_ sample: RealArray) throws -> [Range<Int>] {
    guard reallocates, stillEpochs < patience else { return [] }
    let table = try sample.codebookTable()
    let wanted = BitAllocation.swapped(from: bits, limit: maximum) { table.loss($0, bits: $1) }
    let moved = bits.indices.filter { wanted[$0] != bits[$0] }
    stillEpochs = moved.isEmpty ? stillEpochs + 1 : 0
    var all = bits.indices.map { codebook(of: $0) }
    for output in moved { all[output] = table.levels(output, bits: wanted[output]).map(Float.init) }
    set(ScalarCodebooks(all))
    return moved.map { $0 << maximum..<($0 + 1) << maximum }
  }

  public var state: [String: [Float]] {
    get {
      [
        "bits": bits.map { Float($0) }, "levels": codebooks.levels,
        "still_epochs": [Float(stillEpochs)],
      ]
    }
    set {
      let bits = newValue["bits"]!.map { Int($0) }
      let levels = newValue["levels"]!
      var start = 0
      set(
        ScalarCodebooks(
          bits.map { width in
            defer { start += 1 << width }
            return Array(levels[start..<start + 1 << width])
          }))
      stillEpochs = Int(newValue["still_epochs"]![0])
    }
  }

  public var tables: [String: RealArray] { codebooks.tables }
}
