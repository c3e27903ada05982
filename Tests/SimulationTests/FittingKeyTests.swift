import DataFiles
import Foundation
import LinkMath
import Reports
import Simulation
import TestSupport
import Testing

/// What parts learn: from which drops, how many, of the truth or of the estimate; and that a kept part is used for nothing else.
@Suite struct FittingKeyTests {
  private static let link = """
    link:
      grid: {tones: 16}
      channel: {type: rayleigh, ports: 4, taps: 3}
      pilots: {type: dft, snr_db: 3}
      estimator: ls
      transform: {taps: 16}
      normaliser: none
    run: {seed: 6, drops: 3}
    """

  /// Energy of the drops that are fitted on, all tones and ports.
  private func energy(_ drops: Int, _ source: String) throws -> Double {
    let channels = try DirectLink.rayleigh(
      tones: 16, ports: 4, taps: 3, drops: 0..<drops, .fit, seed: 6)[0]
    return channels.enumerated().reduce(0) { sum, entry in
      let noise = DirectLink.pilotNoise(
        tones: 16, symbols: 4, snrDB: 3, drop: entry.offset, .fit, seed: 6)
      return sum
        + DirectLink.energy(
          source == "truth" ? entry.element : DirectLink.leastSquares(entry.element, noise))
    }
  }

  /// The array that the only fitted part of a scenario keeps.
  private func learned(_ name: String, set overrides: [String]) throws -> [Double] {
    try withTemporaryFolder { folder in
      _ = try prepare(Self.link, set: overrides, artefacts: folder)
      let files = try FileManager.default.contentsOfDirectory(atPath: folder)
      try #require(files.count == 1, "\(files)")
      let arrays = try ArrayFile.readAll("\(folder)/\(files[0])")
      return try #require(arrays.first { $0.name == name }).doubles()
    }
  }

  struct Learned: Sendable, CustomTestStringConvertible {
    let change: String
    let array: String
    let drops: Int
    var source = "truth"
    /// What is learned, from the mean energy of a drop of 64 complex entries.
    let value: @Sendable (Double) -> Double
    var testDescription: String { change }
  }

  /// Both transforms are unitary and nothing is cut off, so every stage has the energy of the frequency response. 37 and 41 drops are no
  /// whole number of blocks.
  static let cases = [
    Learned(
      change: "channel={type: rayleigh, ports: 4, taps: 3, normalise: dataset, fit.drops: 37}",
      array: "channel_power", drops: 37, value: { $0 / 64 }),
    Learned(
      change: "normaliser={type: dataset, fit.drops: 41}", array: "dataset_gain", drops: 41,
      value: { ($0 / 64).squareRoot() }),
    Learned(
      change: "codec={type: pca, length: 5, fit.drops: 37}", array: "energy", drops: 37,
      value: { $0 }),
    Learned(
      change: "codec={type: pca, length: 5, fit.drops: 41, fit.source: estimate}", array: "energy",
      drops: 41, source: "estimate", value: { $0 }),
    Learned(
      change: "feedback={type: analogue, snr_db: 9, snr_reference: dataset, fit.drops: 37}",
      array: "power", drops: 37, value: { $0 / 128 }),
    Learned(
      change:
        "feedback={type: analogue, snr_db: 9, snr_reference: dataset, fit.drops: 3, fit.source: estimate}",
      array: "power", drops: 3, source: "estimate", value: { $0 / 128 }),
  ]

  @Test(arguments: cases)
  func powersAreThoseOfTheDropsOfTheFit(test: Learned) throws {
    let found = try learned(test.array, set: [test.change])
    let expected = test.value(try energy(test.drops, test.source) / Double(test.drops))
    try #require(found.count == 1)
    #expect(abs(found[0] / expected - 1) < 1e-5, "\(test.change): \(found[0]), \(expected)")
  }

