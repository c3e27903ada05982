import ComplexModule
import LinkMath

/// Linear MMSE estimate over tones and ports at once, by the powers of the channel's coefficients in orthonormal bases.
///
/// Of the least-squares estimate X on the pilot tones, `Z = X V` are the port modes (eigenvectors V of the port covariance) and
/// `C = Uᴴ Z` the coefficients in the modes U of the tones (``ToneModesSketch``). Each of power p is scaled by `p / (p + s)`. What
/// the modes of the tones leave out, `Z - U C`, is taken to delay rows and scaled there in the same way. Both are carried to
/// all tones, the modes by their own continuation, the rest by DFT interpolation. This is the LMMSE estimate if the
/// coefficients are uncorrelated, as in the model of Weichselberger et al. and so in every Kronecker model; else the best
/// estimate that scales them one by one, and with pilots on every tone never worse than least squares in any of them.
///
/// References: O. Edfors et al., IEEE Trans. Commun. 46 (1998) 931, doi:10.1109/26.701321; W. Weichselberger et al., IEEE
/// Trans. Wireless Commun. 5 (2006) 90, doi:10.1109/TWC.2006.1576533.
struct JointWiener: Sendable {
  /// What is known of a channel, powers in its true scale.
  struct Statistics {
    /// On all tones, [tone, mode]; on the pilot tones orthonormal.
    var modes: ComplexArray
    /// V, [port, port mode]; nil if the ports are taken one by one.
    var ports: ComplexArray?
    /// p, [mode, port mode].
    var powers: [Double]
    /// Powers outside the modes, [delay row, port mode], rows as ``DelayInterpolator`` orders them.
    var restPowers: [Double]
  }

  /// Mean squared error of an entry over the coefficients, without what interpolation misses.
  let errorVariance: Double
  private let modes: ComplexArray
  /// U, [pilot tone, mode], and its adjoint.
  private let pilotModes: ComplexArray
  private let analysis: ComplexArray
  private let ports: (basis: ComplexArray, adjoint: ComplexArray)?
  /// p / (p + s), [mode, port mode].
  private let gains: [Float]
  /// The same for the rest, [delay row, port mode]; nil where less than a thousandth of anything would be kept.
  private let rest: (gains: [Float], interpolator: DelayInterpolator)?

  /// - Parameter errorVariance: s of the least-squares estimate on the pilots.
  init(_ statistics: Statistics, toneSpacing: Int, errorVariance s: Double) {
    let (tones, count) = (statistics.modes[dimension: 0], statistics.modes[dimension: 1])
    let pilots = tones / toneSpacing
    let portCount = statistics.restPowers.count / pilots
    modes = statistics.modes
    pilotModes = modes.rows(every: toneSpacing)
    analysis = pilotModes.adjoint
    ports = statistics.ports.map { ($0, $0.adjoint) }
    let gains = statistics.powers.map { Self.gain($0, s) }
    self.gains = gains.map { Float($0) }
    let restNoise = Self.restShares(pilotModes).map { $0 * s }
    let restGains = statistics.restPowers.enumerated().map {
      Self.gain($1, restNoise[$0 / portCount])
    }
    rest =
      restGains.allSatisfy { $0 < 1e-3 }
      ? nil
      : (
        restGains.map { Float($0) },
        DelayInterpolator(toneCount: tones, toneSpacing: toneSpacing, portCount: portCount)
      )
    var lengths = [Double](repeating: 0, count: count)
    for (i, value) in modes.elements.enumerated() {
      lengths[i % count] += Double(value.lengthSquared) / Double(tones)
    }
    let inside = gains.enumerated().reduce(0) {
      $0 + s * $1.element * lengths[$1.offset / portCount]
    }
    let outside = restGains.enumerated().reduce(0) {
      $0 + restNoise[$1.offset / portCount] * $1.element / Double(pilots)
    }
    self.errorVariance = (inside + outside) / Double(portCount)
  }

  /// p / (p + s); a coefficient without power is nothing, with or without noise.
  static func gain(_ power: Double, _ noise: Double) -> Double {
    power > 0 ? power / (power + noise) : 0
  }

  /// Share of white noise in each delay row that the modes leave in it, `1 - |Uᴴ f|²` of the row's unit vector f.
  private static func restShares(_ pilotModes: ComplexArray) -> [Double] {
    let (pilots, count) = (pilotModes[dimension: 0], pilotModes[dimension: 1])
    guard count > 0 else { return Array(repeating: 1, count: pilots) }
    let rows = DelayInterpolator(toneCount: pilots, toneSpacing: 1, portCount: count)
      .delayRows(pilotModes)
    var shares = [Double](repeating: 1, count: pilots)
    for (i, value) in rows.elements.enumerated() {
      shares[i / count] -= Double(value.lengthSquared)
    }
    return shares.map { max($0, 0) }
  }

  /// - Parameter estimate: least squares [drop, pilot tone, port].
  /// - Returns: [drop, tone, port].
  /// - Complexity: O(tones · ports · (modes + ports)) for each drop.
  func estimate(_ estimate: ComplexArray) -> ChannelEstimate {
    let (tones, ports) = (modes[dimension: 0], estimate[dimension: 2])
    let parts = (0..<estimate[dimension: 0]).map { drop in
      filter(estimate.slice(drop..<drop + 1).reshaped([estimate[dimension: 1], ports]))
        .reshaped([1, tones, ports])
    }
    return ChannelEstimate(
      response: ComplexArray.concatenated(parts), errorVariance: errorVariance)
  }

  /// One drop, [pilot tone, port] to [tone, port].
  private func filter(_ pilots: ComplexArray) -> ComplexArray {
    guard let rest else {
      let coefficients = analysis.times(pilots)
      return modes.times(onPorts((inModes(coefficients)).scaled(each: gains)))
    }
    var outside = inModes(pilots)
    let coefficients = analysis.times(outside)
    pilotModes.addProduct(coefficients.scaled(by: -1), to: &outside)
    var response = rest.interpolator
      .interpolate(outside.reshaped([1] + outside.shape), gains: rest.gains)
      .reshaped([modes[dimension: 0], pilots[dimension: 1]])
    modes.addProduct(coefficients.scaled(each: gains), to: &response)
    return onPorts(response)
  }

  private func inModes(_ rows: ComplexArray) -> ComplexArray {
    ports.map { rows.times($0.basis) } ?? rows
  }

  private func onPorts(_ rows: ComplexArray) -> ComplexArray {
    ports.map { rows.times($0.adjoint) } ?? rows
  }
}

extension JointWiener.Statistics {
  /// Filtering of the ports alone, on tones that know nothing of each other and are all pilots.
  init(portCovariance: [Complex<Double>], tones: Int) throws {
    let (values, ports) = try Self.portModes(portCovariance)
    self.init(
      modes: ComplexArray(uninitialized: [tones, 0]), ports: ports, powers: [],
      restPowers: (0..<tones).flatMap { _ in values.map { max($0, 0) } })
  }

  /// Eigenvalues of R = E[Hᴴ H], [port, port] row-major, and V.
  static func portModes(_ covariance: [Complex<Double>]) throws -> ([Double], ComplexArray) {
    let ports = Int(Double(covariance.count).squareRoot().rounded())
    let (values, vectors) = try Eigen.hermitian(covariance, order: ports)
    return (
      values,
      ComplexArray(
        (0..<ports * ports).map { vectors[$0 % ports][$0 / ports].inSingle }, shape: [ports, ports])
    )
  }
}
