import Channels
import Codecs
import Link
import LinkMath
import Parts
import Scenarios
import Training

/// Every part that a scenario can name, gathered from the registries of the stages.
public enum LinkCatalogue {
  public static let catalogue = PartCatalogue(
    [GridSection.schema] + schemas(ChannelRegistry.models) + schemas(PilotRegistry.schemes)
      + schemas(EstimatorRegistry.estimators) + [AngularDelayTransform.schema]
      + Normaliser.schemas + schemas(CodecRegistry.codecs) + schemas(QuantizerRegistry.quantizers)
      + schemas(FeedbackRegistry.links) + [SlotClock.schema]
      + schemas(PrecoderRegistry.precoders) + [
        TrainingSettings.schema, RunSettings.schema, ReportSettings.schema,
      ],
    defaults: [
      .pilots: "dft", .estimator: "ls", .normaliser: "sample_max_modulus", .codec: "none",
      .quantizer: "none", .feedback: "ideal", .precoder: "mrt",
    ])

  public static let reader = ScenarioReader(catalogue: catalogue, presets: [.csinet])

  private static func schemas(_ parts: [any Part.Type]) -> [PartSchema] { parts.map { $0.schema } }

  /// The type behind a section's settings.
  static func type(of settings: Settings) -> any Part.Type {
    let parts: [any Part.Type] =
      switch settings.section {
      case .channel: ChannelRegistry.models
      case .pilots: PilotRegistry.schemes
      case .estimator: EstimatorRegistry.estimators
      case .transform: [AngularDelayTransform.self]
      case .normaliser: [Normaliser.self]
      case .codec: CodecRegistry.codecs
      case .quantizer: QuantizerRegistry.quantizers
      case .feedback: FeedbackRegistry.links
      case .precoder: PrecoderRegistry.precoders
      case .grid, .timing, .training, .run, .report: []
      }
    if settings.section == .normaliser { return Normaliser.self }
    guard let part = parts.first(where: { $0.schema.name == settings.part }) else {
      preconditionFailure("no \(settings.section) named '\(settings.part)'")
    }
    return part
  }
}

/// The OFDM grid: tone k lies at k · spacing above the lowest tone; it is never shifted.
enum GridSection {
  static let tones = Parameter.integer(
    "tones", default: 1024, in: 1...65536,
    "Number of subcarriers Nc; all of them are measured, precoded and averaged over.")
  static let spacing = Parameter.number(
    "spacing", .frequency, default: 20e6 / 1024, in: 1...1e9,
    "Distance Δf of neighbouring subcarriers; delays beyond 1/Δf cannot be told from smaller ones.")
  static let carrier = Parameter.number(
    "carrier_frequency", .frequency, default: 2e9, in: 1e6...1e12,
    "Carrier frequency fc: sets the Doppler shift (timing.speed), and paths and phases of tr38901 and cost2100."
  )
  static let schema = PartSchema(
    .grid, "ofdm", "Subcarriers of the downlink.",
    parameters: [tones.declaration, spacing.declaration, carrier.declaration])

  static func grid(_ settings: Settings) -> LinkContext.Grid {
    .init(
      toneCount: settings[tones], spacingHz: settings[spacing], carrierHz: settings[carrier])
  }
}

/// How a scenario is run: seed, number of drops, block size and stop rule.
public struct RunSettings: Sendable, Hashable {
  static let seed = Parameter.integer(
    "seed", default: 1, in: 0...Int.max,
    "Seed of every random stream: channels, noise, fitting, training.")
  static let drops = Parameter.integer(
    "drops", default: 1000, in: 2...(1 << 40), "Largest number of drops of each operating point.")
  static let block = Parameter<Int?>.optional(
    "block", .integer(1...4096),
    "Drops computed together, the unit of the journal; chosen from the size of a drop if left out.")
  static let minimum = Parameter.integer(
    "stop.min_drops", default: 100, in: 2...(1 << 40), "Drops before the stop rule is looked at.")
  static let nmse = Parameter<Double?>.optional(
    "stop.nmse_half_width_db", .number(.level, 1e-6...100),
    "Stop once the 95 % interval of nmse_db is this narrow at every point (half width).")
  static let rate = Parameter<Double?>.optional(
    "stop.rate_half_width", .number(.plain, 1e-9...100),
    "Stop once the 95 % interval of the rate is this narrow at every point (half width, bit/s/Hz).")
  static let schema = PartSchema(
    .run, "run", "Seed, number of drops and stop rule.",
    parameters: [
      seed.declaration, drops.declaration, block.declaration, minimum.declaration,
      nmse.declaration, rate.declaration,
    ])

  public let seed: UInt64
  public let maximumDrops: Int
  public let blockSize: Int?
  let stop: StopRule

  init(_ settings: Settings) {
    seed = UInt64(settings[Self.seed])
    maximumDrops = settings[Self.drops]
    blockSize = settings[Self.block]
    stop = StopRule(
      minimumDrops: settings[Self.minimum], nmseHalfWidthDB: settings[Self.nmse],
      rateHalfWidth: settings[Self.rate])
  }
}

/// What the report's metrics refer to.
public struct ReportSettings: Sendable, Hashable {
  /// The tones that cosine similarity and SGCS are averaged over.
  enum CosineDomain: String, Choice {
    case all_tones
    /// The first 125 of 257 tones, as the published evaluation of the CsiNet data does.
    case public_set
  }

  static let cosineDomain = Parameter<CosineDomain>.choice(
    "cosine_domain", default: .all_tones,
    "Tones of cosine_similarity and sgcs: all, or the first 125 of a grid of 257 (public_set).")
  static let schema = PartSchema(
    .report, "report", "What the metrics of the report refer to.",
    reference: "C.-K. Wen et al., IEEE WCL 7 (2018) 748, evaluation script",
    parameters: [cosineDomain.declaration])

  private let domain: CosineDomain

  init(_ settings: Settings) { domain = settings[Self.cosineDomain] }

  /// - Throws: ``SettingsError`` if the grid is not the public set's.
  func cosineToneCount(of toneCount: Int) throws(SettingsError) -> Int {
    guard domain == .public_set else { return toneCount }
    guard toneCount == 257 else {
      throw SettingsError(
        part: "report", key: "cosine_domain",
        reason: "public_set needs a grid of 257 tones, got \(toneCount)",
        hint: "write 'preset: csinet' in the link")
    }
    return 125
  }
}

/// When all operating points are known well enough; looked at after each block, in block order.
struct StopRule: Sendable, Hashable {
  let minimumDrops: Int
  let nmseHalfWidthDB: Double?
  let rateHalfWidth: Double?

  func isMet(_ folds: [PointFold], drops: Int) -> Bool {
    guard nmseHalfWidthDB != nil || rateHalfWidth != nil, drops >= minimumDrops else {
      return false
    }
    return folds.allSatisfy { fold in
      (nmseHalfWidthDB.map { limit in fold.nmseHalfWidthDB.map { $0 <= limit } ?? false } ?? true)
        && (rateHalfWidth.map { limit in fold.rateHalfWidth.map { $0 <= limit } ?? false } ?? true)
    }
  }
}
