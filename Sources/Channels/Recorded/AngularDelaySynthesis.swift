import LinkMath
import Parts

/// Frequency response of a stored angular-delay matrix: the inverse of the link's unitary transform.
///
/// Delay to frequency is the forward DFT of the zero-padded taps, `H[n] = Nc^{-1/2} Σ_k D[k] e^{-j 2π nk/Nc}`. The angle
/// transform that made the matrix was `angle_dft` over the ports, then a rotation by `angle_shift`: column
/// `(q + shift) mod Nt` holds bin q; row d holds delay k = d - guard rows. It is undone here, so the link's own transform with
/// the same keys returns the matrix.
struct AngularDelaySynthesis: Sendable {
  enum AngleDFT: String, Choice { case forward, inverse }

  static let angleDFT = Parameter<AngleDFT?>.optional(
    "angle_dft", .choice(AngleDFT.allCases.map(\.rawValue)),
    "Sign of the DFT over ports that made the angles, as in the transform; if left out, as the manifest of generated data says, else forward."
  )
  static let angleShift = Parameter<Int?>.optional(
    "angle_shift", .integer(-4096...4096),
    "Columns the angles were rotated by after the DFT, as in the transform; if left out, as the manifest of generated data says, else 0."
  )
  static let guardRows = Parameter<Int?>.optional(
    "guard_rows", .integer(0...4095),
    """
    Delay rows of the file before delay zero, as in the transform; if left out, as the manifest of generated data says, \
    else 0.
    """)

  static let parameters = [
    angleDFT.declaration, angleShift.declaration, guardRows.declaration,
  ]

  private let tones, taps, ports, shift, guardRows: Int
  private let anglePlan, delayPlan: FFTPlan

  /// - Parameter generated: what a manifest says, where the settings say nothing.
  init(
    _ settings: Settings, tones: Int, taps: Int, ports: Int,
    generated: GeneratedTransform.Grid? = nil
  ) throws(SettingsError) {
    guard taps <= tones else {
      throw SettingsError(
        part: settings.part, key: "file",
        reason: "holds \(taps) delay taps, but the grid has only \(tones) tones",
        hint: "set grid.tones to \(taps) or more")
    }
    (self.tones, self.taps, self.ports) = (tones, taps, ports)
    shift = settings[Self.angleShift] ?? generated?.angleShift ?? 0
    guardRows = settings[Self.guardRows] ?? generated?.guardRows ?? 0
    guard guardRows < taps else {
      throw SettingsError(
        part: settings.part, key: Self.guardRows.key,
        reason: "must be below the \(taps) delay rows of the file, got \(guardRows)")
    }
    let direction =
      settings[Self.angleDFT] ?? generated.flatMap { AngleDFT(rawValue: $0.angleDft) }
    // Drops of an odd number of values do not start on 16 bytes.
    let aligned = tones * ports % 2 == 0
    anglePlan = FFTPlan(
      length: ports, batch: taps, distance: ports,
      direction: direction == .inverse ? .forward : .backward, aligned: aligned)
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
    moveGuardRows(matrix)
    delayPlan.execute(matrix.baseAddress!)
  }

  /// Rows d = 0..<taps to delays d - guard rows, modulo the tones.
  private func moveGuardRows(_ matrix: UnsafeMutableBufferPointer<ComplexFloat>) {
    guard guardRows > 0 else { return }
    let rows = Array(matrix[..<(taps * ports)])
    for i in rows.indices { matrix[i] = 0 }
    let shift = (tones - guardRows) * ports
    for (i, value) in rows.enumerated() { matrix[(i + shift) % matrix.count] = value }
  }
}

extension Int {
  /// The remainder in 0..<n, also of negative numbers.
  fileprivate func modulo(_ n: Int) -> Int {
    let remainder = self % n
    return remainder < 0 ? remainder + n : remainder
  }
}
