import LinkMath
import Parts

/// Frequency response of a stored angular-delay matrix: the inverse of the link's unitary transform.
///
/// Delay to frequency is the forward DFT of the zero-padded taps, `H[n] = Nc^{-1/2} Σ_k D[k] e^{-j 2π nk/Nc}`. The angle
/// transform that made the matrix was `angle_dft` over the ports, then a rotation by `angle_shift`: column
/// `(q + shift) mod Nt` holds bin q. It is undone here, so the link's own transform with the same keys returns the matrix.
struct AngularDelaySynthesis: Sendable {
  enum AngleDFT: String, Choice { case forward, inverse }

  static let angleDFT = Parameter<AngleDFT?>.optional(
    "angle_dft", .choice(AngleDFT.allCases.map(\.rawValue)),
    "Sign of the DFT over ports that made the angles, as in the transform; forward if left out.")
  static let angleShift = Parameter<Int?>.optional(
    "angle_shift", .integer(-4096...4096),
    "Columns the angles were rotated by after the DFT, as in the transform; 0 if left out.")

  private let tones, taps, ports, shift: Int
  private let anglePlan, delayPlan: FFTPlan

  init(_ settings: Settings, tones: Int, taps: Int, ports: Int) throws(SettingsError) {
    guard taps <= tones else {
      throw SettingsError(
        part: settings.part, key: "file",
        reason: "holds \(taps) delay taps, but the grid has only \(tones) tones",
        hint: "set grid.tones to \(taps) or more")
    }
    (self.tones, self.taps, self.ports) = (tones, taps, ports)
    shift = settings[Self.angleShift] ?? 0
    // Drops of an odd number of values do not start on 16 bytes.
    let aligned = tones * ports % 2 == 0
    anglePlan = FFTPlan(
      length: ports, batch: taps, distance: ports,
      direction: settings[Self.angleDFT] == .inverse ? .forward : .backward, aligned: aligned)
    delayPlan = FFTPlan(
      length: tones, stride: ports, batch: ports, distance: 1, direction: .forward,
      aligned: aligned)
  }

  /// Turns [delay, angle] in the first `taps` rows of [tones, ports] into the response, in place.
  ///
  /// - Complexity: O(tones · ports · log tones).
  func transform(_ matrix: UnsafeMutableBufferPointer<ComplexFloat>) {
    precondition(matrix.count == tones * ports)
    let scale = 1 / Float(tones * ports).squareRoot()
    for row in 0..<taps {
      let angles = (0..<ports).map { matrix[row * ports + ($0 + shift).modulo(ports)] }
      for (bin, value) in angles.enumerated() {
        matrix[row * ports + bin] = ComplexFloat(value.real * scale, value.imaginary * scale)
      }
    }
    for i in taps * ports..<matrix.count { matrix[i] = 0 }
    anglePlan.execute(matrix.baseAddress!)
    delayPlan.execute(matrix.baseAddress!)
  }
}

extension Int {
  /// The remainder in 0..<n, also of negative numbers.
  fileprivate func modulo(_ n: Int) -> Int {
    let remainder = self % n
    return remainder < 0 ? remainder + n : remainder
  }
}