  /// The factor of `normalise: dataset` makes the mean power of the fitted drops one; the true channel of the run is divided by its root.
  @Test func theLearnedPowerDividesTheChannel() throws {
    let channel = "channel={type: rayleigh, ports: 4, taps: 3, normalise: dataset, fit.drops: 37}"
    let power = try energy(37, "truth") / 37 / 64
    let drops = try DirectLink.rayleigh(tones: 16, ports: 4, taps: 3, drops: 0..<3, seed: 6)[0]
    var drop = 0
    try forEachDrop(prepare(Self.link, set: [channel])) { _, value in
      let expected = DirectLink.energy(drops[drop]) / power
      #expect(abs(value(.referenceEnergy) / expected - 1) < 1e-5, "drop \(drop)")
      drop += 1
    }
    #expect(drop == 3)
  }

  /// All that learn at once, on estimates where that is asked for.
  private static let learners = [
    "normaliser={type: dataset, fit.drops: 20}",
    "codec={type: pca, length: 6, fit.drops: 64, fit.source: estimate}",
    "feedback={type: analogue, snr_db: 9, snr_reference: dataset, fit.drops: 30, fit.source: estimate}",
  ]

  /// After a run whose parts were kept, another one that differs in a single key gives the numbers that it gives alone.
  @Test(arguments: [
    "run.seed=7", "channel.taps=5", "channel.profile=exponential", "grid.tones=32",
    "pilots.snr_db=-10", "pilots.pilot_power=per_antenna", "pilots.type=hadamard",
    "estimator={type: ls, window: 2}", "transform.taps=8", "transform.guard_rows=4",
    "normaliser.fit.drops=33", "codec.fit.drops=80", "codec.fit.source=truth", "codec.length=20",
    "feedback.fit.drops=31", "feedback.fit.source=truth", "timing.speed=30 m/s",
  ])
  func partsThatWereKeptAreUsedForNothingElse(change: String) throws {
    let changes =
      change == "channel.profile=exponential" ? [change, "channel.tau_rms=0.5"] : [change]
    let other = Self.learners + changes
    try withTemporaryFolder { folder in
      let first = try report(Self.learners, folder)
      let alone = try report(other, nil)
      #expect(try report(other, folder) == alone, "\(change)")
      #expect(first != alone)
      // And what was kept first is still what it was.
      #expect(try report(Self.learners, folder) == first)
    }
  }

  /// The same within one run: points that differ before a part that learns on estimates have parts of their own.
  @Test func pointsOfASweepLearnFromTheirOwnPilots() throws {
    let swept = try execute(
      prepare(Self.link, set: Self.learners + ["sweep.pilots.snr_db=[-10, 3, 20]"])
    ).points
    for point in swept {
      let alone = try execute(
        prepare(Self.link, set: Self.learners + ["pilots.snr_db=\(point.coordinates[0]!)"])
      ).points[0]
      #expect(point[.nmseDB] == alone[.nmseDB], "\(point.coordinates)")
    }
  }

  /// Parts on the same drops share what the stages before the codec make of them, and learn what each learns alone.
  @Test func partsOnTheSameDropsLearnWhatTheyLearnAlone() throws {
    let learners = [
      "normaliser={type: dataset, fit.drops: 70}", "codec={type: pca, length: 6, fit.drops: 70}",
      "quantizer={type: kmeans, fit.drops: 70}", "coder={type: range, fit.drops: 70}",
    ]
    let swept = try execute(
      prepare(
        Self.link,
        set: learners + [
          "sweep.codec.length=[6, 3]", "sweep.quantizer.bits=[1, 3]",
          "sweep.codec.fit.source=[truth, estimate]",
        ])
    ).points
    try #require(swept.count == 8)
    for point in swept {
      let settings = zip(["codec.length", "quantizer.bits", "codec.fit.source"], point.coordinates)
      let alone = try execute(
        prepare(Self.link, set: learners + settings.map { "\($0.0)=\($0.1!)" })
      ).points[0]
      #expect(point[.nmseDB] == alone[.nmseDB], "\(point.coordinates)")
    }
  }

  private func report(_ overrides: [String], _ folder: String?) throws -> String {
    ReportCSV.text(of: try execute(prepare(Self.link, set: overrides, artefacts: folder)))
  }
}
