import LinkMath
import Simulation
import Synchronization
import TestSupport
import Testing

/// What `check` says of the fits of a run, against those that the run then does.
@Suite struct FittingEstimateTests {
  static let links = [
    "codec: {type: pca, compression: 8, fit.drops: 64}\n  quantizer: {type: lloyd_max, fit.drops: 80}",
    "codec: {type: pca, compression: 8, fit.drops: 64}\n  quantizer: {type: uniform, fit.drops: 96}",
    "codec: none\n  quantizer: {type: kmeans, fit.drops: 48}\n  coder: {type: range, fit.drops: 64}",
  ]

  private static func yaml(_ link: String) -> String {
    """
    link:
      grid: {tones: 16}
      channel: {type: rayleigh, ports: 4}
      pilots: {type: dft, snr_db: 10}
      transform: {taps: 4}
      \(link)
    sweep:
      pilots.snr_db: [0, 10]
      quantizer.bits: [2, 3]
    run: {seed: 1, drops: 8, block: 4}
    """
  }

  @Test(arguments: links) func countsWhatIsFitted(_ link: String) throws {
    let yaml = Self.yaml(link)
    let text = try ScenarioCheck.text(scenario(yaml), threads: 1)
    let line = try #require(
      text.firstMatch(of: /# fits: (\d+) \((.+)\), each done once/), "\(text)")
    let fitted = Mutex<[String]>([])
    _ = try PreparedRun(
      scenario(yaml), pool: WorkerPool(threadCount: 1), artefactFolder: nil,
      progress: { note in
        guard let match = note.firstMatch(of: /^fitting (?:\d+ of \d+: )?(\w+ \w+) on/) else {
          return
        }
        fitted.withLock { $0.append(String(match.1)) }
      })
    let names = fitted.withLock { $0 }
    #expect(!names.isEmpty && Int(line.1) == names.count, "\(text)")
    for part in line.2.split(separator: ", ") {
      let words = part.split(separator: " ")
      let name = words.dropLast().joined(separator: " ")
      #expect(Int(words.last!) == names.count { $0 == name }, "\(part): \(names)")
    }
    #expect(text.contains(/, and about \d+\.\d s for the fits$/), "\(text)")
    #expect(!text.contains("not counted"))
  }

  @Test func withoutFits() throws {
    let yaml = Self.yaml("codec: none\n  quantizer: {type: uniform, range: [-1, 1]}")
    let text = try ScenarioCheck.text(scenario(yaml), threads: 1)
    #expect(!text.contains("fits"), "\(text)")
  }
}
