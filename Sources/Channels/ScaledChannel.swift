import LinkMath
import Parts

/// A channel whose responses are all divided by one amplitude: what `normalise: dataset` makes of a model.
public struct ScaledChannel: ChannelModel {
  private let model: any ChannelModel
  private let amplitude: Double

  /// - Parameters:
  ///   - model: the channel that is scaled.
  ///   - fitted: the result of ``PowerScaling/fitting(_:)``.
  public init(_ model: any ChannelModel, _ fitted: Artefact) {
    guard let power = fitted[PowerScaling.powerName] else {
      preconditionFailure("a scaled channel made without its fitted power")
    }
    self.model = model
    amplitude = Double(power[0]).squareRoot()
  }

  public var portCount: Int { model.portCount }
  public var lineSpacing: Double? { model.lineSpacing }
  public var sharesEnvironment: Bool { model.sharesEnvironment }

  public func dropCount(in domain: StreamKey.Domain) -> Int? { model.dropCount(in: domain) }

  public func frequencyResponse(_ block: DropBlock, slots: [Int]) throws -> [ComplexArray] {
    try normalisedResponse(block, slots: slots).responses
  }

  public func normalisedResponse(_ block: DropBlock, slots: [Int]) throws -> NormalisedResponse {
    var drawn = try model.normalisedResponse(block, slots: slots)
    let factor = Float(1 / amplitude)
    for slot in drawn.responses.indices {
      let count = 2 * drawn.responses[slot].count
      drawn.responses[slot].withUnsafeMutableFloats { values in
        for i in 0..<count { values[i] *= factor }
      }
    }
    drawn.gains = drawn.gains.map { $0.map { $0 * amplitude } }
    return drawn
  }
}

extension PowerScaling {
  static let powerName = "channel_power"

  /// The key that every channel model offers beside `normalise`.
  public static let fitDrops = Parameter<Int?>.optional(
    "fit.drops", .integer(1...1_000_000),
    "Drops that the factor of 'normalise: dataset' is learned from; 500 if left out.")

  /// How to learn the factor of a channel; nil if its settings do not ask for one.
  ///
  /// - Throws: if drops are given that nothing would be learned from.
  public static func fitting(_ settings: Settings) throws(SettingsError) -> Fitting? {
    let drops = settings.values[fitDrops.key]?.asNumber.map { Int($0) }
    guard settings.values["normalise"] == .text(PowerScaling.dataset.rawValue) else {
      try settings.refuse(fitDrops, unless: false, "normalise: dataset")
      return nil
    }
    return Fitting(
      dropCount: drops ?? 500, signature: "channel power", shapes: [powerName: [1]]
    ) { ChannelPowerFitter() }
  }
}

/// Learns the mean power of an entry over drops.
struct ChannelPowerFitter: Fitter {
  private var energy = 0.0
  private var count = 0

  mutating func add(_ input: StageInput) {
    guard case .response(let response) = input else {
      preconditionFailure("a channel's power is learned from frequency responses")
    }
    energy += response.energy
    count += response.count
  }

  func finish() throws -> Artefact {
    guard count > 0, energy > 0 else {
      throw SettingsError(
        part: "channel", key: "normalise", reason: "cannot learn a power: the drops have no energy")
    }
    return Artefact([
      PowerScaling.powerName: RealArray([Float(energy / Double(count))], shape: [1])
    ])
  }
}
