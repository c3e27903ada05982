import Parts
import Scenarios
import Testing

/// Damaged scenarios are read or refused, never crash: mutations of a good text from a fixed seed.
@Suite struct MutationTests {
  private static let good = """
    name: fuzz
    description: |
      several
      lines
    link:
      preset: narrow
      grid: {tones: &n 16, spacing: 30 kHz}
      channel: {type: cdl, profile: C, angles: [0, -30.5], delay_spread: 100 ns}
      estimator: {type: lmmse, fit: {drops: *n}}
      codec: "none"
    sweep:
      pilots.snr_db: {from: -5, to: 10, step: 2.5}
      codec: [none, {type: pca, compression: 2, gain: unit, label: 'x'}]
      codec.compression: [4, 8]
    run: {seed: 1, drops: 10}
    report: {cosine_domain: full}
    """

  /// Numerical Recipes' linear congruential generator: its high bits are random enough to damage texts.
  private struct Generator {
    var state: UInt64
    mutating func below(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(bound))
    }
  }

  private static let insertions: [String] =
    ["\t", "\n", " ", "  ", "\r\n", "\u{85}", "\u{2028}", "µ", "\u{FFFD}", "😀", "\0", "\u{301}"]
    + "[]{},:-?*&!|>'\"%@`#~<=.0123456789eaz".map(String.init)
    + ["---\n", "...\n", "%YAML 1.1\n", "<<: ", "? ", "- ", "*n", "&n ", "!!str ", "1e999", ".nan"]
    + [
      "type: ", "from: ", "null", "extends: x.yaml\n", "\\u", "\\xD8", "{from: 1, to: 9, step: 0}",
    ]

  private static func damaged(_ seed: Int) -> String {
    var generator = Generator(state: UInt64(seed))
    _ = generator.below(2)
    var text = Array(good.unicodeScalars)
    for _ in 0...generator.below(4) {
      let place = generator.below(text.count)
      switch generator.below(5) {
      case 0: text.removeSubrange(place..<min(text.count, place + 1 + generator.below(20)))
      case 1: text = Array(text[..<max(1, place)])
      case 2: text.swapAt(place, generator.below(text.count))
      case 3:
        let end = min(text.count, place + generator.below(60))
        text.insert(contentsOf: text[place..<end], at: generator.below(text.count))
      default:
        let addition = insertions[generator.below(insertions.count)]
        text.insert(contentsOf: addition.unicodeScalars, at: place)
      }
      if text.isEmpty { text = ["x"] }
    }
    return String(String.UnicodeScalarView(text))
  }

  @Test(arguments: 0..<8)
  func neverCrashes(batch: Int) throws {
    var accepted = 0
    for seed in (batch * 1000)..<((batch + 1) * 1000) {
      let text = Self.damaged(seed)
      do {
        let scenario = try demoReader.read(text: text, path: "fuzz.yaml").scenario
        accepted += 1
        // What was accepted must survive being written down.
        let again = try demoReader.read(
          text: try scenario.resolvedYAML(), path: "fuzz.yaml"
        ).scenario
        #expect(again.canonical == scenario.canonical, "seed \(seed)")
      } catch let errors as ScenarioErrors {
        #expect(!errors.diagnostics.isEmpty && !errors.description.isEmpty, "seed \(seed)")
      }
    }
    // Both ways are taken: most damage is found, some is harmless.
    #expect((1..<900).contains(accepted), "\(accepted) accepted")
  }

  @Test func damagedOverridesNeverCrash() throws {
    var generator = Generator(state: 7)
    for seed in 0..<2000 {
      let paths = ["codec", "sweep.codec", "channel.angles", "run", "name", "pilots.snr_db", "a.b"]
      let text =
        paths[generator.below(paths.count)] + "="
        + (0..<generator.below(6)).map { _ in
          Self.insertions[generator.below(Self.insertions.count)]
        }.joined()
      do {
        _ = try demoReader.read(text: Self.good, path: "fuzz.yaml", overrides: [text])
      } catch {
        #expect(!error.diagnostics.isEmpty, "seed \(seed): \(text)")
      }
    }
  }
}
