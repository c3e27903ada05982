import ComplexModule
import Foundation
import LinkMath
import Parts

/// Correlation between BS ports imposed on a model that has no angles (Kronecker model, transmit side).
///
/// `R[l, m] = E[h_l h_m*]`; the row of one tap becomes `h = (R^{1/2} g)ᵀ` with g independent over ports, the Hermitian
/// square root taken once. Port phases grow as `exp(+j 2π d l sin φ)`, as in the clustered models. R is that of the scattered
/// part: a specular part has the same modulus on every port, with the phases of ``specularTurns``.
struct SpatialCorrelation: Sendable {
  enum Kind: String, Choice {
    case none, exponential
    case oneRing = "one_ring"
  }

  static let kind = Parameter<Kind>.choice(
    "correlation", default: Kind.none,
    """
    Correlation between ports: none; exponential, R[l,m] = a^|l-m|; one_ring, Gaussian local scattering around one \
    angle seen by a uniform linear array.
    """)
  static let coefficient = Parameter<Double?>.optional(
    "correlation_coefficient", .number(.plain, 0...0.999999),
    "Correlation a of neighbouring ports; needed by correlation: exponential.")
  static let meanAngle = Parameter<Double?>.optional(
    "mean_angle", .number(.angle, -90...90),
    "Mean azimuth φ of the scatterers from broadside in degrees; 0 if left out (one_ring).")
  static let angleSpread = Parameter<Double?>.optional(
    "angle_spread", .number(.angle, 0...90),
    "Standard deviation of the scatterers' azimuth in degrees; needed by correlation: one_ring.")
  static let spacing = Parameter<Double?>.optional(
    "spacing", .number(.plain, 0.01...100),
    "Distance of neighbouring ports in wavelengths; 0.5 if left out (one_ring).")

  static let parameters = [
    kind.declaration, coefficient.declaration, meanAngle.declaration, angleSpread.declaration,
    spacing.declaration,
  ]

  /// `R^{1/2}` transposed, [port, port]; nil without correlation.
  private let root: ComplexArray?
  /// Phase of a specular wave on each port in turns, up to one phase for all ports: none between ports of an exponential
  /// correlation, a plane wave from the mean angle for one ring; nil without correlation, where the phases are independent.
  let specularTurns: [Double]?
  /// Distance of neighbouring ports in wavelengths; half where it does not matter.
  let lineSpacing: Double

  init(_ settings: Settings, ports: Int) throws {
    let kind = settings[Self.kind]
    try settings.refuse(Self.coefficient, unless: kind == .exponential, "correlation: exponential")
    for key in [Self.meanAngle, Self.angleSpread, Self.spacing] {
      try settings.refuse(key, unless: kind == .oneRing, "correlation: one_ring")
    }
    lineSpacing = settings[Self.spacing] ?? 0.5
    switch kind {
    case .none: (root, specularTurns) = (nil, nil)
    case .exponential:
      let a = try settings.require(Self.coefficient, because: "correlation is exponential")
      root = try Self.squareRoot(ports) { l, m in Complex(pow(a, Double(abs(l - m)))) }
      specularTurns = Array(repeating: 0, count: ports)
    case .oneRing:
      let spread = try settings.require(Self.angleSpread, because: "correlation is one_ring")
      let mean = (settings[Self.meanAngle] ?? 0) * .pi / 180
      let spacing = lineSpacing
      root = try Self.squareRoot(
        ports, Self.oneRing(mean: mean, spread: spread * .pi / 180, spacing: spacing))
      specularTurns = (0..<ports).map { spacing * Double($0) * sin(mean) }
    }
  }

  /// `exp(j 2π d (l-m) sin φ) exp(-½ (s 2π d (l-m) cos φ)²)`, angles in radians.
  private static func oneRing(mean: Double, spread: Double, spacing: Double)
    -> (Int, Int) -> Complex<Double>
  {
    { l, m in
      let distance = spacing * Double(l - m)
      let width = spread * 2 * .pi * distance * cos(mean)
      let phase = Complex<Double>(turns: distance * sin(mean))
      let envelope = exp(-width * width / 2)
      return Complex(phase.real * envelope, phase.imaginary * envelope)
    }
  }

  private static func squareRoot(_ n: Int, _ entry: (Int, Int) -> Complex<Double>) throws
    -> ComplexArray
  {
    let matrix = (0..<n * n).map { entry($0 / n, $0 % n) }
    let (values, vectors) = try Eigen.hermitian(matrix, order: n)
    var root = ComplexArray(uninitialized: [n, n])
    for l in 0..<n {
      for m in 0..<n {
        var sum = Complex<Double>(0)
        for k in 0..<n {
          // Rounding leaves the null space of R with eigenvalues around -1e-16.
          let weight = max(values[k], 0).squareRoot()
          let product = vectors[k][l] * vectors[k][m].conjugate
          sum += Complex(product.real * weight, product.imaginary * weight)
        }
        root[m, l] = ComplexFloat(Float(sum.real), Float(sum.imaginary))
      }
    }
    return root
  }

  /// Correlated copies of scattered amplitudes [path, port].
  ///
  /// - Complexity: O(paths · ports²).
  func apply(to amplitudes: ComplexArray) -> ComplexArray {
    guard let root else { return amplitudes }
    let (paths, ports) = (amplitudes[dimension: 0], amplitudes[dimension: 1])
    var result = ComplexArray(uninitialized: [paths, ports])
    amplitudes.withUnsafeElements { amplitudes in
      root.withUnsafeElements { root in
        result.withUnsafeMutableElements { result in
          MatrixProduct.multiply(
            m: paths, n: ports, k: ports, amplitudes.baseAddress!, lda: ports, .none,
            root.baseAddress!, ldb: ports, into: result.baseAddress!, ldc: ports)
        }
      }
    }
    return result
  }
}
