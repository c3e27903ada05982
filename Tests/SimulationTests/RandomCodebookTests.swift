import Foundation
import LinkMath
import Simulation
import TestSupport
import Testing

/// Random vector quantisation in the link: the distortion and the rate loss that theory knows.
@Suite struct RandomCodebookTests {
  private func yaml(bits: Int, users: Int, precoder: String) -> String {
    """
    link:
      grid: {tones: 256}
      channel: {type: rayleigh, ports: 4, taps: 256}
      estimator: perfect
      transform: {type: subband_eigenvectors, subband_tones: 1}
      normaliser: none
      codec: {type: rvq, bits: \(bits)}
      precoder: {type: \(precoder), users: \(users), snr_db: 10}
    run: {seed: 21, drops: 60}
    """
  }

  /// Random vector quantisation: the mean of 1 - SGCS is `2^B Beta(2^B, N / (N - 1))`, within 1 %.
  @Test(arguments: [4, 8])
  func distortionOfRandomCodebooks(bits: Int) throws {
    let point = try execute(prepare(yaml(bits: bits, users: 1, precoder: "mrt")), threads: 2)
      .points[0]
    let distortion = try oracle("RVQ_SIN2", "N=4,B=\(bits)")
    let found = 1 - point[.squaredCosineSimilarity]
    #expect(abs(found / distortion - 1) < 0.01, "\(found), theory \(distortion)")
    #expect(point[.payloadBits] == Double(256 * bits))
  }

  /// Zero forcing of as many users as ports on such reports loses at most `log2(1 + SNR 2^(-B / (N - 1)))` of each rate.
  @Test(arguments: [4, 8])
  func rateLossOfZeroForcing(bits: Int) throws {
    let run = try prepare(
      yaml(bits: bits, users: 4, precoder: "zero_forcing"), set: ["run.drops=20"])
    let point = try execute(run, threads: 2).points[0]
    let loss = point[.perfectRate] - point[.rate]
    #expect(loss > 0 && loss < log2(1 + 10 * pow(2, -Double(bits) / 3)), "\(loss)")
  }

  @Test func directionsAreNeeded() {
    let told = complaints(
      yaml(bits: 4, users: 1, precoder: "mrt"), set: ["transform={type: angular_delay, taps: 8}"])
    #expect(told.first?.contains("subband_eigenvectors") == true, "\(told)")
  }
}
