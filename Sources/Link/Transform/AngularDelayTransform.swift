import CKernels
import ComplexModule
import LinkMath
import Parts
import RealModule

/// The unitary transform between frequency response and truncated angular-delay CSI.
///
/// Delay uses the inverse-sign DFT over tones (``DelayTransform``), angle the unitary DFT over ports: with
/// `angle_dft: forward`, a plane wave of port phases exp(+j 2π i d sin φ) appears in column +Nt d sin φ modulo Nt,
/// moved by `angle_shift`; `inverse` mirrors the columns (the papers' H F_aᴴ). Kept rows are
/// -guard_rows ..< taps - guard_rows, cyclically, in that order. Both DFTs are unitary, so energy is kept and white noise
/// stays white.
public struct AngularDelayTransform: CSITransform, Part {
  /// Sign of the exponent of the DFT over ports: minus for `forward`, plus for `inverse`.
  public enum Direction: String, Choice {
    /// `exp(-j 2π p q / Nt)`.
    case forward
    /// `exp(+j 2π p q / Nt)`.
    case inverse
  }

  static let taps = Parameter.integer(
    "taps", default: 32, in: 1...4096, "Delay rows kept, Ni (with the guard rows).")
  /// The key that sets the rows kept before delay zero.
  package static let guardRows = Parameter.integer(
    "guard_rows", default: 0, in: 0...4095,
    "Rows kept before delay zero, for the leakage of fractional delays.")
  /// The key that sets the direction of the DFT over ports.
  package static let angleDFT = Parameter<Direction>.choice(
    "angle_dft", default: .forward,
    "Sign of the DFT over ports: forward exp(-j 2π p q / Nt), inverse exp(+j 2π p q / Nt).")
  /// The key that sets the rotation of the columns.
  package static let angleShift = Parameter.integer(
    "angle_shift", default: 0, in: 0...4095,
    "Columns s by which the angles are rotated: DFT column q lies at (q + s) mod Nt.")
  static let delayDFT = Parameter<DelayDirection>.choice(
    "delay_dft", default: .inverse,
    "Direction of the DFT over tones; only the inverse one puts delay τ into row +τ.")
  /// Sign of the exponent of the DFT over tones: plus for `inverse`, the only one.
  public enum DelayDirection: String, Choice {
    /// `exp(+j 2π k n / Nc)`.
    case inverse
  }

  public static let schema = PartSchema(
    .transform, "angular_delay",
    "Truncated angular-delay domain: inverse DFT over tones, DFT over ports, first rows kept.",
    reference: "C.-K. Wen et al., IEEE WCL 7 (2018) 748, eq. 3",
    parameters: [
      taps.declaration, guardRows.declaration, delayDFT.declaration, angleDFT.declaration,
      angleShift.declaration,
    ])

