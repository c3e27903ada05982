import ComplexModule
import Foundation
import Link
import LinkMath
import Parts
import TestSupport
import Testing

/// The LMMSE estimate over tones and ports against `tr(C - C_hp (C_pp + s I)⁻¹ C_ph)`, solved here by elimination over all
/// entries at once.
@Suite struct JointLMMSETests {
  /// Paths at fractional delays, in samples; the ports of each have `E[H_i* H_j] = a^|i-j| exp(j 2π turns (j - i))`.
  struct Model: Sendable {
    var tones = 24
    var ports = 3
    var delays = [0.4, 1.7, 3.2]
    var powers = [0.6, 0.3, 0.1]
    var coefficient = 0.8
    var turns = 0.13
    var power = 1.0

    func channel(drops: Int, seed: UInt64) -> ComplexArray {
      var gains = complexNormal([drops, delays.count, ports], seed: seed)
      let fresh = (1 - coefficient * coefficient).squareRoot()
      for drop in 0..<drops {
        for path in delays.indices {
          for port in 1..<ports {
            gains[drop, path, port] =
              (gains[drop, path, port - 1].inDouble.multiplied(by: coefficient)
              + gains[drop, path, port].inDouble.multiplied(by: fresh)).inSingle
          }
        }
      }
      var response = ComplexArray(repeating: .zero, shape: [drops, tones, ports])
      response.withUnsafeMutableElements { response in
        for (path, delay) in delays.enumerated() {
          let amplitude = (power * powers[path]).squareRoot()
          for drop in 0..<drops {
            for tone in 0..<tones {
              for port in 0..<ports {
                let turn = Double(port) * turns - Double(tone) * delay / Double(tones)
                response[(drop * tones + tone) * ports + port] +=
                  (gains[drop, path, port].inDouble * unit(turn)).multiplied(by: amplitude).inSingle
              }
            }
          }
        }
      }
      return response
    }

    /// E[H[n, i] H[m, j]*].
    func covariance(_ n: Int, _ i: Int, _ m: Int, _ j: Int) -> Complex<Double> {
      let frequency = zip(delays, powers).reduce(Complex<Double>.zero) {
        $0 + unit(-Double(n - m) * $1.0 / Double(tones)).multiplied(by: power * $1.1)
      }
      return frequency
        * unit(Double(i - j) * turns).multiplied(by: pow(coefficient, Double(abs(i - j))))
    }

    /// Mean LMMSE error of an entry with least-squares errors of variance s on every `toneSpacing`-th tone.
    func error(toneSpacing: Int, noise s: Double) -> Double {
      let pilots = stride(from: 0, to: tones, by: toneSpacing).flatMap { n in
        (0..<ports).map { (n, $0) }
      }
      let entries = (0..<tones).flatMap { n in (0..<ports).map { (n, $0) } }
      var rows = pilots.map { p in
        pilots.map { q in
          covariance(p.0, p.1, q.0, q.1) + (p == q ? Complex(s) : Complex<Double>.zero)
        } + entries.map { covariance(p.0, p.1, $0.0, $0.1) }
      }
      for column in pilots.indices {
        let pivot = rows[column][column].reciprocal!
        rows[column] = rows[column].map { $0 * pivot }
        for row in pilots.indices where row != column {
          let factor = rows[row][column]
          for k in column..<rows[row].count { rows[row][k] -= factor * rows[column][k] }
        }
      }
      let explained = entries.indices.reduce(0.0) { sum, entry in
        sum
          + pilots.indices.reduce(0.0) { sum, p in
            let (q, e) = (pilots[p], entries[entry])
            return sum
              + (covariance(e.0, e.1, q.0, q.1) * rows[p][pilots.count + entry]).real
          }
      }
      return covariance(0, 0, 0, 0).real - explained / Double(entries.count)
    }
  }

  /// The mean squared error of an estimator, fitted if it asks for it, and the variance it reports.
  private func error(
    _ name: String, _ given: [String: Setting] = [:], fittedOn training: ComplexArray,
    _ channel: ComplexArray, toneSpacing: Int, snrDB: Double
  ) throws -> (measured: Double, reported: Double) {
    var context = linkContext(tones: channel[dimension: 1], ports: channel[dimension: 2])
    let pilots = try makePilots(
      "dft", ["snr_db": .number(snrDB), "tone_spacing": .integer(toneSpacing)], in: context)
    context.pilots = pilots.summary
    let type = try #require(EstimatorRegistry.estimators.first { $0.schema.name == name })
    var given = given
    given["fit.drops"] = .integer(training[dimension: 0])
    let fitting = try type.fitting(type.schema.settings(given), in: context)
    let artefact = try fitting.map { fitting in
      var fitter = fitting.makeFitter()
      for start in stride(from: 0, to: training[dimension: 0], by: 700) {
        let end = min(start + 700, training[dimension: 0])
        fitter.add(.response(training.slice(start..<end)))
      }
      let artefact = try fitter.finish()
      #expect(artefact.arrays.mapValues(\.shape) == fitting.shapes)
      return artefact
    }
    let estimator = try type.init(type.schema.settings(given), in: context, fitted: artefact)
    let estimate = estimator.estimate(pilots.observe(channel, block(of: channel), slot: 0))
    return (power(difference(estimate.response, channel)), estimate.errorVariance)
  }

