import ComplexModule
import Foundation
import LinkMath
import Simulation
import TestSupport
import Testing

/// Similarity and error, scale and phase, rate loss: what ties NMSE, SGCS, gain and rate together on every sample.
@Suite struct MetricTests {
  /// The metrics of one slot, each drop.
  private func metrics(
    _ channel: ComplexArray, _ reconstruction: ComplexArray, directions: ComplexArray? = nil,
    snr: Double = 10
  ) -> BlockMetrics {
    numbers(
      of: ServedSlot(
        channel: channel, reconstruction: reconstruction, directions: directions, snr: snr))
  }

  private func numbers(of slot: ServedSlot) -> BlockMetrics {
    let metrics: [any Metric] = [FullBandError(), Similarity(), BeamGain(), Rate()]
    let numbers = metrics.flatMap { type(of: $0).numbers }
    var sums = DropSums(
      BlockMetrics(pointCount: 1, dropCount: slot.drops.count, numbers: numbers))
    for metric in metrics {
      let place = numbers.firstIndex(of: type(of: metric).numbers[0])!
      sums.turn(toPoint: 0, row: 0, place: place)
      metric.add(slot, to: &sums)
    }
    return sums.block
  }

  private func mixed(_ channel: ComplexArray, noise: Double, seed: UInt64) -> ComplexArray {
    let error = complexNormal(channel.shape, seed: seed)
    return ComplexArray(
      zip(channel.elements, error.elements).map { $0 + ComplexFloat(Float(noise)) * $1 },
      shape: channel.shape)
  }

  /// `report.cosine_domain: public_set` averages the similarities over the first tones only.
  @Test func similaritiesOfTheFirstTones() {
    let channel = complexNormal([3, 40, 6], seed: 5)
    let estimate = mixed(channel, noise: 0.7, seed: 6)
    func head(_ array: ComplexArray) -> ComplexArray {
      ComplexArray(
        (0..<3).flatMap { drop in array.elements[drop * 240..<drop * 240 + 25 * 6] },
        shape: [3, 25, 6])
    }
    let part = metrics(head(channel), head(estimate))
    let whole = metrics(channel, estimate)
    let limited = numbers(
      of: ServedSlot(
        channel: channel, reconstruction: estimate, directions: nil, snr: 10, cosineToneCount: 25))
    for drop in 0..<3 {
      for metric in [DropNumber.cosineSimilarity, .squaredCosineSimilarity] {
        #expect(abs(limited[0, drop, metric] - part[0, drop, metric]) < 1e-6)
      }
      #expect(limited[0, drop, .rate] == whole[0, drop, .rate])
    }
  }

