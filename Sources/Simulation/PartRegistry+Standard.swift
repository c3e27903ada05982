import Channels
import Codecs
import Link
import Parts
import Scenarios
import Training

extension PartRegistry {
  /// Every part of this package, gathered from the registries of the stages.
  public static let standard = PartRegistry(
    ChannelRegistry.models + PilotRegistry.schemes + EstimatorRegistry.estimators
      + TransformRegistry.transforms + NormaliserRegistry.normalisers + CodecRegistry.codecs
      + QuantizerRegistry.quantizers + CoderRegistry.coders + FeedbackRegistry.links
      + PredictionRegistry.predictions + PrecoderRegistry.precoders + MetricRegistry.metrics,
    schemas: [
      GridSection.schema, SlotClock.schema, TrainingSettings.schema, RunSettings.schema,
      ReportSettings.schema,
    ],
    defaults: [
      .pilots: "dft", .estimator: "ls", .transform: "angular_delay",
      .normaliser: "sample_max_modulus", .codec: "none", .quantizer: "none", .coder: "fixed_width",
      .feedback: "ideal",
      .prediction: "hold",
      .precoder: "mrt",
    ])
}

extension ScenarioReader {
  /// Reads scenarios of the parts of this package; `init(registry:presets:)` those of others too.
  public static let standard = ScenarioReader(registry: .standard, presets: [.csinet])
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
