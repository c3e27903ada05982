import DataFiles
import Foundation
import LinkMath
import Reports
import Simulation
import TestSupport
import Testing

/// Fitted parts on disk: used again only where everything that they depend on is the same, and only as they were written.
@Suite struct ArtefactTests {
  /// Every kind of fitted part: channel power, port correlation, normaliser, PCA, quantiser.
  private static let yaml = """
    link:
      grid: {tones: 32, spacing: 60 kHz}
      channel: {type: rayleigh, ports: 4, taps: 4, normalise: dataset, fit.drops: 20}
      pilots: {type: dft, snr_db: 10}
      estimator: {type: lmmse, fit.drops: 30}
      transform: {taps: 8}
      normaliser: {type: dataset, fit.drops: 25}
      codec: {type: pca, length: 8, fit.drops: 40, fit.source: estimate}
      quantizer: {type: uniform, bits: 3, fit.drops: 35, fit.source: estimate}
    run: {seed: 8, drops: 12, block: 4}
    """

  private func report(set overrides: [String] = [], artefacts: String? = nil) throws -> String {
    ReportCSV.text(of: try execute(prepare(Self.yaml, set: overrides, artefacts: artefacts)))
  }

  /// With the parts of the first scenario at hand, another one gives what it gives without them.
  @Test(arguments: [
    "run.seed=9", "grid.spacing=90 kHz", "grid.tones=64", "channel.taps=5", "channel.ports=8",
    "channel.profile=exponential", "channel.fit.drops=21",
    "pilots.snr_db=0", "pilots.length=6", "pilots.tone_spacing=2", "pilots.pilot_power=total",
    "estimator=ls", "estimator.covariance=iid", "estimator.fit.drops=31", "transform.taps=7",
    "transform.guard_rows=1", "transform.angle_shift=1", "normaliser=sample_unit_power",
    "normaliser.fit.drops=26", "codec.length=16", "codec.fit.drops=41", "codec.fit.source=truth",
    "quantizer.bits=4", "quantizer.fit.drops=36", "quantizer.fit.source=truth",
    "quantizer.range=minmax", "quantizer={type: lloyd_max}", "timing.speed=30 km/h",
    "timing={slots: 3, slot: 5 ms, speed: 30 km/h}",
  ])
  func anotherScenarioUsesOnlyWhatIsItsOwn(override: String) throws {
    // 'profile: exponential' needs its constant.
    let needed = [
      "channel.profile=exponential": ["channel.tau_rms=2"]
    ]
    let set = [override] + needed[override, default: []]
    try withTemporaryFolder { folder in
      let first = try report(artefacts: folder)
      let alone = try report(set: set)
      #expect(try report(set: set, artefacts: folder) == alone, "\(override)")
      // And the first one is as it was.
      #expect(try report(artefacts: folder) == first, "\(override)")
    }
  }

  /// The seed is in every name: no part of one seed is there for another, which draws other drops to be fitted on.
  @Test func everySeedHasItsOwnParts() throws {
    try withTemporaryFolder { folder in
      func names(_ seed: Int) throws -> Set<String> {
        let place = "\(folder)/\(seed)"
        _ = try prepare(Self.yaml, set: ["run.seed=\(seed)"], artefacts: place)
        return Set(try FileManager.default.contentsOfDirectory(atPath: place))
      }
      let (a, b) = (try names(1), try names(2))
      #expect(a.count == 5, "\(a.sorted())")
      #expect(b.count == 5 && a.isDisjoint(with: b), "\(b.sorted())")
      #expect(try names(1) == a)
    }
  }

  /// Any other byte in a file that is used is found; a name that was given to another file as well.
  @Test func changedFilesAreRefused() throws {
    try withTemporaryFolder { folder in
      let first = try report(artefacts: folder)
      let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      var random = StreamKey(seed: 6, domain: .test, purpose: .selection).stream(drop: 0)
      for name in names {
        let path = "\(folder)/\(name)"
        let good = try Data(contentsOf: URL(filePath: path))
        for trial in 0..<6 {
          var bad = good
          // The last bytes are values; the others may lie in the header.
          let place = trial < 3 ? bad.count - 1 - trial : Int(random.uniform() * Double(bad.count))
          bad[place] ^= 1
          try bad.write(to: URL(filePath: path))
          #expect(throws: (any Error).self, "\(name) \(place)") { try report(artefacts: folder) }
        }
        try FileManager.default.removeItem(atPath: path)
        #expect(try report(artefacts: folder) == first, "\(name) is learned again")
        #expect(try Data(contentsOf: URL(filePath: path)) == good)
      }
      let quantisers = ["run.seed=1", "run.seed=2"].map { seed in "\(folder)/\(seed)" }
      for (index, place) in quantisers.enumerated() {
        _ = try prepare(Self.yaml, set: ["run.seed=\(index + 1)"], artefacts: place)
      }
      let uniform = try quantisers.map { place in
        let name = try FileManager.default.contentsOfDirectory(atPath: place)
          .first { $0.hasPrefix("uniform-") }
        return "\(place)/\(try #require(name))"
      }
      try FileManager.default.removeItem(atPath: uniform[0])
      try FileManager.default.copyItem(atPath: uniform[1], toPath: uniform[0])
      #expect(throws: JournalError.self) {
        try prepare(Self.yaml, set: ["run.seed=1"], artefacts: quantisers[0])
      }
    }
  }
}
