import ComplexModule
import Foundation
import LinkMath
import Parts

/// Orthogonal pilots on every Df-th tone with additive white Gaussian noise: Y[n] = H[n] X + N[n], N ~ CN(0, σ²).
///
/// σ² = 10^(-SNR/10): the SNR is that of a channel with unit mean power per entry and the power unit of
/// ``PilotMatrix/Power``. The least-squares error variance is σ²/c.
public struct OrthogonalPilots: Sendable {
  static let snr = Parameter.number(
    "snr_db", .level, default: 20, in: -100...300,
    "Pilot SNR of a channel of unit mean power: power unit of pilot_power over the noise variance.")
  static let power = Parameter<PilotMatrix.Power>.choice(
    "pilot_power", default: .unitary,
    "Power unit: unitary (X Xᴴ = I), total (per symbol over all antennas), per_antenna.")
  static let length = Parameter<Int?>.optional(
    "length", .integer(1...4096),
    "Pilot symbols Tp, at least one for each antenna; as many as antennas if left out.")
  /// The key that sets every how many tones carry pilots.
  package static let toneSpacing = Parameter.integer(
    "tone_spacing", default: 1, in: 1...4096, "Pilots on every Df-th tone, starting with tone 0.")

  static func schema(_ name: String, _ summary: String) -> PartSchema {
    PartSchema(
      .pilots, name, summary, reference: "orthogonal training, X Xᴴ = c I",
      parameters: [
        snr.declaration, power.declaration, length.declaration, toneSpacing.declaration,
      ])
  }

  /// The pilots X [antenna, symbol] of each pilot tone.
  public let matrix: PilotMatrix
  /// Power unit of the pilots over the noise variance, dB.
  public private(set) var snrDB: Double
  /// Every how many tones carry pilots, starting with tone 0.
  public let toneSpacing: Int
  private let toneCount: Int

  init(_ pattern: PilotMatrix.Pattern, _ settings: Settings, in context: LinkContext) throws {
    let antennas = context.portCount
    let symbols =
      settings[Self.length] ?? (pattern == .hadamard ? antennas.nextPowerOfTwo : antennas)
    let refuse = { (key: String, reason: String, hint: String) in
      SettingsError(part: settings.part, key: key, reason: reason, hint: hint)
    }
    guard symbols >= antennas else {
      throw refuse(
        "length", "must be at least the number of ports \(antennas), got \(symbols)",
        "fewer symbols than ports leave the channel undetermined")
    }
    if pattern == .hadamard, symbols != symbols.nextPowerOfTwo {
      throw refuse(
        "length", "must be a power of two, got \(symbols)", "use \(symbols.nextPowerOfTwo)")
    }
    if pattern == .identity, symbols != antennas {
      throw refuse(
        "length", "must equal the number of ports \(antennas), got \(symbols)", "leave it out")
    }
    toneSpacing = settings[Self.toneSpacing]
    guard context.grid.toneCount % toneSpacing == 0 else {
      throw refuse(
        "tone_spacing", "must divide the \(context.grid.toneCount) tones, got \(toneSpacing)",
        "choose a divisor of \(context.grid.toneCount)")
    }
    matrix = PilotMatrix(
      pattern, antennas: antennas, symbols: symbols, power: settings[Self.power])
    snrDB = settings[Self.snr]
    toneCount = context.grid.toneCount
  }

  func at(snrDB: Double) -> OrthogonalPilots {
    var other = self
    other.snrDB = snrDB
    return other
  }

  var summary: LinkContext.Pilots {
    var pilots = LinkContext.Pilots()
    pilots.toneSpacing = toneSpacing
    pilots.errorVariance = linear(decibels: -snrDB) / matrix.energy
    pilots.snrDB = snrDB
    return pilots
  }

