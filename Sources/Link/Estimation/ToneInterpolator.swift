import ComplexModule
import LinkMath
import Parts

/// How an estimate on the pilot tones is carried to all tones.
public enum Interpolation: String, Choice {
  /// By the delay domain: rows of a window are kept.
  case dft
  /// On the line through the two nearest pilot tones.
  case linear
  /// As on the nearest pilot tone.
  case nearest
  /// Linear MMSE with frequency correlations that were learned from drops.
  case lmmse
}

/// Interpolation from every Df-th tone to all tones, the same for every port.
enum ToneInterpolator: Sendable {
  /// Pilots on every tone: nothing to do.
  case none
  case delayWindow(DelayInterpolator)
  /// A matrix [tone, pilot tone] and the noise gain averaged over tones.
  case matrix(ComplexArray, noiseGain: Double)

  init(_ settings: Settings, _ context: LinkContext) throws {
    let kind = settings[LeastSquaresEstimator.interpolation]
    let (tones, spacing) = (context.grid.toneCount, context.pilots.toneSpacing)
    let window = try DelayWindowSettings(
      settings, context, unless: kind == .dft ? nil : "interpolation: dft")
    switch kind {
    case .dft, .lmmse:
      self = window.interpolator(context).map(ToneInterpolator.delayWindow) ?? .none
    case .linear, .nearest:
      // Without tones between the pilots these rules copy.
      self = spacing == 1 ? .none : ToneInterpolator.local(kind, tones: tones, spacing: spacing)
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
    return .matrix(matrix, noiseGain: matrix.energy / Double(tones))
  }

  /// Error variance on the average tone over that on a pilot tone.
  var noiseGain: Double {
    switch self {
    case .none: 1
    case .delayWindow(let interpolator): interpolator.noiseGain
    case .matrix(_, let noiseGain): noiseGain
    }
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
