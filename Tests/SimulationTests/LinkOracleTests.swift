import Foundation
import LinkMath
import Simulation
import TestSupport
import Testing

/// Closed forms through the whole link, scenario in and report out.
@Suite struct LinkOracleTests {
  /// Independent CN(0, 1) entries on every tone and port: as many taps of equal power as tones.
  private func independent(
    tones: Int, ports: Int, drops: Int, pilots: String, estimator: String = "ls",
    extra: String = ""
  ) -> String {
    """
    link:
      grid: {tones: \(tones)}
      channel: {type: rayleigh, ports: \(ports), taps: \(tones)}
      pilots: \(pilots)
      estimator: \(estimator)
      transform: {taps: \(tones)}
      normaliser: none
      precoder: {type: mrt, snr_db: 10}
    run: {seed: 12, drops: \(drops)}
    \(extra)
    """
  }

  struct Noisy: Sendable {
    let ports: Int
    let nmseDB: Int
  }
  static let noisy = [
    Noisy(ports: 4, nmseDB: -20), Noisy(ports: 4, nmseDB: -10), Noisy(ports: 4, nmseDB: 0),
    Noisy(ports: 32, nmseDB: -20), Noisy(ports: 32, nmseDB: -10), Noisy(ports: 32, nmseDB: 0),
  ]