  /// The definitions, evaluated here in double precision.
  @Test(arguments: [1, 5, 64])
  func metricsAreTheirDefinitions(tones: Int) {
    let (ports, snr) = (11, 3.5)
    let channel = complexNormal([4, tones, ports], seed: 2)
    let estimate = mixed(channel, noise: 0.8, seed: 3)
    let block = metrics(channel, estimate, snr: snr)
    let (h, g) = (channel.elements.map(\.inDouble), estimate.elements.map(\.inDouble))
    for drop in 0..<4 {
      var (rho, sgcs, received, fraction, rate, perfect) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
      var (error, energy) = (0.0, 0.0)
      for tone in 0..<tones {
        let range = ((drop * tones + tone) * ports)..<((drop * tones + tone + 1) * ports)
        let cross = range.reduce(Complex<Double>.zero) { $0 + h[$1] * g[$1].conjugate }
        let (hh, gg) = (
          range.reduce(0.0) { $0 + h[$1].lengthSquared },
          range.reduce(0.0) { $0 + g[$1].lengthSquared }
        )
        rho += cross.length / (hh * gg).squareRoot()
        sgcs += cross.lengthSquared / (hh * gg)
        received += cross.lengthSquared / gg
        fraction += cross.lengthSquared / gg / hh
        rate += log2(1 + snr * cross.lengthSquared / gg)
        perfect += log2(1 + snr * hh)
        energy += hh
        error += range.reduce(0.0) { $0 + (h[$1] - g[$1]).lengthSquared }
      }
      let n = Double(tones)
      let expected: [DropNumber: Double] = [
        .cosineSimilarity: rho / n, .squaredCosineSimilarity: sgcs / n,
        .beamformingGain: received / n / (energy / (n * Double(ports))),
        .gainFraction: fraction / n, .rate: rate / n, .perfectRate: perfect / n,
        .fullRatio: error / energy,
      ]
      for (metric, value) in expected {
        #expect(
          abs(block[0, drop, metric] - value) < 1e-5 * abs(value), "\(metric), drop \(drop)")
      }
    }
  }

  /// The rate of one tone and port is `log2(1 + SNR |h|²)` down to where 1 + x is 1 in single precision, against log1p.
  @Test(arguments: [1.0, 1e-3, 40])
  func rateKeepsItsPrecisionAtAnySNR(snr: Double) {
    let exponents = (0...480).map { -12 + Double($0) / 20 }
    let amplitudes = exponents.map { Float((pow(10, $0) / snr).squareRoot()) }
    let channel = ComplexArray(
      amplitudes.map { ComplexFloat(0.6 * $0, -0.8 * $0) }, shape: [amplitudes.count, 1, 1])
    let block = metrics(channel, channel, snr: snr)
    for (drop, h) in channel.elements.map(\.inDouble).enumerated() {
      let expected = log1p(snr * h.lengthSquared) / log(2.0)
      for metric in [DropNumber.rate, .perfectRate] {
        #expect(
          abs(block[0, drop, metric] / expected - 1) < 1e-6,
          "\(metric) at 1e\(exponents[drop]): \(block[0, drop, metric]), log1p \(expected)")
      }
    }
  }

  /// Tones of very different strength in one drop: the weak ones are not lost in the sum.
  @Test func rateOfManyWeakTones() {
    let amplitudes = (0..<1000).map { Float(1e-5 * (1 + Double($0 % 17))) }
    let channel = ComplexArray(amplitudes.map { ComplexFloat($0, 0) }, shape: [1, 1000, 1])
    let expected = amplitudes.reduce(0.0) { $0 + log1p(10 * Double($1) * Double($1)) } / log(2.0)
    let rate = metrics(channel, channel, snr: 10)[0, 0, .rate]
    #expect(abs(rate * 1000 / expected - 1) < 1e-6, "\(rate * 1000), log1p \(expected)")
  }

  /// Similarity and error: per vector `min_a ‖h - a ĥ‖² / ‖h‖² = 1 - SGCS <= NMSE`, and `1 - gain fraction <= NMSE`.
  @Test(arguments: [0.0, 0.1, 0.5, 1, 3, 30])
  func bestScaledErrorIsOneMinusSGCS(noise: Double) {
    let channel = complexNormal([500, 1, 8], seed: 5)
    let estimate = mixed(channel, noise: noise, seed: 6)
    let block = metrics(channel, estimate)
    let (h, g) = (channel.elements.map(\.inDouble), estimate.elements.map(\.inDouble))
    for drop in 0..<500 {
      let range = drop * 8..<(drop + 1) * 8
      let cross = range.reduce(Complex<Double>.zero) { $0 + h[$1] * g[$1].conjugate }
      let scale = cross.divided(by: range.reduce(0.0) { $0 + g[$1].lengthSquared })
      let energy = range.reduce(0.0) { $0 + h[$1].lengthSquared }
      let best = range.reduce(0.0) { $0 + (h[$1] - scale * g[$1]).lengthSquared } / energy
      let sgcs = block[0, drop, .squaredCosineSimilarity]
      #expect(abs(best - (1 - sgcs)) < 1e-5, "noise \(noise), drop \(drop)")
      #expect(1 - sgcs <= block[0, drop, .fullRatio] + 1e-6, "noise \(noise), drop \(drop)")
      #expect(abs(block[0, drop, .gainFraction] - sgcs) < 1e-6)
    }
  }

  /// Scale and phase: another scale and phase on every tone changes neither SGCS nor the gain nor the rate.
  @Test func directionsHaveNoScaleAndNoPhase() {
    let channel = complexNormal([3, 40, 8], seed: 7)
    let estimate = mixed(channel, noise: 0.6, seed: 8)
    let factors = complexNormal([120], seed: 9).elements
    let turned = ComplexArray(
      estimate.elements.enumerated().map { $1 * factors[$0 / 8] }, shape: channel.shape)
    let (a, b) = (metrics(channel, estimate), metrics(channel, turned))
    for drop in 0..<3 {
      let scaleless: [DropNumber] = [
        .cosineSimilarity, .squaredCosineSimilarity, .beamformingGain, .gainFraction, .rate,
        .perfectRate,
      ]
      for metric in scaleless {
        #expect(abs(a[0, drop, metric] / b[0, drop, metric] - 1) < 1e-5, "\(metric)")
      }
      #expect(abs(a[0, drop, .fullRatio] / b[0, drop, .fullRatio] - 1) > 0.1)
    }
  }

  /// A perfect reconstruction loses nothing, an orthogonal one everything, none at all gives equal weights.
  @Test func extremesOfTheDirection() {
    let channel = complexNormal([2, 3, 2], seed: 10)
    let same = metrics(channel, channel)
    let values = channel.elements
    let orthogonal = ComplexArray(
      values.indices.map { i in
        i % 2 == 0 ? -values[i + 1].conjugate : values[i - 1].conjugate
      }, shape: channel.shape)
    let lost = metrics(channel, orthogonal)
    let silent = metrics(channel, ComplexArray(repeating: .zero, shape: channel.shape))
    for drop in 0..<2 {
      #expect(abs(same[0, drop, .squaredCosineSimilarity] - 1) < 1e-6)
      #expect(same[0, drop, .fullRatio] == 0)
      #expect(abs(same[0, drop, .rate] - same[0, drop, .perfectRate]) < 1e-6)
      #expect(abs(same[0, drop, .beamformingGain] - 2) < 1e-5)
      #expect(lost[0, drop, .squaredCosineSimilarity] < 1e-10)
      #expect(lost[0, drop, .rate] < 1e-5)
      #expect(silent[0, drop, .squaredCosineSimilarity] == 0)
      #expect(silent[0, drop, .fullRatio] == 1)
      let expected = (0..<3).reduce(0.0) { sum, tone in
        let pair = [values[(drop * 3 + tone) * 2], values[(drop * 3 + tone) * 2 + 1]]
        let power = Double((pair[0] + pair[1]).lengthSquared) / 2
        return sum + power / (Double(pair[0].lengthSquared) + Double(pair[1].lengthSquared)) / 3
      }
      #expect(abs(silent[0, drop, .gainFraction] - expected) < 1e-5)
    }
  }

  private static let narrow = """
    link:
      grid: {tones: 1}
      channel: {type: rayleigh, ports: 8, taps: 1}
      pilots: {type: dft, snr_db: 12}
      estimator: ls
      transform: {taps: 1}
      normaliser: {type: sample_max_modulus, gain: quantized, gain_bits: 6}
      codec: none
      quantizer: {type: uniform, bits: 3, range: [-1, 1]}
      feedback: {type: bsc, p: 0.02}
      precoder: {type: mrt, snr_db: 10}
    sweep:
      feedback.p: [0, 0.02, 0.5]
      quantizer.bits: [1, 3, 8]
    run: {seed: 5, drops: 400}
    """

  /// Rate loss, similarity and error through a noisy, quantised link with bit errors, on every drop of one tone:
  /// `0 <= R_perfect - R <= -log2(cos²)`, `1 - cos² <= NMSE`, and gain fraction = SGCS for maximum-ratio weights.
  @Test func rateLossIsBoundedOnEveryDrop() throws {
    var drops = 0
    try forEachDrop(prepare(Self.narrow)) { point, value in
      let (sgcs, loss) = (value(.squaredCosineSimilarity), value(.perfectRate) - value(.rate))
      // Rates are sums of single-precision powers: 1e-5 bit/s/Hz.
      #expect(loss >= -1e-5 && loss <= -log2(sgcs) + 1e-5, "point \(point): \(loss), \(sgcs)")
      #expect(1 - sgcs <= value(.fullRatio) + 1e-5, "point \(point)")
      #expect(abs(value(.gainFraction) - sgcs) < 1e-5, "point \(point)")
      #expect(abs(value(.cosineSimilarity) * value(.cosineSimilarity) - sgcs) < 1e-6)
      // One tone, one tap: the full band is the truncated domain.
      #expect(abs(value(.fullRatio) - value(.errorRatio)) < 1e-4 * value(.errorRatio))
      drops += 1
    }
    #expect(drops == 3600)
  }

  /// Wideband: the energy-weighted gain loss stays below the full-band NMSE, `1 - G/Nt <= NMSE`, no rate above the
  /// perfect one, and SGCS <= rho (Jensen: rho² <= SGCS).
  @Test(arguments: ["mrt", "subband", "wideband"])
  func widebandInequalitiesHoldOnEveryDrop(precoder: String) throws {
    let yaml = """
      link:
        grid: {tones: 128}
        channel: {type: rayleigh, ports: 8, delays: [0, 1.5, 4], fading: jakes}
        pilots: {type: hadamard}
        estimator: {type: delay_window, window: 16}
        transform: {taps: 16, guard_rows: 2}
        normaliser: {type: sample_unit_power, gain: quantized, gain_bits: 6}
        codec: {type: dft_selection, compression: 4}
        quantizer: {type: uniform, bits: 4, range: [-8, 8]}
        feedback: {type: bsc, p: 0.01}
        timing: {feedback_delay: 2, speed: 8 m/s, report_period: 2}
        precoder: \(precoder)
      sweep:
        pilots.snr_db: [-5, 20]
        codec.compression: [2, 8]
      run: {seed: 6, drops: 100}
      """
    try forEachDrop(prepare(yaml)) { point, value in
      let gain = value(.beamformingGain) / 8
      #expect(gain <= 1 + 1e-5 && gain >= 0, "point \(point)")
      if precoder == "mrt" { #expect(1 - gain <= value(.fullRatio) + 1e-5, "point \(point)") }
      #expect(value(.rate) <= value(.perfectRate) + 1e-5, "point \(point)")
      let (rho, sgcs) = (value(.cosineSimilarity), value(.squaredCosineSimilarity))
      #expect(rho * rho <= sgcs + 1e-6 && sgcs <= rho + 1e-6 && rho <= 1 + 1e-6)
      #expect(value(.fullRatio).isFinite && value(.errorRatio) > 0)
    }
  }
}

extension Complex<Float> {
  fileprivate var inDouble: Complex<Double> { Complex<Double>(Double(real), Double(imaginary)) }
}

extension Complex<Double> {
  fileprivate func divided(by real: Double) -> Complex<Double> { multiplied(by: 1 / real) }
}
