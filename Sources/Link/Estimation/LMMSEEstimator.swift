import ComplexModule
import LinkMath
import Parts

/// Linear MMSE estimate over the ports: Ĥ = H_LS (R + s I)⁻¹ R with the port covariance R = E[Hᴴ H] of a tone.
///
/// With eigenvalues λ_i of R and s = σ²/c the error is sum_i λ_i s / (λ_i + s), never above that of least squares.
/// Reference: S. M. Kay, *Estimation Theory*, 1993, ch. 12.
public struct LMMSEEstimator: ChannelEstimator {
  public enum Covariance: String, Choice {
    /// R learned from drops of the channel.
    case fitted
    /// R = I: only the scale 1 / (1 + s) is applied.
    case iid
  }

  static let covariance = Parameter<Covariance>.choice(
    "covariance", default: .fitted,
    "Port covariance R: fitted on drops of the channel, or iid (R = I).")
  static let fitDrops = Parameter.integer(
    "fit.drops", default: 500, in: 2...1_000_000, "Drops that the covariance is learned from.")

  public static let schema = PartSchema(
    .estimator, "lmmse", "Linear MMSE over the ports, with DFT interpolation between pilot tones.",
    reference: "S. M. Kay, Estimation Theory, 1993, ch. 12",
    parameters: [covariance.declaration, fitDrops.declaration])

  /// (R + s I)⁻¹ R, [port, port].
  private let filter: ComplexArray
  private let errorVariance: Double
  private let interpolator: ToneInterpolator

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    let ports = context.portCount
    var matrix = [Complex<Double>](repeating: .zero, count: ports * ports)
    if settings[Self.covariance] == .fitted {
      guard let learned = fitted?["port_covariance"] else {
        preconditionFailure("lmmse made without its fitted covariance")
      }
      learned.requireShape([ports, ports, 2], "[port, port, re and im]")
      for i in 0..<ports {
        for j in 0..<ports {
          matrix[i * ports + j] = Complex(Double(learned[i, j, 0]), Double(learned[i, j, 1]))
        }
      }
    } else {
      for i in 0..<ports { matrix[i * ports + i] = 1 }
    }
    try self.init(
      covariance: matrix, leastSquaresErrorVariance: context.pilots.errorVariance,
      interpolator: ToneInterpolator(.dft, window: nil, context, nil, part: settings.part))
  }

  /// An estimator on every tone for a known covariance, Nt × Nt row-major.
  package init(covariance: [Complex<Double>], leastSquaresErrorVariance: Double) throws {
    try self.init(
      covariance: covariance, leastSquaresErrorVariance: leastSquaresErrorVariance,
      interpolator: .none)
  }

  private init(
    covariance: [Complex<Double>], leastSquaresErrorVariance s: Double,
    interpolator: ToneInterpolator
  ) throws {
    let ports = Int(Double(covariance.count).squareRoot().rounded())
    let (eigenvalues, vectors) = try Eigen.hermitian(covariance, order: ports)
    var filter = ComplexArray(repeating: .zero, shape: [ports, ports])
    for (eigenvalue, vector) in zip(eigenvalues, vectors) {
      let power = max(eigenvalue, 0)  // rounding can leave a tiny negative one
      guard power > 0 else { continue }
      for i in 0..<ports {
        for j in 0..<ports {
          let term = vector[i] * vector[j].conjugate
          let weight = power / (power + s)
          filter[i, j] += ComplexFloat(Float(term.real * weight), Float(term.imaginary * weight))
        }
      }
    }
    self.filter = filter
    self.interpolator = interpolator
    errorVariance =
      eigenvalues.reduce(0) { $0 + ($1 > 0 ? $1 * s / ($1 + s) : 0) } / Double(ports)
  }

  public static func fitting(_ settings: Settings, in context: LinkContext) throws -> Fitting? {
    guard settings[covariance] == .fitted else { return nil }
    return Fitting(
      dropCount: settings[fitDrops], signature: "port covariance",
      shapes: ["port_covariance": [context.portCount, context.portCount, 2]]
    ) {
      PortCovarianceFitter(portCount: context.portCount)
    }
  }

  public func estimate(_ observation: PilotObservation) -> ChannelEstimate {
    let raw = interpolator.interpolate(leastSquares(observation), observation.errorVariance)
    let ports = filter[dimension: 0]
    let rows = raw.response.count / ports
    var response = ComplexArray(uninitialized: raw.response.shape)
    raw.response.withUnsafeElements { raw in
      filter.withUnsafeElements { filter in
        response.withUnsafeMutableElements { response in
          MatrixProduct.multiply(
            m: rows, n: ports, k: ports, raw.baseAddress!, lda: ports, .none, filter.baseAddress!,
            ldb: ports, into: response.baseAddress!, ldc: ports)
        }
      }
    }
    return ChannelEstimate(response: response, errorVariance: errorVariance)
  }
}

/// Learns R[i, j] = E[H_i* H_j], the covariance of the row vector of a tone, averaged over tones and drops.
struct PortCovarianceFitter: Fitter {
  private let portCount: Int
  private var sums: [Double]
  private var rows = 0

  init(portCount: Int) {
    self.portCount = portCount
    sums = Array(repeating: 0, count: 2 * portCount * portCount)
  }

  mutating func add(_ input: StageInput) {
    guard case .response(let response) = input else {
      preconditionFailure("a port covariance is learned from frequency responses")
    }
    let tones = response[dimension: 1]
    var product = ComplexArray(uninitialized: [portCount, portCount])
    response.withUnsafeElements { response in
      product.withUnsafeMutableElements { product in
        for drop in 0..<(response.count / (tones * portCount)) {
          let matrix = response.baseAddress! + drop * tones * portCount
          MatrixProduct.multiply(
            m: portCount, n: portCount, k: tones, matrix, lda: portCount, .conjugateTranspose,
            matrix, ldb: portCount, into: product.baseAddress!, ldc: portCount)
          for (i, value) in product.enumerated() {
            sums[2 * i] += Double(value.real)
            sums[2 * i + 1] += Double(value.imaginary)
          }
          rows += tones
        }
      }
    }
  }

  func finish() throws -> Artefact {
    Artefact([
      "port_covariance": RealArray(
        sums.map { Float($0 / Double(rows)) }, shape: [portCount, portCount, 2])
    ])
  }
}
