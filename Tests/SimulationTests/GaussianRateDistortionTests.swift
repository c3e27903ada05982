import Foundation
import LinkMath
import Simulation
import Testing

@Suite struct GaussianRateDistortionTests {
  /// Equal variances: each real gets R/n bits, `n σ² 2^(-2R/n)`.
  @Test func equalVariances() {
    for bits in [0.0, 1, 7, 40] {
      let found = GaussianRateDistortion.distortion(
        variances: [Double](repeating: 3, count: 8), bits: bits)
      #expect(abs(found - 24 * exp2(-2 * bits / 8)) < 1e-12)
    }
  }

  /// The water level that bisection finds.
  @Test(arguments: [0.1, 1, 3, 10, 25])
  func isTheWaterLevel(bits: Double) {
    let variances = (0..<20).map { 5 * exp(-0.5 * Double($0)) } + [0]
    var (low, high) = (-60.0, 3.0)
    for _ in 0..<200 {
      let level = exp2((low + high) / 2)
      let rate = variances.reduce(0) { $0 + ($1 > level ? log2($1 / level) / 2 : 0) }
      if rate > bits { low = (low + high) / 2 } else { high = (low + high) / 2 }
    }
    let expected = variances.reduce(0) { $0 + min($1, exp2(low)) }
    let found = GaussianRateDistortion.distortion(variances: variances.reversed(), bits: bits)
    #expect(abs(found / expected - 1) < 1e-9)
  }

  /// Independent Gaussian entries of equal power: 2^(-2R/n), and principal components with any quantiser stay above.
  @Test func isAFloorForGaussianCSI() throws {
    let points = try execute(
      prepare(
        """
        link:
          grid: {tones: 8}
          channel: {type: rayleigh, ports: 4, taps: 4}
          estimator: perfect
          transform: {taps: 4}
          normaliser: none
          codec: {type: pca, compression: 1, fit: {drops: 400}}
          quantizer: {type: kmeans, fit: {drops: 400}}
        sweep:
          quantizer.bits: [1, 2, 3]
        report: {columns: [nmse_gaussian_floor_db, symbol_entropy_bits]}
        run: {seed: 3, drops: 200}
        """)
    ).points
    let optimum: [Double] = [1, 1.911, 2.825]
    for (i, point) in points.enumerated() {
      // 32 reals of equal variance but for the spread of 4000 drops.
      #expect(abs(point[.gaussianFloorDB] + 6.0206 * Double(i + 1)) < 0.1)
      #expect(point[.nmseRatioOfSumsDB] > point[.gaussianFloorDB] + 0.5)
      // Entropies of the optimum quantisers of a Gaussian: J. Max, Quantizing for Minimum Distortion, IRE Trans. Inf. Theory 6 (1960) 7;
      // codebooks of 400 drops lie beside the optimum, and frequencies of 4000 understate the entropy a little.
      let entropy = 32 * optimum[i]
      #expect(abs(point[.symbolEntropy] / entropy - 1) < 0.015)
    }
  }
}
