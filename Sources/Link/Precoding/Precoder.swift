import CKernels
import ComplexModule
import LinkMath
import Parts
import RealModule

/// How the BS turns reconstructed CSI into transmit weights.
public protocol Precoder: Sendable {
  /// Downlink data SNR in dB: total transmit power over the noise of a tone.
  var snrDB: Double { get }

  /// Users K that are served at the same time on every tone, each with the share 1/K of the power.
  var users: Int { get }

  /// Whether the weights depend on the scale of the reconstruction.
  var needsScale: Bool { get }

  /// Directions g [drop, subcarrier, port] of each user: the weights of a tone are w = gᴴ / ‖g‖, so a user receives H[n] w[n].
  ///
  /// A tone with g = 0 gets equal weights on all ports. Directions that are the reconstruction are best returned as the same
  /// array.
  /// - Parameter reconstructions: [drop, subcarrier, port], one for each user.
  func directions(_ reconstructions: [ComplexArray]) throws -> [ComplexArray]
}

extension Precoder {
  /// A single user.
  public var users: Int { 1 }
  /// Directions are enough.
  public var needsScale: Bool { false }

  /// The directions of a single user.
  public func directions(_ reconstruction: ComplexArray) throws -> ComplexArray {
    try directions([reconstruction])[0]
  }
}

/// Every precoder a scenario can name.
public enum PrecoderRegistry {
  /// The precoders, in the order in which `csilink list` shows them.
  public static let precoders: [any (Precoder & Part).Type] = [
    MRTPrecoder.self, SubbandPrecoder.self, WidebandPrecoder.self, ZeroForcingPrecoder.self,
  ]
}

enum PrecoderKeys {
  static let snr = Parameter<Double?>.optional(
    "snr_db", .number(.level, -100...300),
    "Downlink data SNR of a channel of unit mean power; pilots.snr_db if left out.")
  static let users = Parameter<Int?>.optional(
    "users", .integer(1...256),
    "Users served at the same time, with independent channels and equal shares of the power; one if left out."
  )
}

/// Maximum-ratio transmission on each tone: w = Ĥᴴ / ‖Ĥ‖. Several users disturb each other.
///
/// Reference: T. K. Y. Lo, IEEE Trans. Commun. 47 (1999) 1458, doi:10.1109/26.795811.
public struct MRTPrecoder: Precoder, Part {
  public static let schema = PartSchema(
    .precoder, "mrt", "Maximum-ratio transmission on each subcarrier.",
    reference: "T. K. Y. Lo, IEEE Trans. Commun. 47 (1999) 1458",
    parameters: [PrecoderKeys.snr.declaration, PrecoderKeys.users.declaration])
  public let snrDB: Double
  public let users: Int

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    snrDB = settings[PrecoderKeys.snr] ?? context.pilots.snrDB
    users = settings[PrecoderKeys.users] ?? 1
  }

  public func directions(_ reconstructions: [ComplexArray]) -> [ComplexArray] { reconstructions }
}

/// One weight vector for each group of neighbouring tones: the dominant eigenvector of sum_n Ĥ[n]ᴴ Ĥ[n].
public struct SubbandPrecoder: Precoder, Part {
  static let size = Parameter.integer(
    "subband_tones", default: 64, in: 1...65536, "Tones of a subband; the last one may be smaller.")
  public static let schema = PartSchema(
    .precoder, "subband", "One dominant eigenvector for each subband.",
    parameters: [size.declaration, PrecoderKeys.snr.declaration])
  public let snrDB: Double
  private let size: Int

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    snrDB = settings[PrecoderKeys.snr] ?? context.pilots.snrDB
    size = settings[Self.size]
  }

  public func directions(_ reconstructions: [ComplexArray]) throws -> [ComplexArray] {
    try reconstructions.map { try bandDirections($0, size: size) }
  }
}

/// One weight vector for the whole band.
public struct WidebandPrecoder: Precoder, Part {
  public static let schema = PartSchema(
    .precoder, "wideband", "One dominant eigenvector for the whole band.",
    parameters: [PrecoderKeys.snr.declaration])
  public let snrDB: Double

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    snrDB = settings[PrecoderKeys.snr] ?? context.pilots.snrDB
  }

  public func directions(_ reconstructions: [ComplexArray]) throws -> [ComplexArray] {
    try reconstructions.map { try bandDirections($0, size: $0[dimension: 1]) }
  }
}

/// The dominant direction of each band of `size` tones, repeated on its tones.
private func bandDirections(_ reconstruction: ComplexArray, size: Int) throws -> ComplexArray {
  repeatRows(
    try dominantDirections(reconstruction, size: size), size: size,
    tones: reconstruction[dimension: 1])
}
