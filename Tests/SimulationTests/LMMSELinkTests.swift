import LinkMath
import Simulation
import TestSupport
import Testing

/// Linear MMSE estimation through the whole link.
@Suite struct LMMSELinkTests {
  /// The better estimator gives the better link, at any pilot SNR, also behind a transform that removes noise itself; gains
  /// in dB that a low SNR must have.
  @Test func jointEstimateNeverHurtsTheLink() throws {
    let yaml = """
      link:
        grid: {tones: 256, spacing: 78.125 kHz, carrier_frequency: 2 GHz}
        channel: {type: cdl, profile: C, delay_spread: 100 ns, ports: 16, aod_mean: 0 deg, aod_spread: 10 deg, aod_rotation: 60 deg}
        pilots: {type: dft}
        transform: {taps: 32, guard_rows: 4}
        codec: none
        precoder: {type: mrt, snr_db: 10}
      sweep:
        pilots.snr_db: [-15, -5, 5, 15, 30]
        estimator: [ls, {type: lmmse, fit.drops: 400}]
      run: {seed: 3, drops: 100}
      """
    let points = try execute(prepare(yaml), threads: 2).points
    for (index, gain) in [3.0, 2, 1, 0.3, 0].enumerated() {
      let (plain, joint) = (points[2 * index], points[2 * index + 1])
      let label = "SNR number \(index): \(joint[.nmseDB]) dB, least squares \(plain[.nmseDB]) dB"
      #expect(joint[.nmseDB] < plain[.nmseDB] - gain + 0.02, "\(label)")
      #expect(joint[.estimateNMSEDB] < min(plain[.estimateNMSEDB], 0), "\(label)")
      #expect(joint[.rate] > plain[.rate] - 0.01, "\(label)")
    }
  }

  /// Power far from one: path loss left in, an element pattern, and a model that is not normalised. An LMMSE estimate of the
  /// true scale is never worse than saying nothing.
  @Test(arguments: [
    "{type: cost2100, environment: indoor, normalise: none, ports: 8}",
    "{type: tr38901, scenario: umi, state: nlos, path_loss: true, normalise: none, ports: 8}",
    "{type: cdl, profile: B, delay_spread: 100 ns, ports: 8, element: 3gpp, polarisation: dual, aod_mean: 80 deg}",
  ])
  func trueScaleIsLearned(channel: String) throws {
    let yaml = """
      link:
        grid: {tones: 64, spacing: 120 kHz, carrier_frequency: 5.3 GHz}
        channel: \(channel)
        transform: {taps: 32, guard_rows: 4}
        codec: none
      sweep:
        pilots.tone_spacing: [1, 4]
        pilots.snr_db: [0, 20]
        estimator:
          - {type: ls, interpolation: lmmse, fit.drops: 300}
          - {type: lmmse, fit.drops: 300}
          - {type: lmmse, covariance: iid, fit.drops: 300}
      run: {seed: 9, drops: 200}
      """
    let result = try execute(prepare(yaml), threads: 2)
    for (index, point) in result.points.enumerated() {
      // Drops differ in power, and the mean of their ratios is no mean of errors: saying nothing is 0 dB.
      #expect(
        point[.estimateNMSEDB] < 1, "\(channel), point \(index): \(point[.estimateNMSEDB]) dB")
      #expect(point[.nmseRatioOfSumsDB] < 0.05, "\(channel), point \(index)")
    }
  }

  /// Sparse pilots of a clustered channel: no estimator has the floor that early delays taken for late ones make.
  @Test func sparsePilotsHaveNoFloor() throws {
    let yaml = """
      link:
        grid: {tones: 256, spacing: 60 kHz, carrier_frequency: 2 GHz}
        channel: {type: cdl, profile: C, delay_spread: 80 ns, ports: 8}
        pilots: {type: hadamard, snr_db: 25}
        transform: {taps: 64, guard_rows: 8}
        codec: none
      sweep:
        pilots.tone_spacing: [1, 2, 4]
        estimator:
          - {type: ls, label: ls}
          - {type: lmmse, label: lmmse}
          - {type: ls, interpolation: lmmse, label: tones}
      run: {seed: 5, drops: 100}
      """
    let points = try execute(prepare(yaml), threads: 2).points
    for spacing in 0..<3 {
      let errors = (0..<3).map { points[3 * spacing + $0][.estimateNMSEDB] }
      #expect(errors[0] < -12, "\(spacing): \(errors)")
      #expect(errors[1] < errors[2] + 0.1 && errors[2] < errors[0] - 2, "\(spacing): \(errors)")
      // Half the pilots are half the energy: 3 dB, and what interpolation costs.
      if spacing > 0 {
        for estimator in [1, 2] {
          let loss = errors[estimator] - points[3 * spacing - 3 + estimator][.estimateNMSEDB]
          #expect(loss > 0 && loss < 4.5, "\(spacing): \(errors)")
        }
      }
    }
  }
}
