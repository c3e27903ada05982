import LinkMath
import Parts

/// A source of downlink channels: a statistical model or recorded data.
public protocol ChannelModel: Sendable {
  /// BS antenna ports Nt.
  var portCount: Int { get }

  /// Distance of neighbouring ports in wavelengths, if the ports are one line of antennas; half if the model does not say,
  /// nil for planar and cross-polarised arrays.
  var lineSpacing: Double? { get }

  /// Whether the drops of a run lie in one environment that its seed drew for all of them, and not the scenario.
  var sharesEnvironment: Bool { get }

  /// What is legal but outside what the model was made for; the reason continues "channel.key".
  static func warnings(_ settings: Settings, in context: LinkContext) -> [SettingsError]

  /// The largest delay of the model's paths and the key that sets it; of random delays, the one after which a thousandth of
  /// the energy of a few drops arrives. Nil if the model does not know its delays.
  static func largestDelay(_ settings: Settings, in context: LinkContext) -> LargestDelay?

  /// Whether the channel changes over slots with the speed of the UE.
  static var dependsOnSpeed: Bool { get }

  /// Drops that a domain offers, each with one user; nil for models, which never run out.
  func dropCount(in domain: StreamKey.Domain) -> Int?

  /// The frequency response of a block of drops in each of the slots.
  ///
  /// - Parameters:
  ///   - block: which drops.
  ///   - slots: slot numbers, ascending; time is `slot · slotSeconds`.
  /// - Returns: one array [drop, subcarrier, port] for each slot.
  /// - Throws: for recorded data, when a record cannot be read or is not finite.
  func frequencyResponse(_ block: DropBlock, slots: [Int]) throws -> [ComplexArray]

  /// The same with what `normalise` took out; errors as ``frequencyResponse(_:slots:)``.
  func normalisedResponse(_ block: DropBlock, slots: [Int]) throws -> NormalisedResponse
}

extension ChannelModel {
  /// Half a wavelength.
  public var lineSpacing: Double? { 0.5 }

  /// Nothing to warn about.
  public static func warnings(_ settings: Settings, in context: LinkContext) -> [SettingsError] {
    []
  }

  /// Delays unknown.
  public static func largestDelay(_ settings: Settings, in context: LinkContext) -> LargestDelay? {
    nil
  }

  /// The channel changes.
  public static var dependsOnSpeed: Bool { true }

  /// Each drop has an environment of its own, or the scenario names the seed of the common one.
  public var sharesEnvironment: Bool { false }

  /// As many as are asked for.
  public func dropCount(in domain: StreamKey.Domain) -> Int? { nil }

  /// The responses with gains of one, for models that normalise nothing.
  public func normalisedResponse(_ block: DropBlock, slots: [Int]) throws -> NormalisedResponse {
    let responses = try frequencyResponse(block, slots: slots)
    return NormalisedResponse(
      responses: responses, gains: responses.map { _ in block.drops.map { _ in 1 } })
  }
}

/// The largest delay that a channel's settings make.
public struct LargestDelay: Sendable, Hashable {
  /// The delay in seconds.
  public var seconds: Double
  /// Key of the channel that sets it.
  public var key: String

  /// A delay and the key that sets it.
  public init(seconds: Double, key: String) {
    self.seconds = seconds
    self.key = key
  }

  /// Of the paths of a few drops, each of the same energy: the delay after which a thousandth of the energy is left.
  static func ofDrops(
    key: String, _ reference: DelayReference, _ paths: (DropBlock, Int) -> [PathSet]
  ) -> LargestDelay? {
    let block = DropBlock(0..<64, domain: .fit, seed: 1)
    var arrivals = block.drops.flatMap { drop in
      paths(block, drop).flatMap { paths -> [(delay: Double, share: Double)] in
        var paths = paths
        var lead: Double?
        reference.apply(to: &paths, lead: &lead)
        let energies = paths.energies
        let total = energies.reduce(0, +)
        return total > 0 ? zip(paths.delays, energies).map { ($0, $1 / total) } : []
      }
    }
    arrivals.sort { $0.delay > $1.delay }
    var late = 1e-3 * arrivals.reduce(0) { $0 + $1.share }
    let last = arrivals.first { arrival in
      late -= arrival.share
      return late < 0
    }
    return last.map { LargestDelay(seconds: $0.delay, key: key) }
  }
}

/// Frequency responses and the amplitudes that they were divided by.
public struct NormalisedResponse: Sendable {
  /// One array [drop, subcarrier, port] for each slot.
  public var responses: [ComplexArray]
  /// One amplitude for each slot and drop: the model's own response is the product.
  public var gains: [[Double]]

  /// Responses [drop, subcarrier, port] and gains [drop], both by slot.
  public init(responses: [ComplexArray], gains: [[Double]]) {
    self.responses = responses
    self.gains = gains
  }
}

/// The discrete paths of one drop: what every statistical model produces.
public struct PathSet: Sendable {
  /// Delays in seconds, [path].
  public var delays: [Double]
  /// Complex amplitudes for each slot, [path, port].
  public var amplitudes: [ComplexArray]

  /// Paths with the same delays in all slots.
  ///
  /// - Precondition: every array of amplitudes has one row for each delay.
  public init(delays: [Double], amplitudes: [ComplexArray]) {
    for amplitude in amplitudes { amplitude.requireShape([delays.count, nil], "[path, port]") }
    self.delays = delays
    self.amplitudes = amplitudes
  }

  /// Energies in the first slot, over the ports, [path].
  var energies: [Double] {
    delays.indices.map { path in
      (0..<amplitudes[0][dimension: 1]).reduce(0) { sum, port in
        let gain = amplitudes[0][path, port]
        return sum + Double(gain.real * gain.real + gain.imaginary * gain.imaginary)
      }
    }
  }
}

/// A channel model made of paths; the wideband response is synthesised in one place, ``WidebandSynthesis``.
public protocol PathChannelModel: ChannelModel {
  /// How paths become a frequency response: grid, delay reference, normalisation.
  var synthesis: WidebandSynthesis { get }

  /// The paths of drop `index` of the block, in each of the slots.
  func paths(_ block: DropBlock, _ index: Int, slots: [Int]) -> PathSet
}
