import ComplexModule
import LinkMath
import Parts

/// How an estimate on the pilot tones is carried to all tones.
public enum Interpolation: String, Choice {
  case dft, linear, nearest, lmmse
}

/// Interpolation from every Df-th tone to all tones, the same for every port.
enum ToneInterpolator: Sendable {
  /// Pilots on every tone: nothing to do.
  case none
  case delayWindow(DelayInterpolator)
  /// A matrix [tone, pilot tone] and the noise gain averaged over tones.
  case matrix(ComplexArray, noiseGain: Double)

  init(
    _ kind: Interpolation, window: Int?, _ context: LinkContext, _ fitted: Artefact?, part: String
  ) throws {
    let (tones, spacing) = (context.grid.toneCount, context.pilots.toneSpacing)
    let pilotTones = tones / spacing
    if let window, window > pilotTones {
      throw SettingsError(
        part: part, key: "window",
        reason: "must be at most the \(pilotTones) pilot tones, got \(window)")
    }
    if spacing == 1 && (kind != .dft || window == nil) {
      self = .none
      return
    }
    switch kind {
    case .dft:
      self = .delayWindow(
        DelayInterpolator(
          toneCount: tones, toneSpacing: spacing, portCount: context.portCount,
          window: window ?? pilotTones, guardRows: 0))
    case .linear, .nearest:
      self = ToneInterpolator.local(kind, tones: tones, spacing: spacing)
    case .lmmse:
      guard let correlation = fitted?["frequency_correlation"] else {
        preconditionFailure("lmmse interpolation made without its fitted correlation")
      }
      self = .matrix(
        try FrequencyWiener.matrix(
          correlation: correlation, toneSpacing: spacing,
          errorVariance: context.pilots.errorVariance),
        noiseGain: .nan
      ).withNoiseGain()
    }
  }

  /// Weights of the pilots around each tone. Beyond the last pilot the linear rule continues its last segment.
  private static func local(_ kind: Interpolation, tones: Int, spacing: Int) -> ToneInterpolator {
    let pilots = tones / spacing
    var matrix = ComplexArray(repeating: .zero, shape: [tones, pilots])
    for tone in 0..<tones {
      if kind == .nearest || pilots == 1 {
        matrix[tone, min((tone + (spacing - 1) / 2) / spacing, pilots - 1)] = 1
      } else {
        let left = min(tone / spacing, pilots - 2)
        let fraction = Float(tone - left * spacing) / Float(spacing)
        matrix[tone, left] = ComplexFloat(1 - fraction)
        matrix[tone, left + 1] = ComplexFloat(fraction)
      }
    }
    return .matrix(matrix, noiseGain: .nan).withNoiseGain()
  }

  private func withNoiseGain() -> ToneInterpolator {
    guard case .matrix(let matrix, _) = self else { return self }
    return .matrix(matrix, noiseGain: matrix.energy / Double(matrix[dimension: 0]))
  }

  /// - Parameter estimate: [drop, pilot tone, port].
  func interpolate(_ estimate: ComplexArray, _ errorVariance: Double) -> ChannelEstimate {
    switch self {
    case .none: return ChannelEstimate(response: estimate, errorVariance: errorVariance)
    case .delayWindow(let interpolator):
      return ChannelEstimate(
        response: interpolator.interpolate(estimate),
        errorVariance: errorVariance * interpolator.noiseGain)
    case .matrix(let matrix, let noiseGain):
      return ChannelEstimate(
        response: multiply(matrix, estimate), errorVariance: errorVariance * noiseGain)
    }
  }

  private func multiply(_ matrix: ComplexArray, _ estimate: ComplexArray) -> ComplexArray {
    let (tones, pilots) = (matrix[dimension: 0], matrix[dimension: 1])
    let (drops, ports) = (estimate[dimension: 0], estimate[dimension: 2])
    var response = ComplexArray(uninitialized: [drops, tones, ports])
    matrix.withUnsafeElements { matrix in
      estimate.withUnsafeElements { estimate in
        response.withUnsafeMutableElements { response in
          for drop in 0..<drops {
            MatrixProduct.multiply(
              m: tones, n: ports, k: pilots, matrix.baseAddress!, lda: pilots, .none,
              estimate.baseAddress! + drop * pilots * ports, ldb: ports,
              into: response.baseAddress! + drop * tones * ports, ldc: ports)
          }
        }
      }
    }
    return response
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

  func interpolate(_ estimate: ComplexArray) -> ComplexArray {
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
              rows[i] = ComplexFloat(rows[i].real * scale, rows[i].imaginary * scale)
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