  func observe(_ channel: ComplexArray, _ block: DropBlock, slot: Int) -> PilotObservation {
    channel.requireShape(
      [block.drops.count, toneCount, matrix.antennaCount], "[drop, subcarrier, port]")
    let pilotTones = toneCount / toneSpacing
    let noiseVariance = linear(decibels: -snrDB)
    let (ports, symbols, tile) = (matrix.antennaCount, matrix.symbolCount, PilotMatrix.tile)
    var received = ComplexArray(uninitialized: [block.drops.count, pilotTones, symbols])
    let (gain, deviation) = (Float(matrix.amplitude), Float((noiseVariance / 2).squareRoot()))
    channel.withUnsafeElements { channel in
      received.withUnsafeMutableElements { received in
        for drop in 0..<block.drops.count {
          var noise = block.stream(drop, slot: slot, .pilotNoise)
          for start in stride(from: 0, to: pilotTones, by: tile) {
            let rows = min(tile, pilotTones - start)
            let source = channel.baseAddress! + (drop * toneCount + start * toneSpacing) * ports
            let target = received.baseAddress! + (drop * pilotTones + start) * symbols
            matrix.spread(source, stride: toneSpacing * ports, rows: rows, into: target)
            target.withMemoryRebound(to: Float.self, capacity: 2 * rows * symbols) { floats in
              noise.addNormal(
                to: UnsafeMutableBufferPointer(start: floats, count: 2 * rows * symbols),
                gain: gain, scale: deviation)
            }
          }
        }
      }
    }
    return PilotObservation(
      received: received, pilots: matrix, toneSpacing: toneSpacing, noiseVariance: noiseVariance,
      channel: channel)
  }
}

extension Int {
  var nextPowerOfTwo: Int { self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}

/// All antennas send at once, told apart by phase ramps: `X[k, t] = g exp(-j 2π k t / Tp)`.
public struct DFTPilots: PilotScheme, Part {
  public static let schema = OrthogonalPilots.schema(
    "dft", "DFT pilots on all antennas at once: X[k, t] = g exp(-j 2π k t / Tp).")
  private var pilots: OrthogonalPilots
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    pilots = try OrthogonalPilots(.dft, settings, in: context)
  }
  public var summary: LinkContext.Pilots { pilots.summary }
  public func at(snrDB: Double) -> (any PilotScheme)? {
    var other = self
    other.pilots = pilots.at(snrDB: snrDB)
    return other
  }
  public func observe(_ channel: ComplexArray, _ block: DropBlock, slot: Int) -> PilotObservation {
    pilots.observe(channel, block, slot: slot)
  }
}

/// All antennas send at once, told apart by signs: the first rows of the Sylvester-Hadamard matrix.
public struct HadamardPilots: PilotScheme, Part {
  public static let schema = OrthogonalPilots.schema(
    "hadamard",
    "Pilots of ±g: the first rows of the Sylvester-Hadamard matrix; Tp is a power of two.")
  private var pilots: OrthogonalPilots
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    pilots = try OrthogonalPilots(.hadamard, settings, in: context)
  }
  public var summary: LinkContext.Pilots { pilots.summary }
  public func at(snrDB: Double) -> (any PilotScheme)? {
    var other = self
    other.pilots = pilots.at(snrDB: snrDB)
    return other
  }
  public func observe(_ channel: ComplexArray, _ block: DropBlock, slot: Int) -> PilotObservation {
    pilots.observe(channel, block, slot: slot)
  }
}

/// One antenna sends in each symbol: `X = g I`.
public struct IdentityPilots: PilotScheme, Part {
  public static let schema = OrthogonalPilots.schema(
    "identity", "Time-multiplexed pilots: one antenna sends in each symbol, X = g I.")
  private var pilots: OrthogonalPilots
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    pilots = try OrthogonalPilots(.identity, settings, in: context)
  }
  public var summary: LinkContext.Pilots { pilots.summary }
  public func at(snrDB: Double) -> (any PilotScheme)? {
    var other = self
    other.pilots = pilots.at(snrDB: snrDB)
    return other
  }
  public func observe(_ channel: ComplexArray, _ block: DropBlock, slot: Int) -> PilotObservation {
    pilots.observe(channel, block, slot: slot)
  }
}
