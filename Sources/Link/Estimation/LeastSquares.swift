import ComplexModule
import LinkMath
import Parts

/// The least-squares estimate on the pilot tones: Ĥ = Y Xᴴ / c, unbiased, with white error of variance σ²/c.
///
/// - Parameter observation: Y [drop, pilot tone, symbol].
/// - Returns: [drop, pilot tone, port].
/// - Complexity: O(drops · tones · symbols · log symbols): orthogonal pilots are removed by a fast transform.
/// - Reference: S. M. Kay, *Fundamentals of Statistical Signal Processing: Estimation Theory*, 1993, ch. 4.
func leastSquares(_ observation: PilotObservation) -> ComplexArray {
  let pilots = observation.pilots
  let (ports, symbols, tile) = (pilots.antennaCount, pilots.symbolCount, PilotMatrix.tile)
  observation.received.requireShape([nil, nil, symbols], "[drop, pilot tone, symbol]")
  let rows = observation.received[dimension: 0] * observation.received[dimension: 1]
  var estimate = ComplexArray(
    uninitialized: Array(observation.received.shape.dropLast()) + [ports])
  observation.received.withUnsafeElements { received in
    estimate.withUnsafeMutableElements { estimate in
      for start in stride(from: 0, to: rows, by: tile) {
        pilots.despread(
          received.baseAddress! + start * symbols, rows: min(tile, rows - start),
          into: estimate.baseAddress! + start * ports)
      }
    }
  }
  return estimate
}

/// Least squares on the pilot tones, interpolated to the tones between them.
public struct LeastSquaresEstimator: ChannelEstimator, Part {
  static let interpolation = Parameter<Interpolation>.choice(
    "interpolation", default: .dft,
    """
    Between pilot tones: dft (delay window), linear, nearest, or lmmse (fitted on drops), which also smooths \
    pilots on every tone.
    """)
  static let window = DelayWindowSettings.window
  static let guardRows = DelayWindowSettings.guardRows
  static let fitDrops = Parameter.integer(
    "fit.drops", default: 500, in: 2...1_000_000,
    "Drops that the frequency correlation of lmmse interpolation is learned from.")

  public static let schema = PartSchema(
    .estimator, "ls", "Least squares: unbiased, error variance σ²/c.",
    reference: "S. M. Kay, Estimation Theory, 1993, ch. 4",
    parameters: [
      interpolation.declaration, window.declaration, guardRows.declaration, fitDrops.declaration,
    ])

  private let interpolator: ToneInterpolator
  /// In place of the interpolator, with `interpolation: lmmse`.
  private let filter: JointWiener?

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    interpolator = try ToneInterpolator(settings, context)
    filter =
      settings[Self.interpolation] != .lmmse
      ? nil
      : JointWiener(
        .init(fitted, ports: context.portCount), toneSpacing: context.pilots.toneSpacing,
        errorVariance: context.pilots.errorVariance)
  }

  public static func fitting(_ settings: Settings, in context: LinkContext) throws -> Fitting? {
    guard settings[interpolation] == .lmmse else { return nil }
    return JointWienerFitter.fitting(
      "tone powers", in: context, dropCount: settings[fitDrops], jointly: false)
  }

  public static func idleKey(_ settings: Settings, in context: LinkContext) -> SettingsError? {
    let kind = settings[interpolation]
    guard context.pilots.toneSpacing == 1, kind == .linear || kind == .nearest else { return nil }
    return SettingsError(
      part: settings.part, key: interpolation.key,
      reason: "must not be \(kind.rawValue) with pilots on every tone: nothing is interpolated",
      hint: "remove it; dft leaves such pilots as they are, and lmmse smooths over the tones")
  }

  public var isForOneSNR: Bool { filter != nil }

  public func estimate(_ observation: PilotObservation) -> ChannelEstimate {
    let pilots = leastSquares(observation)
    return filter?.estimate(pilots)
      ?? interpolator.interpolate(pilots, observation.errorVariance)
  }
}

/// Least squares with delay-window denoising: only the first delay rows are kept, the noise falls to window / pilots.
public struct DelayWindowEstimator: ChannelEstimator, Part {
  static let window = Parameter.integer(
    "window", default: 32, in: 1...4096, "Delay rows kept, L; longer delays are lost.")
  static let guardRows = Parameter.integer(
    "guard_rows", default: 0, in: 0...4095, "Of these, rows before delay zero.")

  public static let schema = PartSchema(
    .estimator, "delay_window",
    "Least squares, transformed to delay, cut to a window and transformed back.",
    reference: "O. Edfors et al., IEEE Trans. Commun. 46 (1998) 931",
    parameters: [window.declaration, guardRows.declaration])

  private let interpolator: ToneInterpolator

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    let pilotTones = context.grid.toneCount / context.pilots.toneSpacing
    guard settings[Self.guardRows] < settings[Self.window] else {
      throw SettingsError(
        part: settings.part, key: "guard_rows",
        reason: "must be below the window of \(settings[Self.window]) rows")
    }
    guard settings[Self.window] <= pilotTones else {
      throw SettingsError(
        part: settings.part, key: "window",
        reason: "must be at most the \(pilotTones) pilot tones, got \(settings[Self.window])")
    }
    interpolator = .delayWindow(
      DelayInterpolator(
        toneCount: context.grid.toneCount, toneSpacing: context.pilots.toneSpacing,
        portCount: context.portCount, window: settings[Self.window],
        guardRows: settings[Self.guardRows]))
  }

  public var isForOneSNR: Bool { false }

  public func estimate(_ observation: PilotObservation) -> ChannelEstimate {
    interpolator.interpolate(leastSquares(observation), observation.errorVariance)
  }
}
