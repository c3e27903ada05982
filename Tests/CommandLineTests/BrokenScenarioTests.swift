import Foundation
import Testing

/// A scenario that cannot be run, with where and what the program must say.
struct BrokenScenario: Sendable, CustomTestStringConvertible {
  let text: String
  let place: String
  let message: String

  init(_ text: String, _ place: String, _ message: String) {
    self.text = text
    self.place = place
    self.message = message
  }

  /// A scenario whose link has three good lines and then these.
  init(link: String, _ place: String, _ message: String) {
    let start = "link:\n  channel: {type: rayleigh, ports: 8}\n  grid: {tones: 64}\n"
    self.init(start + link + "\nrun: {drops: 4}\n", place, message)
  }

  /// A scenario with a good link and these lines after it.
  init(after: String, _ place: String, _ message: String) {
    self.init(
      "link:\n  channel: {type: rayleigh, ports: 8}\n  grid: {tones: 64}\n" + after, place, message)
  }

  /// A scenario with this channel.
  init(channel: String, _ place: String, _ message: String) {
    self.init("link:\n  channel: \(channel)\nrun: {drops: 4}\n", place, message)
  }

  var testDescription: String { message }
}

/// Every mistake is reported with file, line and column, and none of them crashes the program.
@Suite struct BrokenScenarioTests {
  @Test(arguments: syntax + channels + stages + fitted + sweepsAndRuns)
  func isReported(_ broken: BrokenScenario) throws {
    let folder = try TestFolder(["broken.yaml": broken.text])
    for command in ["check", "run"] {
      let result = try Program.run(command, "broken.yaml", in: folder)
      #expect(result.status == 2, "\(result)")
      #expect(result.output.isEmpty, "\(result)")
      let expected = "broken.yaml:\(broken.place): error: \(broken.message)"
      #expect(result.errors.contains(expected), "\(result)")
      #expect(!folder.has("results/broken/report.csv"))
    }
  }

  static let syntax = [
    BrokenScenario("just a word", "1:1", "the scenario must be a mapping, got 'just a word'"),
    BrokenScenario("- link\n- run", "1:1", "the scenario must be a mapping, got a list"),
    BrokenScenario("link:\n\tgrid: {tones: 64}\n", "2:1", "found character that cannot start"),
    BrokenScenario("link: {grid: {tones: 64}\nrun: {drops: 4}\n", "2:1", "did not find expected"),
    BrokenScenario("name: \"open\nrun: {drops: 4}\n", "3:1", "found unexpected end of stream"),
    BrokenScenario("link: *base\nrun: {drops: 4}\n", "1:7", "found undefined alias"),
    BrokenScenario("lnik: {}\nrun: {drops: 4}\n", "1:1", "unknown key 'lnik'"),
    BrokenScenario("name: ../up\nrun: {drops: 4}\n", "1:7", "'name' cannot be '../up'"),
    BrokenScenario("extends: nowhere.yaml\n", "1:10", "'nowhere.yaml' no such file"),
    BrokenScenario("link:\n  grid: {tones: 64}\n", "1:1", "the link has no channel"),
    BrokenScenario(link: "  preset: csinett", "4:11", "unknown preset 'csinett'"),
    BrokenScenario(link: "  channel: tdl", "2:3", "key 'channel' is given twice in one mapping"),
  ]

  static let channels = [
    BrokenScenario(channel: "cld", "2:12", "unknown channel 'cld'; known: rayleigh, tdl, cdl"),
    BrokenScenario(channel: "cdl", "2:12", "channel.profile is required: one of A, B, C, D, E"),
    BrokenScenario(
      channel: "{type: cdl, profile: F, delay_spread: 100 ns}", "2:33",
      "channel.profile must be one of A, B, C, D, E, got 'F'"),
    BrokenScenario(
      channel: "{type: cdl, profile: A, delay_spread: 100}", "2:50",
      "channel.delay_spread must be a time in 0 s...100 us with its unit"),
    BrokenScenario(
      channel: "{type: cdl, profile: A, delay_spread: -1 ns}", "2:50",
      "channel.delay_spread must be a time"),
    BrokenScenario(
      channel: "{type: cdl, profile: A, delay_spread: 100 ns, k_factor: 9}", "2:68",
      "channel.k_factor only has a meaning with profile: D or E"),
    BrokenScenario(
      channel: "{type: cdl, profile: C, delay_spread: 100 ns, array: upa}", "2:19",
      "channel.columns is required: the array is planar"),
    BrokenScenario(
      channel: "{type: cdl, profile: C, delay_spread: 100 ns, ports: 7, polarisation: dual}",
      "2:65", "channel.ports must be even for polarisation: dual, got 7"),
    BrokenScenario(
      channel: "{type: tdl, profile: A}", "2:19",
      "channel.delay_spread is required: the profile has normalised delays"),
    BrokenScenario(
      channel: "{type: tdl, profile: A, delay_spread: 10 ns, k_factor: 3}", "2:57",
      "channel 'tdl' has no key 'k_factor'"),
    BrokenScenario(
      channel: "{type: rayleigh, ports: 0}", "2:36",
      "channel.ports must be a whole number in 1...1024, got '0'"),
    BrokenScenario(
      channel: "{type: rayleigh, profile: exponential}", "2:19", "channel.tau_rms is required"),
  ]

