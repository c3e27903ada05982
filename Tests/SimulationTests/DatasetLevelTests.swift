import DataFiles
import Foundation
import LinkMath
import Parts
import Simulation
import TestSupport
import Testing

/// Files of channels with the levels that were taken out: put back, they are the drops of the asked domain.
@Suite struct DatasetLevelTests {
  private static func yaml(_ normalise: String) -> String {
    """
    name: levels
    link:
      grid: {tones: 64}
      channel: {type: rayleigh, ports: 32, taps: 3, \(normalise)}
      transform: {taps: 32, guard_rows: 1, angle_shift: 7}
    run: {seed: 23, drops: 2}
    """
  }

  /// Drops 3 ..< 6 of the validation domain, written to one file.
  private func generated(
    _ normalise: String, _ layout: DatasetRequest.Layout
  ) throws -> [String: [Double]] {
    try withTemporaryFolder { folder in
      let source = try DatasetSource(
        scenario(Self.yaml(normalise)), pool: WorkerPool(threadCount: 2))
      let request = DatasetRequest(
        layout: layout, domain: .validation, first: 3, drops: 3, slots: nil, shardSize: nil,
        format: .npz)
      let generation = try DatasetGeneration(
        source, request, output: "\(folder)/set.npz", pool: WorkerPool(threadCount: 2))
      #expect(try generation.execute() != nil)
      return try Dictionary(
        uniqueKeysWithValues: ArrayFile.readAll("\(folder)/set.npz").map {
          ($0.name!, $0.doubles())
        })
    }
  }

  private func channels() throws -> [DirectLink.Matrix] {
    try DirectLink.rayleigh(
      tones: 64, ports: 32, taps: 3, drops: 3..<6, .validation, seed: 23)[0]
  }

  private func factor(_ level: Double) -> Double { pow(10, level / 20) }

  @Test(arguments: ["normalise: none", "normalise: sample", "normalise: dataset, fit.drops: 20"])
  func responsesTimesTheirLevelAreTheModel(normalise: String) throws {
    let arrays = try generated(normalise, .frequency)
    let (values, levels) = (try #require(arrays["H"]), try #require(arrays["gain_db"]))
    for (drop, channel) in try channels().enumerated() {
      let truth = channel.flatMap { $0 }
      let found = values[4096 * drop..<4096 * (drop + 1)]
      let error = truth.indices.reduce(0.0) { sum, i in
        let (re, im) = (found[4096 * drop + 2 * i], found[4096 * drop + 2 * i + 1])
        return sum + pow(truth[i].real - factor(levels[drop]) * re, 2)
          + pow(truth[i].imaginary - factor(levels[drop]) * im, 2)
      }
      #expect(error < 1e-9 * DirectLink.energy(channel), "\(normalise), drop \(drop)")
      let power = found.reduce(0) { $0 + $1 * $1 } / 2048
      if normalise == "normalise: sample" { #expect(abs(power - 1) < 1e-5) }
      if normalise == "normalise: none" { #expect(levels[drop] == 0) }
    }
    #expect(Set(levels).count == (normalise == "normalise: sample" ? 3 : 1))
  }

  /// `h = 10^((gain + normaliser) / 20) · 2 (x - 0.5)` is the CSI of the model.
  @Test(arguments: ["normalise: sample", "normalise: dataset, fit.drops: 20"])
  func imagesTimesTheirLevelsAreTheCSI(normalise: String) throws {
    let arrays = try generated(normalise, .csinet)
    let values = try #require(arrays["HT"])
    let (gains, levels) = (
      try #require(arrays["gain_db"]), try #require(arrays["normaliser_db"])
    )
    for (drop, channel) in try channels().enumerated() {
      let csi = DirectLink.csi(channel, taps: 32, guardRows: 1, shift: 7)
      let scale = 2 * factor(gains[drop] + levels[drop])
      var error = 0.0
      for angle in 0..<32 {
        for delay in 0..<32 {
          let i = 2048 * drop + 32 * angle + delay
          error += pow(csi[delay][angle].real - scale * (values[i] - 0.5), 2)
          error += pow(csi[delay][angle].imaginary - scale * (values[i + 1024] - 0.5), 2)
        }
      }
      #expect(error < 1e-9 * DirectLink.energy(channel), "\(normalise), drop \(drop): \(error)")
      let largest = (0..<1024).map { i in
        hypot(values[2048 * drop + i] - 0.5, values[2048 * drop + 1024 + i] - 0.5)
      }.max()!
      #expect(abs(largest - 0.5) < 1e-6)
    }
  }
}
