import Parts
import Scenarios

/// A small catalogue with every kind of parameter, so that these tests do not depend on the parts of the link.
let demoCatalogue = PartRegistry(
  [
    PartSchema(
      .grid, "ofdm", "Sub-carriers of an OFDM symbol.", reference: "TS 38.211 section 4",
      parameters: [
        Parameter.integer("tones", default: 64, in: 1...8192, "Sub-carriers.").declaration,
        Parameter.number(
          "spacing", .frequency, default: 15e3, in: 1...1e9, "Sub-carrier spacing."
        ).declaration,
      ]),
    PartSchema(
      .channel, "rayleigh", "Independent taps.",
      parameters: [
        Parameter.number(
          "delay_spread", .time, default: 100e-9, in: 0...1e-3, "RMS delay spread."
        ).declaration
      ]),
    PartSchema(
      .channel, "cdl", "Clustered delay line.", reference: "TR 38.901 section 7.7.1",
      parameters: [
        Parameter<String>("profile", .choice(["A", "B", "C"]), "Profile.").declaration,
        Parameter<[Double]>(
          "angles", .list(.number(.angle, -180...180), count: 1...4), default: [0, 30],
          "Mean angles."
        ).declaration,
        Parameter.number("delay_spread", .time, default: 100e-9, "RMS delay spread.").declaration,
      ]),
    PartSchema(
      .channel, "recorded", "Channels of a file.",
      parameters: [
        Parameter<String>("file", .file, "The file.").declaration,
        Parameter<String?>.optional("note", .text, "Where it was measured.").declaration,
      ]),
    PartSchema(
      .pilots, "dft", "Orthogonal pilots.",
      parameters: [
        Parameter.number("snr_db", .level, default: 20, in: -100...200, "Pilot SNR.").declaration,
        Parameter.flag("ideal", default: false, "No noise.").declaration,
      ]),
    PartSchema(.estimator, "ls", "Least squares."),
    PartSchema(
      .estimator, "lmmse", "Linear minimum mean square error.",
      parameters: [
        Parameter.integer(
          "fit.drops", default: 1000, in: 1...Int.max, "Drops that the covariance is fitted on."
        ).declaration,
        Parameter<String>(
          "fit.source", .choice(["truth", "estimate"]), default: "truth", "What it is fitted on."
        ).declaration,
      ]),
    PartSchema(
      .codec, "none", "No compression."),
    PartSchema(
      .codec, "pca", "Principal components.",
      parameters: [
        Parameter.integer("compression", default: 4, in: 1...64, "1 / compression ratio.")
          .declaration,
        Parameter<String>(
          "gain", .either([.choice(["genie", "unit"]), .integer(1...32)]), default: "genie",
          "The gain at the BS: a word, or its bits."
        ).declaration,
      ]),
    PartSchema(
      .codec, "csinet", "The network of Wen, Shih and Jin.",
      parameters: [
        Parameter.integer("compression", default: 4, in: 1...64, "1 / compression ratio.")
          .declaration,
        Parameter<String>("weights", .file, "Weights file.").declaration,
      ]),
    PartSchema(
      .codec, "network", "Any network.",
      parameters: [
        Parameter<String>("network", .choice(["crnet", "clnet", "bcsinet"]), "Name.").declaration,
        Parameter<Int?>.optional("compression", .integer(1...64), "1 / compression ratio.")
          .declaration,
        Parameter<String?>.optional("weights", .file, "Weights.").declaration,
      ]),
    PartSchema(
      .run, "run", "How to run.",
      parameters: [
        Parameter.integer("seed", default: 1, in: 0...Int.max, "Seed.").declaration,
        Parameter.integer("drops", in: 1...1_000_000_000, "Drops per point.").declaration,
      ]),
    PartSchema(
      .report, "report", "What to report.",
      parameters: [
        Parameter<String>(
          "cosine_domain", .choice(["full", "public_set"]), default: "full", "Tones of rho."
        ).declaration
      ]),
  ], defaults: [.channel: "rayleigh", .estimator: "ls", .codec: "none"])

let demoPresets = [
  Preset(
    "narrow", "a narrow grid", link: "grid: {tones: 32, spacing: 30 kHz}\nestimator: lmmse"),
  Preset("measured", "measured channels", link: "channel: {type: recorded, file: drops.mat}"),
]

let demoReader = ScenarioReader(registry: demoCatalogue, presets: demoPresets)

/// Reads a text that is expected to be valid, without warnings.
func scenario(_ text: String, set overrides: [String] = []) throws(ScenarioErrors) -> Scenario {
  try demoReader.read(text: text, path: "demo.yaml", overrides: overrides).scenario
}