  static let stages = [
    BrokenScenario(
      link: "  pilots: {type: hadamard, length: 12}", "4:36",
      "pilots.length must be a power of two, got 12"),
    BrokenScenario(
      link: "  pilots: {length: 4}", "4:20",
      "pilots.length must be at least the number of ports 8, got 4"),
    BrokenScenario(
      link: "  pilots: {tone_spacing: 100}", "4:26",
      "pilots.tone_spacing must divide the 64 tones, got 100"),
    BrokenScenario(
      link: "  estimator: {type: delay_window, window: 100}", "4:43",
      "estimator.window must be at most the 64 pilot tones, got 100"),
    BrokenScenario(
      link: "  transform: {taps: 128}", "4:21",
      "transform.taps must be at most the 64 tones of the grid, got 128"),
    BrokenScenario(
      link: "  transform: {taps: 8, guard_rows: 8}", "4:36",
      "transform.guard_rows must be below the 8 taps, got 8"),
    BrokenScenario(
      link: "  normaliser: {gain: quantized, gain_range_db: [10, -10]}", "4:48",
      "normaliser.gain_range_db must be ascending"),
    BrokenScenario(
      link: "  feedback: {type: bsc, p: 0.1}", "4:20",
      "feedback 'bsc' carries bits, but the quantizer is none"),
    BrokenScenario(
      link: "  quantizer: uniform\n  feedback: {type: analogue, snr_db: 10}", "5:20",
      "feedback 'analogue' carries real codewords, but the codeword is quantised to bits"),
    BrokenScenario(link: "  feedback: {type: bsc}", "4:20", "feedback.p is required"),
    BrokenScenario(
      link: "  timing: {slots: 3, feedback_delay: 4}", "4:19",
      "timing.slots must exceed the total delay of 4 slots, got 3"),
    BrokenScenario(link: "  timing: {speed: 3}", "4:19", "timing.speed must be a speed"),
    BrokenScenario(
      link: "  precoder: {type: zf}", "4:20", "unknown precoder 'zf'; known: mrt, subband"),
  ]

  static let fitted = [
    BrokenScenario(
      link: "  codec: {type: pca, compression: 7}", "4:35",
      "codec.compression must divide the 512 reals of the CSI, got 7"),
    BrokenScenario(
      link: "  codec: {type: pca, compression: 4, length: 8}", "4:46",
      "codec.length cannot be given with 'compression'"),
    BrokenScenario(
      link: "  codec: {type: pca, fit.drops: 3}", "4:33", "codec.fit.drops must be at least 128"),
    BrokenScenario(
      link: "  codec: {type: dft_selection, coefficients: 1000}", "4:46",
      "codec.coefficients must be at most the 256 coefficients of the CSI, got 1000"),
    BrokenScenario(
      link: "  quantizer: {bits: 4}", "4:15", "quantizer 'none' has no key 'bits'"),
    BrokenScenario(
      link: "  quantizer: {type: uniform, range: [1, -1]}", "4:37",
      "quantizer.range must be [lo, hi] with lo below hi"),
    BrokenScenario(
      link: "  quantizer: {type: lloyd_max, bits: 8, fit.drops: 2}", "4:52",
      "quantizer.fit.drops must be at least 256, the number of levels, got 2"),
  ]

  static let sweepsAndRuns = [
    BrokenScenario(after: "run: {drops: 1}", "4:14", "run.drops must be a whole number in 2..."),
    BrokenScenario(
      after: "run: {drops: 4, stop: {nmse: 0.1}}", "4:24", "run 'run' has no key 'stop.nmse'"),
    BrokenScenario(after: "sweep: {pilots.snr: [1]}", "4:9", "pilots 'dft' has no key 'snr'"),
    BrokenScenario(after: "sweep: {run.seed: [1, 2]}", "4:9", "cannot sweep 'run.seed'"),
    BrokenScenario(after: "sweep: {pilots.snr_db: []}", "4:24", "'pilots.snr_db' needs values"),
    BrokenScenario(
      after: "sweep: {pilots.snr_db: {from: 0, to: 10, step: -1}}", "4:24",
      "the step of -1 leads from 0 away from 10"),
    BrokenScenario(
      after: "sweep: {pilots.snr_db: {from: 0, to: 1000000, step: 1}}", "4:24",
      "a range of more than 100000 values"),
    BrokenScenario(
      after: "sweep: {codec.compression: [4]}", "4:9", "codec 'none' has no key 'compression'"),
  ]
}
