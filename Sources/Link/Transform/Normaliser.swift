import ComplexModule
import LinkMath
import Parts

/// Brings the CSI to the scale of the codec: each drop is divided by a gain that the UE computes.
public protocol Normaliser: Sendable {
  /// How the BS learns the gain.
  var delivery: GainDelivery { get }

  /// The gain of each drop [drop] of CSI [drop, row, column], positive; a drop without energy has gain 1.
  func gains(_ csi: ComplexArray) -> [Float]
}

extension Normaliser {
  /// The BS knows the gain for free.
  public var delivery: GainDelivery { .genie }

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
}

/// Every normaliser a scenario can name.
public enum NormaliserRegistry {
  /// The normalisers, in the order in which `csilink list` shows them.
  public static let normalisers: [any (Normaliser & Part).Type] = [
    MaxModulusNormaliser.self, UnitPowerNormaliser.self, DatasetNormaliser.self,
    NoNormaliser.self,
  ]
}

/// Divides each drop by the largest modulus of its entries, as the public CsiNet data do.
public struct MaxModulusNormaliser: Normaliser, Part {
  public static let schema = PartSchema(
    .normaliser, "sample_max_modulus", "Largest modulus of each drop's CSI becomes 1.",
    parameters: GainDelivery.declarations)

  public let delivery: GainDelivery

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    delivery = try GainDelivery(settings)
  }

  public func gains(_ csi: ComplexArray) -> [Float] {
    csi.gainOfEachRow { $0.reduce(0) { max($0, $1.lengthSquared) }.squareRoot() }
  }
}

/// Divides each drop by the root mean square of its entries.
public struct UnitPowerNormaliser: Normaliser, Part {
  public static let schema = PartSchema(
    .normaliser, "sample_unit_power", "Mean power of each drop's CSI becomes 1.",
    parameters: GainDelivery.declarations)

  public let delivery: GainDelivery

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    delivery = try GainDelivery(settings)
  }

  public func gains(_ csi: ComplexArray) -> [Float] {
    csi.gainOfEachRow { values in
      Float(
        (values.reduce(0.0) { $0 + Double($1.lengthSquared) } / Double(values.count)).squareRoot())
    }
  }
}

/// Divides all drops by one root mean square learned from drops, which the BS knows.
public struct DatasetNormaliser: Normaliser, Part {
  static let fitDrops = Parameter.integer(
    "fit.drops", default: 500, in: 1...1_000_000, "Drops that the dataset gain is learned from.")

  public static let schema = PartSchema(
    .normaliser, "dataset", "One constant for all drops, learned from drops: mean power becomes 1.",
    parameters: [fitDrops.declaration])

  private let gain: Float

  /// A normaliser of the fitted `dataset_gain` [1].
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    guard let learned = fitted?["dataset_gain"] else {
      preconditionFailure("dataset normaliser made without its fitted gain")
    }
    gain = learned[0]
  }

  public static func fitting(_ settings: Settings, in context: LinkContext) throws -> Fitting? {
    Fitting(
      dropCount: settings[fitDrops], signature: "dataset gain", shapes: ["dataset_gain": [1]]
    ) { DatasetGainFitter() }
  }

  public func gains(_ csi: ComplexArray) -> [Float] { csi.gainOfEachRow { _ in gain } }
}

/// Leaves the CSI as it is.
public struct NoNormaliser: Normaliser, Part {
  public static let schema = PartSchema(.normaliser, "none", "CSI is passed on as it is.")

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) {}

  public func gains(_ csi: ComplexArray) -> [Float] { csi.gainOfEachRow { _ in 1 } }
}

extension Tensor where Element == ComplexFloat {
  /// What a rule makes of each row of [drop, ...]; 1 for a gain that is not positive.
  fileprivate func gainOfEachRow(_ rule: (UnsafeBufferPointer<ComplexFloat>) -> Float) -> [Float] {
    let size = rowStride
    return withUnsafeElements { values in
      (0..<count / Swift.max(size, 1)).map { row in
        let gain = rule(UnsafeBufferPointer(rebasing: values[row * size..<(row + 1) * size]))
        return gain > 0 ? gain : 1
      }
    }
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
