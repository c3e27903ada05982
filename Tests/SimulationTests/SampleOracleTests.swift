import DataFiles
import Foundation
import LinkMath
import Simulation
import TestSupport
import Testing

/// The files that networks are trained on, recomputed drop by drop: channel, pilots, estimate, transform, normaliser, image.
@Suite struct SampleOracleTests {
  private static func yaml(_ source: String) -> String {
    """
    link:
      grid: {tones: 64}
      channel: {type: rayleigh, ports: 32, taps: 3}
      pilots: {type: dft, snr_db: 4}
      estimator: ls
      transform: {taps: 32, guard_rows: 3, angle_shift: 5, angle_dft: inverse}
      normaliser: {type: sample_max_modulus, gain: unit}
      codec: {network: cl-acrnet-1x, compression: 64}
    training:
      {source: \(source), samples: 4, validation_samples: 3, test_samples: 2, epochs: 1, batch: 4}
    run: {seed: 17}
    """
  }

  /// `0.5 + 0.5 x / gain`, real and imaginary plane, [angle, delay].
  private func image(_ csi: DirectLink.Matrix, gain: Double) -> [Double] {
    let planes = (0..<32).flatMap { angle in (0..<32).map { csi[$0][angle] } }
    return planes.map { 0.5 + 0.5 * $0.real / gain }
      + planes.map { 0.5 + 0.5 * $0.imaginary / gain }
  }

  /// The encoder sees the estimate on a scale of its own; the target is the true channel on the same scale.
  @Test(arguments: ["truth", "estimate"])
  func everyDropOfEveryDomain(source: String) throws {
    try withTemporaryFolder { folder in
      let run = try TrainingRun(
        scenario(Self.yaml(source)), pool: WorkerPool(threadCount: 2))
      _ = try run.execute(in: folder, progress: { _ in }, shouldStop: { false })
      let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/data")
      let sets: [(String, StreamKey.Domain, Int)] = [
        ("train", .train, 4), ("validation", .validation, 3), ("test", .test, 2),
      ]
      for (name, domain, count) in sets {
        let channels = try DirectLink.rayleigh(
          tones: 64, ports: 32, taps: 3, drops: 0..<count, domain, seed: 17)[0]
        let files = names.filter { $0.hasPrefix("\(name)-") }
        #expect(files.count == (source == "truth" ? 1 : 2), "\(names)")
        for file in files {
          let array = try ArrayFile.read("\(folder)/data/\(file)")
          #expect(array.shape == [count, 2, 32, 32])
          let values = array.floats()
          for (drop, channel) in channels.enumerated() {
            let noise = DirectLink.pilotNoise(
              tones: 64, symbols: 32, snrDB: 4, drop: drop, domain, seed: 17)
            let seen = csi(
              source == "truth" ? channel : DirectLink.leastSquares(channel, noise))
            let shown = file.hasSuffix("-target.npy") ? csi(channel) : seen
            let expected = image(shown, gain: DirectLink.peak(seen))
            let gap = zip(expected, values[2048 * drop..<2048 * (drop + 1)]).map {
              abs($0 - Double($1))
            }.max()!
            #expect(gap < 3e-6, "\(file), drop \(drop): \(gap)")
          }
        }
      }
    }
  }

  private func csi(_ channel: DirectLink.Matrix) -> DirectLink.Matrix {
    DirectLink.csi(channel, taps: 32, guardRows: 3, shift: 5, inverse: true)
  }
}
