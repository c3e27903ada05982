import LinkMath
import Parts

/// The delay rows that DFT interpolation keeps: `window` of them, from `-guard_rows` on.
///
/// Delays are known modulo the number N of pilot tones only, so the window also says which delays a row stands for: a
/// response is interpolated without error if all delays lie in -guard_rows ..< window - guard_rows. Physical delays
/// lie between the rows, and leak to both sides.
struct DelayWindowSettings: Sendable {
  static let window = Parameter<Int?>.optional(
    "window", .integer(1...4096),
    "Delay rows the dft interpolation keeps; as many as pilot tones if left out.")
  static let guardRows = Parameter<Int?>.optional(
    "guard_rows", .integer(0...4095),
    """
    Of the delay rows kept, those before delay zero; 0 if left out, without a window a quarter of the pilot tones.
    """)

  let window: Int?
  let guardRows: Int?

  /// - Parameter condition: what the keys would need to have a meaning; nil if they have one.
  init(_ settings: Settings, _ context: LinkContext, unless condition: String?) throws {
    (window, guardRows) = (settings[Self.window], settings[Self.guardRows])
    let pilotTones = context.grid.toneCount / context.pilots.toneSpacing
    func refuse(_ key: String, _ reason: String, hint: String? = nil) -> SettingsError {
      SettingsError(part: settings.part, key: key, reason: reason, hint: hint)
    }
    for (key, value) in [("window", window), ("guard_rows", guardRows)] where value != nil {
      if let condition {
        throw refuse(
          key, "only has a meaning with \(condition)", hint: "remove it, or set \(condition)")
      }
    }
    if let window, window > pilotTones {
      throw refuse("window", "must be at most the \(pilotTones) pilot tones, got \(window)")
    }
    if let guardRows {
      guard window != nil || context.pilots.toneSpacing > 1 else {
        throw refuse(
          "guard_rows", "needs a window: with pilots on every tone all delay rows are kept",
          hint: "remove it, or set window")
      }
      guard guardRows < window ?? pilotTones else {
        throw refuse(
          "guard_rows",
          "must be below the \(window.map { "window of \($0) rows" } ?? "\(pilotTones) pilot tones")"
            + ", got \(guardRows)")
      }
    }
  }

  /// Nil where nothing is to be interpolated or cut.
  func interpolator(_ context: LinkContext) -> DelayInterpolator? {
    let (tones, spacing) = (context.grid.toneCount, context.pilots.toneSpacing)
    guard spacing > 1 || window != nil else { return nil }
    guard window != nil || guardRows != nil else {
      return DelayInterpolator(
        toneCount: tones, toneSpacing: spacing, portCount: context.portCount)
    }
    return DelayInterpolator(
      toneCount: tones, toneSpacing: spacing, portCount: context.portCount,
      window: window ?? tones / spacing, guardRows: guardRows ?? 0)
  }
}

/// DFT interpolation: pilot tones to delay, a window of rows kept, zero-padded and back to all tones.
///
/// Exact if all delays lie inside the window; the error variance falls to window / pilot tones.
struct DelayInterpolator: Sendable {
  let noiseGain: Double
  private let toDelay: DelayTransform
  private let toFrequency: DelayTransform
  private let scale: Float

  init(toneCount: Int, toneSpacing: Int, portCount: Int, window: Int, guardRows: Int) {
    let pilotTones = toneCount / toneSpacing
    toDelay = DelayTransform(
      toneCount: pilotTones, portCount: portCount, firstRow: -guardRows, rowCount: window)
    toFrequency = DelayTransform(
      toneCount: toneCount, portCount: portCount, firstRow: -guardRows, rowCount: window)
    // Both transforms are unitary for their own length.
    scale = Float(toneSpacing).squareRoot()
    noiseGain = Double(window) / Double(pilotTones)
  }

  /// All rows of the pilot tones, a quarter of them before delay zero.
  init(toneCount: Int, toneSpacing: Int, portCount: Int) {
    let pilotTones = toneCount / toneSpacing
    self.init(
      toneCount: toneCount, toneSpacing: toneSpacing, portCount: portCount, window: pilotTones,
      guardRows: pilotTones / 4)
  }

  /// The rows of a matrix [pilot tone, column], as many columns as ports: [delay row, column], unitary.
  func delayRows(_ matrix: ComplexArray) -> ComplexArray {
    var rows = ComplexArray(uninitialized: [toDelay.rowCount, toDelay.portCount])
    matrix.withUnsafeElements { matrix in
      rows.withUnsafeMutableElements { toDelay.toDelay(matrix.baseAddress!, $0.baseAddress!) }
    }
    return rows
  }

  /// - Parameters:
  ///   - estimate: [drop, pilot tone, port].
  ///   - gains: a factor for each entry [delay row, port] of a drop; one if nil.
  /// - Returns: [drop, tone, port].
  func interpolate(_ estimate: ComplexArray, gains: [Float]? = nil) -> ComplexArray {
    let (drops, ports) = (estimate[dimension: 0], toDelay.portCount)
    let window = toDelay.rowCount * ports
    var response = ComplexArray(uninitialized: [drops, toFrequency.toneCount, ports])
    var rows = ComplexArray(uninitialized: [window])
    estimate.withUnsafeElements { estimate in
      response.withUnsafeMutableElements { response in
        rows.withUnsafeMutableElements { rows in
          for drop in 0..<drops {
            toDelay.toDelay(
              estimate.baseAddress! + drop * toDelay.responseCount, rows.baseAddress!)
            for i in 0..<window {
              var factor = scale
              if let gains { factor *= gains[i] }
              rows[i] = ComplexFloat(rows[i].real * factor, rows[i].imaginary * factor)
            }
            toFrequency.toFrequency(
              rows.baseAddress!, response.baseAddress! + drop * toFrequency.responseCount)
          }
        }
      }
    }
    return response
  }
}
