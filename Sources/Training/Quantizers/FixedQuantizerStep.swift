import Coding
import LinkMath
import Networks
import Parts

/// Cells that are the same for every output and never move, with a slope that stands for their staircase in the backward pass.
public protocol FixedCells: Sendable {
  /// The word in scenarios, what it does in a phrase, and keys below `training:`; see ``TrainingPart``.
  static var word: String { get }
  /// What it does, in a phrase.
  static var summary: String { get }
  /// Keys below `training:` that it reads.
  static var keys: [ParameterDeclaration] { get }

  /// - Throws: `SettingsError` for a network whose codewords it cannot quantise.
  init(_ settings: Settings, for network: NetworkChoice) throws(SettingsError)

  /// What values of a cell become, ascending, 2^B of them.
  var levels: [Float] { get }

  /// Between the cells, 2^B - 1.
  var thresholds: [Float] { get }

  /// What a gradient is multiplied by on its way back.
  ///
  /// - Parameters:
  ///   - value: that was quantised.
  ///   - level: what it became.
  func slope(at value: Float, level: Float) -> Float
}

extension FixedCells {
  /// 1: straight through.
  public func slope(at value: Float, level: Float) -> Float { 1 }
}

/// A quantiser without parameters inside a training.
public final class FixedQuantizerStep<Cells: FixedCells>: QuantizerStepPart, @unchecked Sendable {
  // Sendable: one owner trains; judging only reads the codebooks, which never change.

  public static var word: String { Cells.word }
  public static var summary: String { Cells.summary }
  public static var keys: [ParameterDeclaration] { Cells.keys }

  private let cells: Cells
  private let codebooks: ScalarCodebooks
  /// Slopes of the last pass.
  private var slopes: [Float] = []

  /// Reads the keys of the cells.
  public init(_ settings: Settings, for network: NetworkChoice, seed: UInt64) throws(SettingsError)
  {
    cells = try Cells(settings, for: network)
    codebooks = ScalarCodebooks(
      levels: cells.levels, thresholds: cells.thresholds,
      outputCount: network.autoencoder.codewordLength)
  }

  /// Quantises.
  ///
  /// - Returns: zero.
  public func forward(_ codewords: UnsafeMutablePointer<Float>, _ pass: CodewordPass) -> Double {
    if pass.isTraining { slopes.removeAll(keepingCapacity: true) }
    for i in 0..<pass.samples * pass.length {
      let output = i % pass.length
      let level = codebooks.nearestLevel(codewords[i], output: output)
      if pass.isTraining { slopes.append(cells.slope(at: codewords[i], level: level)) }
      codewords[i] = level
    }
    return 0
  }

  public func backward(_ gradient: UnsafeMutablePointer<Float>, _ pass: CodewordPass) {
    for i in 0..<pass.samples * pass.length { gradient[i] *= slopes[i] }
  }

  public var tables: [String: RealArray] { codebooks.tables }
}

extension ScalarCodebooks {
  /// The same cells for every output; one threshold less than levels, a power of two.
  init(levels: [Float], thresholds: [Float], outputCount: Int) {
    let row = thresholds + [levels[levels.count - 1]]
    self.init(
      bits: [Int](repeating: levels.count.trailingZeroBitCount, count: outputCount),
      levels: [[Float]](repeating: levels, count: outputCount).flatMap { $0 },
      thresholds: [[Float]](repeating: row, count: outputCount).flatMap { $0 })
  }

  /// The level of an index.
  func level(_ index: Int, output: Int) -> Float { levels[starts[output] + index] }

  /// What a value becomes.
  func nearestLevel(_ value: Float, output: Int) -> Float {
    level(nearest(value, output: output), output: output)
  }

  /// Replaces codewords `[sample, M]` by their levels.
  func quantize(_ codewords: UnsafeMutablePointer<Float>, samples: Int) {
    for i in 0..<samples * count { codewords[i] = nearestLevel(codewords[i], output: i % count) }
  }

  /// What ``TrainedQuantizer`` reads.
  var tables: [String: RealArray] {
    [
      "bits": RealArray(bits.map { Float($0) }, shape: [count]),
      "levels": RealArray(levels, shape: [levels.count]),
      "thresholds": RealArray(thresholds, shape: [thresholds.count]),
    ]
  }
}
