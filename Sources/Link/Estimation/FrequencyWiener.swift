import ComplexModule
import LinkMath
import Parts

/// Learns the frequency correlation R(d) = E[H[n + d] H[n]*], averaged over tones, ports and drops.
struct FrequencyCorrelationFitter: Fitter {
  private var sums: [Complex<Double>]
  private let toneCount: Int

  init(toneCount: Int) {
    self.toneCount = toneCount
    sums = Array(repeating: .zero, count: toneCount)
  }

  mutating func add(_ input: StageInput) {
    guard case .response(let response) = input else {
      preconditionFailure("a frequency correlation is learned from frequency responses")
    }
    // Wiener-Khinchin on twice the length: the autocorrelation of each port's tones, all ports at once.
    let ports = response[dimension: 2]
    let length = 2 * toneCount
    let aligned = ports % 2 == 0
    let forward = FFTPlan(
      length: length, stride: ports, batch: ports, distance: 1, direction: .forward,
      aligned: aligned)
    let backward = FFTPlan(length: length, batch: 1, distance: length, direction: .backward)
    for drop in 0..<response[dimension: 0] {
      var padded = ComplexArray(repeating: .zero, shape: [length, ports])
      var spectrum = ComplexArray(repeating: .zero, shape: [length])
      response.withUnsafeElements { source in
        padded.withUnsafeMutableElements { padded in
          padded.baseAddress!.update(
            from: source.baseAddress! + drop * toneCount * ports, count: toneCount * ports)
          forward.execute(padded.baseAddress!)
          spectrum.withUnsafeMutableElements { spectrum in
            for k in 0..<length {
              let energy = (0..<ports).reduce(Float(0)) {
                $0 + padded[k * ports + $1].lengthSquared
              }
              spectrum[k] = ComplexFloat(energy)
            }
            backward.execute(spectrum.baseAddress!)
            for d in 0..<toneCount {
              let value = spectrum[d]
              let pairs = Double((toneCount - d) * ports * length)
              sums[d] += Complex(Double(value.real) / pairs, Double(value.imaginary) / pairs)
            }
          }
        }
      }
    }
  }

  func finish() throws -> Artefact {
    guard sums[0].real > 0 else {
      throw SettingsError(
        part: "ls", key: "interpolation",
        reason: "cannot learn a correlation: the drops have no energy")
    }
    // Scale-free: the Wiener filter needs R relative to the noise, for a channel of unit mean power.
    let drops = sums[0].real
    return Artefact([
      "frequency_correlation": RealArray(
        sums.flatMap { [Float($0.real / drops), Float($0.imaginary / drops)] },
        shape: [toneCount, 2])
    ])
  }
}

/// The linear MMSE interpolator of a channel that is stationary in frequency: R_hp (R_pp + s I)⁻¹.
///
/// Reference: O. Edfors et al., IEEE Trans. Commun. 46 (1998) 931, doi:10.1109/26.701321.
enum FrequencyWiener {
  /// - Parameters:
  ///   - correlation: R(d) for d = 0..<tones as [tone, 2], R(0) = 1.
  ///   - errorVariance: s, of the least-squares estimate on the pilots.
  /// - Returns: [tone, pilot tone].
  /// - Complexity: O(pilots³ + tones · pilots²).
  static func matrix(correlation: RealArray, toneSpacing: Int, errorVariance: Double) throws
    -> ComplexArray
  {
    let tones = correlation[dimension: 0]
    let pilots = tones / toneSpacing
    let value = { (d: Int) -> Complex<Double> in
      let r = Complex(Double(correlation[abs(d), 0]), Double(correlation[abs(d), 1]))
      return d >= 0 ? r : r.conjugate
    }
    var covariance: [Complex<Double>] = []
    for i in 0..<pilots {
      for j in 0..<pilots { covariance.append(value((i - j) * toneSpacing)) }
    }
    let (eigenvalues, vectors) = try Eigen.hermitian(covariance, order: pilots)
    // An estimated correlation can have slightly negative eigenvalues; they carry no power.
    let floor = 1e-9 * (eigenvalues.last ?? 0)
    var matrix = ComplexArray(repeating: .zero, shape: [tones, pilots])
    for tone in 0..<tones {
      let cross = (0..<pilots).map { value(tone - $0 * toneSpacing) }
      var row = [Complex<Double>](repeating: .zero, count: pilots)
      for (eigenvalue, vector) in zip(eigenvalues, vectors) where eigenvalue > floor {
        let projection = zip(cross, vector).reduce(Complex<Double>.zero) { $0 + $1.0 * $1.1 }
        let weight = projection.multiplied(by: 1 / (eigenvalue + errorVariance))
        for j in 0..<pilots { row[j] += weight * vector[j].conjugate }
      }
      for j in 0..<pilots {
        matrix[tone, j] = ComplexFloat(Float(row[j].real), Float(row[j].imaginary))
      }
    }
    return matrix
  }
}
