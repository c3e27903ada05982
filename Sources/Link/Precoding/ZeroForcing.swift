import ComplexModule
import LinkMath
import Parts

/// Zero forcing on each tone: the weights of a user are orthogonal to the reconstructed channels of all others.
///
/// With the rows of Ĥ [user, port] the reconstructions, the columns of `Ĥᴴ (Ĥ Ĥᴴ + α I)⁻¹` are the weights, each of unit norm. α is
/// 0, or `K / SNR` if `regularised`, which is the best for many users whose channels have unit mean power. For perfect CSI of
/// independent Rayleigh channels the gain of a user has the distribution Gamma(N - K + 1). Users without CSI get equal weights and
/// are not spared; users whose CSI is the same, or depends on that of others, cannot be told apart and disturb each other.
///
/// Reference: T. Yoo, A. Goldsmith, IEEE J. Sel. Areas Commun. 24 (2006) 528, doi:10.1109/JSAC.2005.862421; C. B. Peel, B. M.
/// Hochwald, A. L. Swindlehurst, IEEE Trans. Commun. 53 (2005) 195, doi:10.1109/TCOMM.2004.840638.
public struct ZeroForcingPrecoder: Precoder, Part {
  static let regularised = Parameter.flag(
    "regularised", default: false,
    "Whether α = K / SNR is added to the diagonal, as fits channels of unit mean power, for more gain and some interference."
  )
  public static let schema = PartSchema(
    .precoder, "zero_forcing", "Zero forcing of several users on each subcarrier.",
    reference: "T. Yoo, A. Goldsmith, IEEE J. Sel. Areas Commun. 24 (2006) 528",
    parameters: [
      PrecoderKeys.snr.declaration, PrecoderKeys.users.declaration, regularised.declaration,
    ])
  public let snrDB: Double
  public let users: Int
  /// α.
  private let loading: Double

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    snrDB = settings[PrecoderKeys.snr] ?? context.pilots.snrDB
    users = settings[PrecoderKeys.users] ?? 1
    loading = settings[Self.regularised] ? Double(users) / linear(decibels: snrDB) : 0
    guard users <= context.portCount else {
      throw SettingsError(
        part: settings.part, key: PrecoderKeys.users.key,
        reason: "must be at most the \(context.portCount) ports, got \(users)",
        hint: "no direction is orthogonal to as many channels as there are ports")
    }
  }

  public var needsScale: Bool { loading > 0 }

  /// - Complexity: O(drops · tones · users² · (users + ports)).
  public func directions(_ reconstructions: [ComplexArray]) -> [ComplexArray] {
    let ports = reconstructions[0][dimension: 2]
    var system = UserSystem(users: reconstructions.count, ports: ports)
    var result = reconstructions.map { ComplexArray(uninitialized: $0.shape) }
    for first in stride(from: 0, to: result[0].count, by: ports) {
      for (user, reconstruction) in reconstructions.enumerated() {
        reconstruction.withUnsafeElements { system.set(user, $0[first..<first + ports]) }
      }
      system.solve(loading: loading)
      for user in result.indices {
        result[user].withUnsafeMutableElements { system.copy(user, to: &$0[first..<first + ports]) }
      }
    }
    return result
  }
}

/// The system `(Ĥ Ĥᴴ + α I) G = Ĥ` of one tone, in double precision; the weights of a user are the conjugate of a row of G.
private struct UserSystem {
  private let users: Int
  private let ports: Int
  /// Ĥ, then G, [user, port].
  private var rows: [Complex<Double>]
  /// Ĥ Ĥᴴ, and below the diagonal and on it the Cholesky factor, [user, user].
  private var gram: [Complex<Double>]
  private var factor: [Complex<Double>]

  init(users: Int, ports: Int) {
    (self.users, self.ports) = (users, ports)
    rows = Array(repeating: .zero, count: users * ports)
    gram = Array(repeating: .zero, count: users * users)
    factor = gram
  }

  mutating func set(_ user: Int, _ row: Slice<UnsafeBufferPointer<ComplexFloat>>) {
    for (port, value) in row.enumerated() {
      rows[user * ports + port] = Complex(Double(value.real), Double(value.imaginary))
    }
  }

  /// A row of G as a direction of unit norm; zero without CSI.
  func copy(_ user: Int, to row: inout Slice<UnsafeMutableBufferPointer<ComplexFloat>>) {
    let own = rows[user * ports..<(user + 1) * ports]
    let norm = own.reduce(0) { $0 + $1.lengthSquared }.squareRoot()
    let scale = norm > 0 ? 1 / norm : 0
    for (i, value) in zip(row.indices, own) {
      row[i] = ComplexFloat(Float(scale * value.real), Float(scale * value.imaginary))
    }
  }

  /// Rows of Ĥ become rows of G.
  mutating func solve(loading: Double) {
    for i in 0..<users {
      for j in 0...i {
        gram[i * users + j] = (0..<ports).reduce(Complex<Double>.zero) {
          $0 + rows[i * ports + $1] * rows[j * ports + $1].conjugate
        }
      }
    }
    let energies = (0..<users).map { gram[$0 * users + $0].real }
    if !factorise(loading: loading) {
      // Dependent rows: a millionth of the mean energy keeps the interference 60 dB below what they do to each other.
      _ = factorise(loading: loading + 1e-6 * energies.reduce(0, +) / Double(users))
    }
    substitute()
  }

  /// The lower Cholesky factor.
  ///
  /// - Returns: whether all rows are independent, so far as single precision tells.
  private mutating func factorise(loading: Double) -> Bool {
    var independent = true
    for i in 0..<users {
      let energy = gram[i * users + i].real
      for j in 0...i {
        var sum = gram[i * users + j]
        // A user without CSI has a row of zeros, which the others do not see.
        if i == j { sum += Complex(energy > 0 ? loading : 1) }
        for k in 0..<j { sum -= factor[i * users + k] * factor[j * users + k].conjugate }
        if i > j {
          factor[i * users + j] = sum.divided(by: factor[j * users + j].real)
        } else {
          if !(sum.real > 1e-10 * energy) { independent = false }
          factor[i * users + i] = Complex(sum.real.squareRoot())
        }
      }
    }
    return independent
  }

  /// `L Lᴴ G = Ĥ` by forward and backward substitution.
  private mutating func substitute() {
    for i in 0..<users {
      for k in 0..<i { subtract(row: k, times: factor[i * users + k], from: i) }
      divide(row: i, by: factor[i * users + i].real)
    }
    for i in (0..<users).reversed() {
      for k in i + 1..<max(users, i + 1) {
        subtract(row: k, times: factor[k * users + i].conjugate, from: i)
      }
      divide(row: i, by: factor[i * users + i].real)
    }
  }

  private mutating func subtract(row k: Int, times weight: Complex<Double>, from i: Int) {
    for port in 0..<ports { rows[i * ports + port] -= weight * rows[k * ports + port] }
  }

  private mutating func divide(row i: Int, by divisor: Double) {
    for port in 0..<ports {
      rows[i * ports + port] = rows[i * ports + port].divided(by: divisor)
    }
  }
}

extension Complex<Double> {
  fileprivate func divided(by real: Double) -> Complex {
    Complex(self.real / real, imaginary / real)
  }
}