  /// Similarity of noisy CSI, within 0.002; least-squares error, within 0.05 dB; mean gain of imperfect CSI,
  /// `1 + (N - 1) r²`, within 0.5 %. The error is predicted as ratio of sums.
  @Test(arguments: noisy)
  func noisyCSIHasItsSimilarityAndGain(test: Noisy) throws {
    let run = try prepare(
      independent(
        tones: 64, ports: test.ports, drops: test.ports == 4 ? 1500 : 500,
        pilots: "{type: dft, snr_db: \(-test.nmseDB)}"))
    let point = try execute(run).points[0]
    let label = "N \(test.ports), \(test.nmseDB) dB"
    let parameters = "N=\(test.ports),NMSE_LS_dB=\(test.nmseDB)"
    let sgcs = try oracle("SGCS_NOISY_RAYLEIGH", parameters)
    #expect(
      abs(point[.squaredCosineSimilarity] - sgcs) < 0.002,
      "\(label): SGCS \(point[.squaredCosineSimilarity]), theory \(sgcs)")
    let nmse = try oracle("NMSE_LS_UNITARY_dB", "SNR_dB=\(-test.nmseDB)")
    #expect(
      abs(point[.nmseRatioOfSumsDB] - nmse) < 0.05, "\(label): \(point[.nmseRatioOfSumsDB]) dB")
    #expect(abs(point[.estimateNMSEDB] - nmse) < 0.1, "\(label): mean of ratios")
    let r2 = 1 / (1 + linear(decibels: nmse))
    let gain = 1 + Double(test.ports - 1) * r2
    if test.nmseDB > -20 { #expect(abs(gain - (try oracle("GAIN_MRT_NOISY", parameters))) < 1e-9) }
    let measured = linear(decibels: point[.beamformingGainDB])
    #expect(abs(measured / gain - 1) < 0.005, "\(label): gain \(measured), theory \(gain)")
  }

  /// Maximum-ratio rate: the ergodic rate with perfect CSI at 10 dB, within 0.01 bit/s/Hz and 4 standard errors.
  @Test(arguments: [(1, 6000), (4, 2000), (32, 400)])
  func perfectCSIReachesTheErgodicRate(ports: Int, drops: Int) throws {
    let yaml = independent(
      tones: 64, ports: ports, drops: drops, pilots: "{type: dft, snr_db: 0}",
      estimator: "perfect")
    let point = try execute(prepare(yaml)).points[0]
    let expected = try oracle("RATE_MRT_RAYLEIGH", "N=\(ports),SNR_dB=10")
    let interval = try #require(point.interval(.rate))
    let standardError = (interval.upperBound - interval.lowerBound) / 2 / 1.96
    #expect(
      abs(point[.rate] - expected) < min(0.01, 4 * standardError),
      "N \(ports): \(point[.rate]), theory \(expected), standard error \(standardError)")
    #expect(abs(point[.perfectRate] - point[.rate]) < 1e-5)
    #expect(abs(point[.gainFraction] - 1) < 1e-5)
    #expect(abs(linear(decibels: point[.beamformingGainDB]) / Double(ports) - 1) < 1e-5)
  }

  struct Ageing: Sendable, CustomTestStringConvertible {
    let delay: Int
    let processing: Int
    let carrierGHz: Int
    let speed: Double
    let product: Double
    var testDescription: String {
      "delay \(delay) + \(processing) slots, \(carrierGHz) GHz, \(speed) m/s"
    }
  }

  /// 7.49481145 m/s at 2 GHz is 50 Hz; a slot lasts 1 ms.
  static let ageing = [
    Ageing(delay: 1, processing: 0, carrierGHz: 2, speed: 7.49481145, product: 0.05),
    Ageing(delay: 2, processing: 0, carrierGHz: 2, speed: 7.49481145, product: 0.1),
    Ageing(delay: 1, processing: 1, carrierGHz: 2, speed: 7.49481145, product: 0.1),
    Ageing(delay: 1, processing: 0, carrierGHz: 4, speed: 7.49481145, product: 0.1),
    Ageing(delay: 1, processing: 0, carrierGHz: 2, speed: 14.9896229, product: 0.1),
  ]

  /// Ageing: `2 (1 - J0(2π fD τ))` within 0.2 dB; mean gain of imperfect CSI: `1 + (N - 1) J0²` within 0.5 %. What
  /// was measured is not aged, so `nmse_db` stays at nothing.
  @Test(arguments: ageing)
  func heldCSIAgesAsTheBesselFunction(test: Ageing) throws {
    let yaml = """
      link:
        grid: {tones: 64, carrier_frequency: \(test.carrierGHz) GHz}
        channel: {type: rayleigh, ports: 8, taps: 64, fading: jakes}
        estimator: perfect
        transform: {taps: 64}
        normaliser: none
        timing: {slot: 1 ms, feedback_delay: \(test.delay), processing_delay: \(test.processing), speed: \(test.speed) m/s}
        precoder: {type: mrt, snr_db: 10}
      run: {seed: 13, drops: 300}
      """
    let point = try execute(prepare(yaml)).points[0]
    let expected = try oracle("NMSE_HOLD_dB", "fD*tau=\(test.product)")
    let nmse = try #require(point.number(.nmseFullDB))
    #expect(abs(nmse - expected) < 0.2, "\(test.testDescription): \(nmse) dB, theory \(expected)")
    let j0 = try oracle("JAKES", "fD*tau=\(test.product)")
    let gain = 1 + 7 * j0 * j0
    let measured = linear(decibels: point[.beamformingGainDB])
    #expect(abs(measured / gain - 1) < 0.005, "\(test.testDescription): gain \(measured)")
    #expect(point[.nmseDB] < -100, "\(test.testDescription)")
  }

  /// Slots of one report are served until the next arrives: with a period of 4 the age runs through D ..< D + 4, and the
  /// full-band error is the mean over the ages.
  @Test func agesOfAReportPeriodAreAveraged() throws {
    let yaml = """
      link:
        grid: {tones: 64, carrier_frequency: 2 GHz}
        channel: {type: rayleigh, ports: 8, taps: 64}
        estimator: perfect
        transform: {taps: 64}
        normaliser: none
        timing: {slot: 1 ms, feedback_delay: 2, report_period: 4, slots: 10, speed: 7.49481145 m/s}
      run: {seed: 14, drops: 200}
      """
    let point = try execute(prepare(yaml)).points[0]
    let expected = (2..<6).reduce(0.0) { $0 + 2 * (1 - j0(2 * .pi * 0.05 * Double($1))) / 4 }
    let nmse = try #require(point.number(.nmseFullDB))
    #expect(abs(nmse - decibels(expected)) < 0.2, "\(nmse) dB, theory \(decibels(expected))")
  }

  /// Delay-window error through the link: least squares then truncation gains `10 lg(Nc/Ni)` = 15.05 dB, against the
  /// truncated truth.
  @Test func truncationGainsFifteenDecibels() throws {
    let yaml = """
      link:
        grid: {tones: 1024}
        channel: {type: rayleigh, ports: 16, taps: 32}
        pilots: {type: dft, snr_db: 10}
        transform: {taps: 32}
        normaliser: none
      run: {seed: 15, drops: 512}
      """
    let point = try execute(prepare(yaml)).points[0]
    let expected = -10 - decibels(1024.0 / 32)
    // 262 144 coefficients of noise over the power of as many taps: 4 standard errors are 0.048 dB.
    #expect(abs(point[.nmseRatioOfSumsDB] - expected) < 0.05, "\(point[.nmseRatioOfSumsDB]) dB")
    #expect(abs(point[.estimateNMSEDB] - -10) < 0.1, "\(point[.estimateNMSEDB]) dB")
    let full = try #require(point.number(.nmseFullDB))
    #expect(abs(full - point[.nmseDB]) < 1e-2, "all taps are kept: \(full)")
  }

  /// Orthogonal tail through the link, on every drop: full-band error = truncated error + tail. The second point
  /// keeps all rows, which tells the whole energy of the same drops.
  @Test func fullErrorIsTruncatedErrorPlusTail() throws {
    let yaml = """
      link:
        grid: {tones: 256}
        channel: {type: rayleigh, ports: 4, delays: [0.5, 3, 40]}
        pilots: {type: dft, snr_db: 15}
        transform: {guard_rows: 2}
        codec: {type: dft_selection, compression: 2}
        quantizer: {type: uniform, bits: 5, range: [-1, 1]}
      sweep: {transform.taps: [32, 256]}
      run: {seed: 16, drops: 50, block: 50}
      """
    let metrics = try prepare(yaml).metrics(ofBlock: 0)
    for drop in 0..<50 {
      let total = metrics[1, drop, .referenceEnergy]
      let tail = total - metrics[0, drop, .referenceEnergy]
      #expect(tail > 0.01 * total, "a third of the mean power lies outside")
      #expect(abs(metrics[0, drop, .truncationRatio] - tail / total) < 1e-6)
      #expect(metrics[1, drop, .truncationRatio] < 1e-6)
      let sum = (metrics[0, drop, .errorEnergy] + tail) / total
      #expect(abs(metrics[0, drop, .fullRatio] / sum - 1) < 1e-4, "drop \(drop)")
      #expect(abs(metrics[1, drop, .fullRatio] / metrics[1, drop, .errorRatio] - 1) < 1e-4)
    }
  }
}
