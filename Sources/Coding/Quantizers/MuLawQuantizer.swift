import Foundation
import LinkMath
import Parts

/// Cells that are uniform on a logarithmic scale, fine around zero.
///
/// With u in [-1, 1] and `c = sign(u) ln(1 + μ|u|) / ln(1 + μ)`, the mid-rise quantiser has 2^B uniform cells of c in [-1, 1] and
/// reconstructs their centres by `|u| = ((1 + μ)^|c| - 1) / μ`. The sign-magnitude one sends the sign and the nearest of
/// 2^B magnitudes `|c| = k / (2^B - 1)`, so B + 1 bits, and can send zero.
///
/// Reference: B. Smith, Bell Syst. Tech. J. 36 (1957) 653, doi:10.1002/j.1538-7305.1957.tb03858.x; ITU-T G.711.
public struct MuLaw: Sendable, Hashable {
  /// Which values of c there are.
  public enum Levels: String, Choice {
    /// 2^B cell centres, none of them zero.
    case midRise = "mid_rise"
    /// A sign and 2^B magnitudes from zero to one.
    case signMagnitude = "sign_magnitude"
  }

  /// How strongly small values are favoured, μ.
  public let mu: Double
  /// Bits B of a cell or a magnitude.
  public let bits: Int
  /// Cells or signs and magnitudes.
  public let levels: Levels

  /// A law; the parameters are its properties.
  public init(mu: Double, bits: Int, levels: Levels = .midRise) {
    precondition(mu > 0 && (1...16).contains(bits))
    (self.mu, self.bits, self.levels) = (mu, bits, levels)
  }

  /// Bits of an index.
  public var width: Int { levels == .midRise ? bits : bits + 1 }

  /// The index of u; values beyond -1 and 1 take an outer one, and so does one that is no number. The sign comes first, 1 for
  /// negative values.
  public func index(_ u: Double) -> UInt32 {
    let modulus = abs(u) < 1 ? abs(u) : 1
    let c = log1p(mu * modulus) / log1p(mu)
    let top = Double(1 << bits - 1)
    switch levels {
    case .midRise:
      let place = ((u < 0 ? -c : c) + 1) / 2 * Double(1 << bits)
      return UInt32(min(max(place.rounded(.down), 0), top))
    case .signMagnitude:
      let magnitude = UInt32(min((c * top + 0.5).rounded(.down), top))
      return u < 0 ? 1 << UInt32(bits) | magnitude : magnitude
    }
  }

  /// The value that an index stands for.
  public func value(_ index: UInt32) -> Double {
    let magnitude = Double(index & (1 << UInt32(bits) - 1))
    let isNegative: Bool
    let c: Double
    switch levels {
    case .midRise:
      let signed = (magnitude + 0.5) / Double(1 << bits) * 2 - 1
      (isNegative, c) = (signed < 0, abs(signed))
    case .signMagnitude:
      (isNegative, c) = (index >> UInt32(bits) != 0, magnitude / Double(1 << bits - 1))
    }
    let modulus = expm1(c * log1p(mu)) / mu
    return isNegative ? -modulus : modulus
  }
}

/// The μ-law of each real of the codeword, on a range that is fitted or given: [-1, 1] behind a hyperbolic tangent, [0, 1] behind
/// a sigmoid.
public struct MuLawQuantizer: Quantizer, Part {
  static let bits = Parameter.integer(
    "bits", default: 4, in: 1...16, "Bits B for each real of the codeword.")
  static let mu = Parameter.number(
    "mu", default: 200, in: 1e-3...1e6, "How strongly values around the centre are favoured, μ.")
  static let levels = Parameter<MuLaw.Levels>.choice(
    "levels", default: .midRise,
    "mid_rise: 2^B cells; sign_magnitude: a sign and 2^B magnitudes from zero on, B + 1 bits.")
  static let range = Parameter<UniformQuantizer.Range>(
    "range",
    .either([.choice(["minmax"]), .list(.number(.plain, -1e30...1e30), count: 2...2)]),
    default: .minmax, "Range [lo, hi]: fitted extremes of each real, or two numbers for all reals.")

  public static let schema = PartSchema(
    .quantizer, "mu_law", "Cells of equal size on a logarithmic scale, fine around the centre.",
    reference: "B. Smith, Bell Syst. Tech. J. 36 (1957) 653; ITU-T G.711",
    parameters: [bits.declaration, mu.declaration, levels.declaration, range.declaration]
      + FitParameters.declarations)

  private let law: MuLaw
  /// The value of each index, which all reals share.
  private let table: [Double]
  private let centre: [Double]
  private let halfWidth: [Double]

  /// A quantiser of the fitted `range` [component, 2], lo and hi, unless the settings give the range.
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    let count = context.codewordLength
    precondition(count > 0, "a quantiser is made after the codec")
    let law = MuLaw(
      mu: settings[Self.mu], bits: settings[Self.bits], levels: settings[Self.levels])
    self.law = law
    table = (0..<UInt32(1) << UInt32(law.width)).map { law.value($0) }
    let ends: [(Double, Double)]
    if let (low, high) = try settings[Self.range].limits(of: settings) {
      ends = [(Double, Double)](repeating: (Double(low), Double(high)), count: count)
    } else {
      let range = try fitted.array("range", shape: [count, 2], for: settings.part).elements
      ends = (0..<count).map { (Double(range[2 * $0]), Double(range[2 * $0 + 1])) }
    }
    centre = ends.map { ($0 + $1) / 2 }
    halfWidth = ends.map { ($1 - $0) / 2 }
  }

  /// Learns `range` [component, 2], the extremes of each real; nil if the settings give the range.
  public static func fitting(_ settings: Settings, in context: LinkContext) throws -> Fitting? {
    guard try settings[range].limits(of: settings) == nil else { return nil }
    let count = context.codewordLength
    return FitParameters.fitting(
      settings, signature: "range=minmax length=\(count)", shapes: ["range": [count, 2]]
    ) {
      ComponentFitter(
        part: schema.name, array: "range", componentCount: count, minimumDrops: 2
      ) { [$0[0], $0[$0.count - 1]] }
    }
  }

  public var alphabets: [Int]? { [Int](repeating: table.count, count: centre.count) }

  /// - Returns: how many values lay outside the range or were not numbers; those take an outer level.
  public func symbols(
    of values: UnsafeBufferPointer<Float>, into symbols: UnsafeMutableBufferPointer<UInt32>
  ) -> Int {
    precondition(
      values.count == centre.count, "\(values.count) reals for \(centre.count) components")
    var outside = 0
    for i in values.indices {
      let distance = Double(values[i]) - centre[i]
      if !(abs(distance) <= halfWidth[i]) { outside += 1 }
      symbols.initializeElement(
        at: i, to: law.index(halfWidth[i] > 0 ? distance / halfWidth[i] : 0))
    }
    return outside
  }

  public func values(
    of symbols: UnsafeBufferPointer<UInt32>, into values: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(
      values.count == centre.count, "\(values.count) reals for \(centre.count) components")
    for i in values.indices {
      values[i] = Float(centre[i] + halfWidth[i] * table[Int(symbols[i])])
    }
  }
}
