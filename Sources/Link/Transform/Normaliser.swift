import ComplexModule
import Foundation
import LinkMath
import Parts

/// Brings the CSI to the scale of the codec and back: each drop is divided by a gain that the UE computes.
///
/// The gain is side information: `genie` gives it to the BS for free (as the papers do), `quantized` sends it with
/// `gain_bits` bits, log-uniform over `gain_range_db`, counted in the payload; `unit` sends nothing and leaves the BS
/// with CSI of the right direction only.
public struct Normaliser: Part {
  public enum Rule: String, Choice {
    /// Divide by the largest modulus of the drop's entries (public CsiNet data).
    case sample_max_modulus
    /// Divide by the root mean square of the drop's entries.
    case sample_unit_power
    /// Divide all drops by one root mean square learned from drops.
    case dataset
    case none
  }
  public enum Gain: String, Choice { case genie, quantized, unit }

  static let gain = Parameter<Gain>.choice(
    "gain", default: .genie,
    "How the BS learns the gain: genie, quantized (in the payload), unit (not at all).")
  static let gainBits = Parameter.integer(
    "gain_bits", default: 6, in: 1...16,
    "Bits of the gain in the payload (gain: quantized), uniform in dB over gain_range_db.")
  static let gainRange = Parameter<[Double]>(
    "gain_range_db", .list(.number(.level, -200...200), count: 2...2), default: [-30, 30],
    "Smallest and largest gain that can be sent (gain: quantized); gains outside are sent as the nearest."
  )
  static let fitDrops = Parameter.integer(
    "fit.drops", default: 500, in: 1...1_000_000, "Drops that the dataset gain is learned from.")

  static func schema(_ rule: Rule, _ summary: String) -> PartSchema {
    let gainKeys = [gain.declaration, gainBits.declaration, gainRange.declaration]
    let keys: [ParameterDeclaration] =
      switch rule {
      case .sample_max_modulus, .sample_unit_power: gainKeys
      case .dataset: [fitDrops.declaration]
      case .none: []
      }
    return PartSchema(.normaliser, rule.rawValue, summary, parameters: keys)
  }

  public static let schemas = [
    schema(.sample_max_modulus, "Largest modulus of each drop's CSI becomes 1."),
    schema(.sample_unit_power, "Mean power of each drop's CSI becomes 1."),
    schema(.dataset, "One constant for all drops, learned from drops: mean power becomes 1."),
    schema(.none, "CSI is passed on as it is."),
  ]
  public static var schema: PartSchema { schemas[0] }

  public let rule: Rule
  /// How the BS learns the gain.
  public let delivery: Gain
  private let gainBitCount: Int
  private let lowestDB: Double
  private let highestDB: Double
  private let constant: Float

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact? = nil) throws {
    guard let rule = Rule(rawValue: settings.part) else {
      preconditionFailure("no normaliser '\(settings.part)'")
    }
    self.rule = rule
    let perSample = rule == .sample_max_modulus || rule == .sample_unit_power
    delivery = perSample ? settings[Self.gain] : .genie
    gainBitCount = delivery == .quantized ? settings[Self.gainBits] : 0
    let range = perSample ? settings[Self.gainRange] : [0, 1]
    (lowestDB, highestDB) = (range[0], range[1])
    guard lowestDB < highestDB else {
      throw SettingsError(
        part: settings.part, key: "gain_range_db", reason: "must be ascending, got \(range)")
    }
    switch rule {
    case .dataset:
      guard let learned = fitted?["dataset_gain"] else {
        preconditionFailure("dataset normaliser made without its fitted gain")
      }
      constant = learned[0]
    default: constant = 1
    }
  }

  public static func fitting(_ settings: Settings, in context: LinkContext) throws -> Fitting? {
    guard settings.part == Rule.dataset.rawValue else { return nil }
    return Fitting(
      dropCount: settings[fitDrops], signature: "dataset gain", shapes: ["dataset_gain": [1]]
    ) { DatasetGainFitter() }
  }

  /// Bits that the gain takes in each payload.
  public var payloadBitCount: Int { gainBitCount }

  /// The gain of each drop [drop]; a drop without energy has gain 1.
  public func gains(_ csi: ComplexArray) -> [Float] {
    let size = csi.rowStride
    return csi.withUnsafeElements { csi in
      (0..<csi.count / max(size, 1)).map { drop in
        let values = csi[drop * size..<(drop + 1) * size]
        let gain: Float =
          switch rule {
          case .sample_max_modulus: values.reduce(0) { max($0, $1.lengthSquared) }.squareRoot()
          case .sample_unit_power:
            Float(
              (values.reduce(0.0) { $0 + Double($1.lengthSquared) } / Double(size)).squareRoot())
          case .dataset, .none: constant
          }
        return gain > 0 ? gain : 1
      }
    }
  }

  /// Each drop of [drop, ...] multiplied by its factor.
  public func scale(_ csi: ComplexArray, by factors: [Float]) -> ComplexArray {
    let size = csi.rowStride
    precondition(factors.count * size == csi.count)
    if factors.allSatisfy({ $0 == 1 }) { return csi }
    var result = ComplexArray(uninitialized: csi.shape)
    csi.withUnsafeElements { source in
      result.withUnsafeMutableElements { target in
        for (drop, factor) in factors.enumerated() {
          for i in drop * size..<(drop + 1) * size {
            target[i] = ComplexFloat(source[i].real * factor, source[i].imaginary * factor)
          }
        }
      }
    }
    return result
  }

  /// The index that is sent for a gain, and back: log-uniform cells over the range, cell centres.
  public func gainIndex(_ gain: Float) -> UInt32 {
    let cells = Double(1 << gainBitCount)
    let position = (20 * log10(Double(gain)) - lowestDB) / (highestDB - lowestDB)
    return UInt32(min(max((position * cells).rounded(.down), 0), cells - 1))
  }

  public func gain(index: UInt32) -> Float {
    let cells = Double(1 << gainBitCount)
    let level = lowestDB + (highestDB - lowestDB) * (Double(index) + 0.5) / cells
    return Float(pow(10, level / 20))
  }
}

/// Learns the root mean square of the CSI entries over drops.
struct DatasetGainFitter: Fitter {
  private var energy = 0.0
  private var count = 0

  mutating func add(_ input: StageInput) {
    guard case .csi(let csi) = input else {
      preconditionFailure("a dataset gain is learned from angular-delay CSI")
    }
    energy += csi.energy
    count += csi.count
  }

  func finish() throws -> Artefact {
    guard count > 0, energy > 0 else {
      throw SettingsError(
        part: "dataset", key: "fit.drops", reason: "cannot learn a gain: the drops have no energy")
    }
    return Artefact([
      "dataset_gain": RealArray([Float((energy / Double(count)).squareRoot())], shape: [1])
    ])
  }
}