  /// Delay rows kept, with the guard rows.
  public let tapCount: Int
  /// The transform between tones and kept delay rows.
  public let delay: DelayTransform
  public var rowCount: Int { tapCount }
  private let portCount: Int
  private let shift: Int
  private let toAngle: FFTPlan
  private let toPort: FFTPlan

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact? = nil) throws {
    let (taps, guardRows) = (settings[Self.taps], settings[Self.guardRows])
    guard taps <= context.grid.toneCount else {
      throw SettingsError(
        part: settings.part, key: "taps",
        reason: "must be at most the \(context.grid.toneCount) tones of the grid, got \(taps)")
    }
    guard guardRows < taps else {
      throw SettingsError(
        part: settings.part, key: "guard_rows",
        reason: "must be below the \(taps) taps, got \(guardRows)")
    }
    guard settings[Self.angleShift] < context.portCount else {
      throw SettingsError(
        part: settings.part, key: "angle_shift",
        reason: "must be below the \(context.portCount) ports, got \(settings[Self.angleShift])")
    }
    self.init(
      grid: context.grid.toneCount, ports: context.portCount, taps: taps, guardRows: guardRows,
      angle: settings[Self.angleDFT], shift: settings[Self.angleShift])
  }

  /// A transform of given sizes.
  ///
  /// - Parameters:
  ///   - toneCount: tones Nc.
  ///   - ports: ports Nt.
  ///   - taps: delay rows kept, with the guard rows.
  ///   - guardRows: of these, rows before delay zero.
  ///   - angle: direction of the DFT over ports.
  ///   - shift: columns that the angles are rotated by.
  public init(
    grid toneCount: Int, ports: Int, taps: Int, guardRows: Int = 0, angle: Direction = .forward,
    shift: Int = 0
  ) {
    tapCount = taps
    portCount = ports
    self.shift = shift
    delay = DelayTransform(
      toneCount: toneCount, portCount: ports, firstRow: -guardRows, rowCount: taps)
    let plan = { (direction: FFTPlan.Direction) in
      FFTPlan(
        length: ports, batch: taps, distance: ports, direction: direction, aligned: ports % 2 == 0)
    }
    toAngle = plan(angle == .forward ? .forward : .backward)
    toPort = plan(angle == .forward ? .backward : .forward)
  }

  /// Frequency response [drop, subcarrier, port] to CSI [drop, delay, angle]. O(drops · Nc · Nt · log taps).
  public func forward(_ response: ComplexArray) -> ComplexArray {
    response.requireShape([nil, delay.toneCount, portCount], "[drop, subcarrier, port]")
    let drops = response[dimension: 0]
    var csi = ComplexArray(uninitialized: [drops, tapCount, portCount])
    let scale = 1 / Float(portCount).squareRoot()
    response.withUnsafeElements { response in
      csi.withUnsafeMutableElements { csi in
        for drop in 0..<drops {
          let rows = csi.baseAddress! + drop * tapCount * portCount
          delay.toDelay(response.baseAddress! + drop * delay.responseCount, rows)
          dft(rows, toAngle, scale: scale)
          rotate(rows, by: shift)
        }
      }
    }
    return csi
  }

  /// CSI [drop, delay, angle] to the frequency response [drop, subcarrier, port] with all other delay rows zero.
  public func inverse(_ csi: ComplexArray) -> ComplexArray {
    csi.requireShape([nil, tapCount, portCount], "[drop, delay, angle]")
    let drops = csi[dimension: 0]
    var response = ComplexArray(uninitialized: [drops, delay.toneCount, portCount])
    let count = tapCount * portCount
    var scratch = ComplexArray(uninitialized: [count])
    let scale = 1 / Float(portCount).squareRoot()
    csi.withUnsafeElements { csi in
      response.withUnsafeMutableElements { response in
        scratch.withUnsafeMutableElements { scratch in
          let rows = scratch.baseAddress!
          for drop in 0..<drops {
            rows.update(from: csi.baseAddress! + drop * count, count: count)
            rotate(rows, by: portCount - shift)
            dft(rows, toPort, scale: scale)
            delay.toFrequency(rows, response.baseAddress! + drop * delay.responseCount)
          }
        }
      }
    }
    return response
  }

  /// The DFT over ports of all rows, in place, times `scale`.
  private func dft(
    _ rows: UnsafeMutablePointer<ComplexFloat>, _ plan: FFTPlan, scale: Float
  ) {
    let count = tapCount * portCount
    if portCount == 32 {
      rows.withMemoryRebound(to: Float.self, capacity: 2 * count) {
        csk_dft32_rows(tapCount, plan.direction == .forward ? -1 : 1, scale, $0, $0)
      }
      return
    }
    plan.execute(rows)
    for i in 0..<count {
      rows[i] = ComplexFloat(rows[i].real * scale, rows[i].imaginary * scale)
    }
  }

  /// Moves column q to (q + columns) mod Nt in every row.
  private func rotate(_ rows: UnsafeMutablePointer<ComplexFloat>, by columns: Int) {
    let columns = columns % portCount
    guard columns > 0 else { return }
    for row in 0..<tapCount {
      let line = rows + row * portCount
      let copy = Array(UnsafeBufferPointer(start: line, count: portCount))
      for i in 0..<portCount { line[(i + columns) % portCount] = copy[i] }
    }
  }
}