  struct Case: Sendable {
    let toneSpacing: Int
    let snrDB: Double
    let power: Double
  }
  static let cases = [1, 2, 4].flatMap { spacing in
    [(-5.0, 1.0), (10, 1), (30, 1), (0, 0.02), (0, 50), (15, 0.001)].map {
      Case(toneSpacing: spacing, snrDB: $0.0, power: $0.1)
    }
  }

  /// Ports and tones of a Kronecker channel, in its own scale.
  @Test(arguments: cases)
  func jointEstimateReachesItsClosedForm(test: Case) throws {
    let model = Model(power: test.power)
    let (training, channel) = (
      model.channel(drops: 4000, seed: 1), model.channel(drops: 1500, seed: 2)
    )
    let theory = model.error(toneSpacing: test.toneSpacing, noise: linear(decibels: -test.snrDB))
    let (measured, reported) = try error(
      "lmmse", fittedOn: training, channel, toneSpacing: test.toneSpacing, snrDB: test.snrDB)
    #expect(
      abs(decibels(measured / theory)) < 0.2,
      "\(test): \(decibels(measured)) dB, theory \(decibels(theory))")
    if test.toneSpacing == 1 { #expect(abs(decibels(reported / theory)) < 0.15, "\(test)") }
    #expect(measured < 1.02 * test.power)
  }

  /// The same without port correlation for `ls` with LMMSE interpolation, on pilots on every tone too.
  @Test(arguments: cases)
  func interpolationReachesItsClosedForm(test: Case) throws {
    let model = Model(coefficient: 0, power: test.power)
    let (training, channel) = (
      model.channel(drops: 2000, seed: 3), model.channel(drops: 1500, seed: 4)
    )
    let theory = model.error(toneSpacing: test.toneSpacing, noise: linear(decibels: -test.snrDB))
    let (measured, reported) = try error(
      "ls", ["interpolation": .text("lmmse")], fittedOn: training, channel,
      toneSpacing: test.toneSpacing, snrDB: test.snrDB)
    #expect(
      abs(decibels(measured / theory)) < 0.2,
      "\(test): \(decibels(measured)) dB, theory \(decibels(theory))")
    if test.toneSpacing == 1 { #expect(abs(decibels(reported / theory)) < 0.15, "\(test)") }
  }

  /// More pilot tones than modes are looked for. Taps at whole delays are separate modes of power N σ² on N pilots:
  /// `Σ σ² s / (N σ² + s)`.
  @Test(arguments: [1, 2], ["ls", "lmmse"])
  func leadingModesOfManyTones(toneSpacing: Int, name: String) throws {
    let (tones, ports, drops) = (512, 2, 300)
    let (delays, powers) = ([0, 3, 4, 17, 100], [0.5, 0.25, 0.15, 0.07, 0.03])
    let channels = [6, 7].map {
      tapChannel(drops: drops, tones: tones, ports: ports, delays: delays, powers: powers, seed: $0)
    }
    for snrDB in [-10.0, 10, 40] {
      let noise = linear(decibels: -snrDB)
      let theory = powers.reduce(0.0) {
        $0 + $1 * noise / (Double(tones / toneSpacing) * $1 + noise)
      }
      let given: [String: Setting] = name == "ls" ? ["interpolation": .text("lmmse")] : [:]
      let (measured, reported) = try error(
        name, given, fittedOn: channels[0], channels[1], toneSpacing: toneSpacing, snrDB: snrDB)
      let label = "\(name), every \(toneSpacing), \(snrDB) dB"
      // 3000 coefficients: 4 standard errors are 0.3 dB; fitted on as many.
      #expect(abs(decibels(measured / theory)) < 0.4, "\(label): \(measured), theory \(theory)")
      #expect(abs(decibels(reported / theory)) < 0.4, "\(label): \(reported), theory \(theory)")
    }
  }

  /// More taps than modes: what the modes leave out is filtered over the ports, and nothing is lost at a high SNR.
  @Test(arguments: [-10.0, 10, 60], [1, 2])
  func moreTapsThanModes(snrDB: Double, toneSpacing: Int) throws {
    let (tones, ports) = (512, 2)
    let taps = 150
    let channels = [8, 9].map {
      tapChannel(
        drops: 40, tones: tones, ports: ports, delays: Array(0..<taps),
        powers: Array(repeating: 1 / Double(taps), count: taps), seed: $0)
    }
    let noise = linear(decibels: -snrDB)
    let optimum = noise / (Double(tones / toneSpacing) / Double(taps) + noise)
    let (measured, _) = try error(
      "lmmse", fittedOn: channels[0], channels[1], toneSpacing: toneSpacing, snrDB: snrDB)
    #expect(measured < min(1, noise) * 1.02, "\(measured), noise \(noise)")
    #expect(measured > 0.9 * optimum)
  }

