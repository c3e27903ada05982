import ComplexModule
import Foundation
import LinkMath
import Parts

/// BS antenna array: uniform linear along y or planar in the y-z plane, boresight along x.
///
/// Port order is polarisation-major and the vertical index runs fastest: `port = p N1 N2 + i1 N2 + i2`.
/// A port at (i1, i2) sees a wave leaving at azimuth φ and zenith θ with phase `+2π (dH i1 sin θ sin φ + dV i2 cos θ)`.
struct AntennaArray: Sendable {
  enum Shape: String, Choice { case ula, upa }
  enum Polarisation: String, Choice { case single, dual }
  enum Element: String, Choice {
    case omni
    case sector = "3gpp"
  }

  static let shape = Parameter<Shape>.choice(
    "array", default: .ula, "Uniform linear array along y, or planar array in the y-z plane.")
  static let ports = Parameter<Int?>.optional(
    "ports", .integer(1...1024),
    "Ports Nt of a linear array, both polarisations together; 32 if left out.")
  static let columns = Parameter<Int?>.optional(
    "columns", .integer(1...256), "Elements N1 in a row of a planar array (horizontal).")
  static let rows = Parameter<Int?>.optional(
    "rows", .integer(1...256), "Elements N2 in a column of a planar array (vertical).")
  static let spacing = Parameter<Double>.number(
    "spacing", default: 0.5, in: 0.01...100, "Horizontal element distance dH in wavelengths.")
  static let verticalSpacing = Parameter<Double?>.optional(
    "vertical_spacing", .number(.plain, 0.01...100),
    "Vertical element distance dV of a planar array in wavelengths; 0.5 if left out.")
  static let polarisation = Parameter<Polarisation>.choice(
    "polarisation", default: .single,
    """
    single: vertical elements; dual: cross-polarised pairs slanted +45 and -45 degrees. The UE antenna is vertical, so \
    the ports of a dual array have mean power (1 + 1/XPR)/2.
    """)
  static let element = Parameter<Element>.choice(
    "element", default: .omni,
    "Element pattern: omni (0 dBi), or 3gpp, TR 38.901 Table 7.3-1 with 65 degree beams and 8 dBi.")

  static let parameters = [
    shape.declaration, ports.declaration, columns.declaration, rows.declaration,
    spacing.declaration, verticalSpacing.declaration, polarisation.declaration,
    element.declaration,
  ]

  /// Positions of one polarisation: N1 columns of N2 elements.
  let columnCount, rowCount: Int
  let horizontalSpacing, verticalSpacing: Double
  /// Slant of each polarisation in radians; zero is vertical.
  let slants: [Double]
  let element: Element

  var positionCount: Int { columnCount * rowCount }
  var portCount: Int { positionCount * slants.count }

  /// Distance of neighbouring ports; nil if they are not one horizontal line of one polarisation.
  var lineSpacing: Double? { rowCount == 1 && slants.count == 1 ? horizontalSpacing : nil }

  init(_ settings: Settings) throws {
    let polarisation = settings[Self.polarisation]
    slants = polarisation == .dual ? [.pi / 4, -.pi / 4] : [0]
    element = settings[Self.element]
    horizontalSpacing = settings[Self.spacing]
    verticalSpacing = settings[Self.verticalSpacing] ?? 0.5
    switch settings[Self.shape] {
    case .ula:
      try settings.refuse(Self.columns, unless: false, "array: upa")
      try settings.refuse(Self.rows, unless: false, "array: upa")
      try settings.refuse(Self.verticalSpacing, unless: false, "array: upa")
      let ports = settings[Self.ports] ?? 32
      guard ports % slants.count == 0 else {
        throw SettingsError(
          part: settings.part, key: Self.ports.key,
          reason: "must be even for polarisation: dual, got \(ports)",
          hint: "ports counts both polarisations")
      }
      (columnCount, rowCount) = (ports / slants.count, 1)
    case .upa:
      try settings.refuse(Self.ports, unless: false, "array: ula")
      columnCount = try settings.require(Self.columns, because: "the array is planar")
      rowCount = try settings.require(Self.rows, because: "the array is planar")
    }
  }

  /// Phasors of all positions for one ray.
  ///
  /// - Parameters:
  ///   - horizontal, vertical: phase step between columns and between rows, in turns.
  ///   - scratch: room for `2 · (columnCount + rowCount)` values.
  /// - Complexity: O(positions), two sines and cosines.
  func fillSteering(
    horizontal: Double, vertical: Double, re: UnsafeMutablePointer<Float>,
    im: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>
  ) {
    guard rowCount > 1 else {
      Phasors.fill(turns: horizontal, count: columnCount, re: re, im: im)
      return
    }
    let (across, acrossIm) = (scratch, scratch + columnCount)
    let (up, upIm) = (scratch + 2 * columnCount, scratch + 2 * columnCount + rowCount)
    Phasors.fill(turns: horizontal, count: columnCount, re: across, im: acrossIm)
    Phasors.fill(turns: vertical, count: rowCount, re: up, im: upIm)
    for column in 0..<columnCount {
      let (a, b) = (across[column], acrossIm[column])
      let start = column * rowCount
      for row in 0..<rowCount {
        re[start &+ row] = a * up[row] - b * upIm[row]
        im[start &+ row] = a * upIm[row] + b * up[row]
      }
    }
  }

  /// Phase in turns of a plane wave at the array's centre, counted from the first element.
  func centreTurns(horizontal: Double, vertical: Double) -> Double {
    0.5 * (Double(columnCount - 1) * horizontal + Double(rowCount - 1) * vertical)
  }

  /// The same as `fillSteering` for a spherical wave from a point: exact distances of all elements.
  ///
  /// - Parameters:
  ///   - horizontal, vertical: phase steps of a plane wave in the direction of the point, in turns.
  ///   - distance: from the array's centre to the point, in wavelengths.
  /// - Complexity: O(positions), a sine and cosine for each.
  func fillSphericalSteering(
    horizontal: Double, vertical: Double, distance: Double, re: UnsafeMutablePointer<Float>,
    im: UnsafeMutablePointer<Float>
  ) {
    let centre = centreTurns(horizontal: horizontal, vertical: vertical)
    for column in 0..<columnCount {
      let i = Double(column) - 0.5 * Double(columnCount - 1)
      let y = i * horizontalSpacing
      for row in 0..<rowCount {
        let j = Double(row) - 0.5 * Double(rowCount - 1)
        let z = j * verticalSpacing
        let square =
          distance * distance - 2 * distance * (i * horizontal + j * vertical) + y * y + z * z
        let unit = Complex<Double>(turns: centre + distance - max(square, 0).squareRoot())
        re[column * rowCount + row] = Float(unit.real)
        im[column * rowCount + row] = Float(unit.imaginary)
      }
    }
  }

  /// Amplitude gain of an element towards azimuth and zenith in degrees.
  func elementGain(azimuth: Double, zenith: Double) -> Double {
    guard element == .sector else { return 1 }
    let phi = azimuth.remainder(dividingBy: 360)
    let vertical = min(12 * pow((zenith - 90) / 65, 2), 30)
    let horizontal = min(12 * pow(phi / 65, 2), 30)
    return pow(10, (8 - min(vertical + horizontal, 30)) / 20)
  }
}