  /// Ports without power, a channel of rank one, and pilots without noise: nothing becomes NaN, and nothing is lost.
  @Test(arguments: [1, 2], ["ls", "lmmse"])
  func degenerateChannels(toneSpacing: Int, name: String) throws {
    let (tones, ports, drops) = (32, 4, 60)
    let given: [String: Setting] = name == "ls" ? ["interpolation": .text("lmmse")] : [:]
    var silentPort = tapChannel(
      drops: drops, tones: tones, ports: ports, delays: [0, 1], powers: [0.5, 0.5])
    var rankOne = ComplexArray(repeating: .zero, shape: [drops, tones, ports])
    for drop in 0..<drops {
      for tone in 0..<tones {
        silentPort[drop, tone, 2] = .zero
        for port in 0..<ports {
          rankOne[drop, tone, port] =
            (silentPort[drop, 0, 0].inDouble
            * unit(0.2 * Double(port) - 2 * Double(tone) / Double(tones))).inSingle
        }
      }
    }
    let silence = ComplexArray(repeating: .zero, shape: [drops, tones, ports])
    for channel in [silentPort, rankOne, silence] {
      for snrDB in [-20.0, 20, 300] {
        let (measured, reported) = try error(
          name, given, fittedOn: channel, channel, toneSpacing: toneSpacing, snrDB: snrDB)
        #expect(measured.isFinite && reported.isFinite)
        #expect(measured <= 1.001 * power(channel), "\(measured) of \(power(channel))")
        if snrDB == 300 { #expect(measured <= 1e-9) }
      }
    }
  }

  /// Each delay has angles of its own, so the covariance is no product; least squares is never better.
  @Test(arguments: [-20.0, -5, 10, 25, 60])
  func neverWorseThanLeastSquares(snrDB: Double) throws {
    let (tones, ports) = (64, 8)
    func channel(drops: Int, seed: UInt64) -> ComplexArray {
      let gains = complexNormal([drops, 4], seed: seed)
      var response = ComplexArray(repeating: .zero, shape: [drops, tones, ports])
      for drop in 0..<drops {
        for tone in 0..<tones {
          for port in 0..<ports {
            var sum = Complex<Double>.zero
            for path in 0..<4 {
              let turn =
                Double(port) * [0.05, 0.3, -0.2, 0.45][path]
                - Double(tone) * [0.3, 2.6, 5.1, 9.9][path] / Double(tones)
              sum += gains[drop, path].inDouble * unit(turn).multiplied(by: 0.5)
            }
            response[drop, tone, port] = sum.inSingle
          }
        }
      }
      return response
    }
    let (training, test) = (channel(drops: 400, seed: 10), channel(drops: 300, seed: 11))
    let joint = try error("lmmse", fittedOn: training, test, toneSpacing: 1, snrDB: snrDB).measured
    let plain = try error("ls", fittedOn: training, test, toneSpacing: 1, snrDB: snrDB).measured
    let tonesOnly = try error(
      "ls", ["interpolation": .text("lmmse")], fittedOn: training, test, toneSpacing: 1,
      snrDB: snrDB
    ).measured
    #expect(joint <= 1.001 * tonesOnly && tonesOnly <= 1.001 * plain)
    // Four coefficients of 512 carry the channel.
    if snrDB < 30 { #expect(joint < 0.1 * plain, "\(joint), least squares \(plain)") }
  }

  /// Pilots on every second tone and fractional delays: the default window leaves most of the leakage inside, a window
  /// from delay zero on takes early rows for late ones.
  @Test func defaultWindowHoldsTheLeakage() throws {
    let model = Model(
      tones: 128, ports: 2, delays: [0.5, 1.5], powers: [0.5, 0.5], coefficient: 0)
    let channel = model.channel(drops: 300, seed: 12)
    func floor(_ given: [String: Setting]) throws -> Double {
      try error("ls", given, fittedOn: channel, channel, toneSpacing: 2, snrDB: 200).measured
    }
    let standard = try floor([:])
    #expect(standard < 0.03)
    #expect(try floor(["guard_rows": .integer(0)]) > 4 * standard)
    #expect(try floor(["window": .integer(64), "guard_rows": .integer(16)]) == standard)
    // A tap eight rows before delay zero is inside eight guard rows, and not inside seven.
    let early = tapChannel(
      drops: 20, tones: 128, ports: 2, delays: [120, 5], powers: [0.5, 0.5], seed: 3)
    for guardRows in [7, 8] {
      let settings: [String: Setting] = [
        "window": .integer(20), "guard_rows": .integer(guardRows),
      ]
      let error = try error("ls", settings, fittedOn: early, early, toneSpacing: 2, snrDB: 200)
      #expect((error.measured < 1e-9) == (guardRows == 8))
    }
  }
}

extension Complex<Double> {
  fileprivate var inSingle: ComplexFloat { ComplexFloat(Float(real), Float(imaginary)) }
}
