import ComplexModule
import Foundation
import Link
import LinkMath
import Parts
import TestSupport
import Testing

/// Sparse-pilot error and the other closed forms of interpolation between pilot tones.
@Suite struct InterpolationTests {
  struct Grid: Sendable, CustomTestStringConvertible {
    let tones: Int
    let spacing: Int
    var pilots: Int { tones / spacing }
    var testDescription: String { "\(tones) tones, every \(spacing)" }
  }

  static let grids = [
    Grid(tones: 256, spacing: 2), Grid(tones: 256, spacing: 4), Grid(tones: 256, spacing: 8),
    Grid(tones: 96, spacing: 3), Grid(tones: 240, spacing: 5),
  ]
  private static let ports = 8
  private static let delays = [0, 2, 5, 9]
  private static let powers = [0.4, 0.3, 0.2, 0.1]

  /// Frequency correlation `R(d) = E[H[n+d] H[n]*] = Σ σ² exp(-j 2π d τ / Nc)`.
  private func correlation(_ distance: Int, tones: Int) -> Complex<Double> {
    zip(Self.delays, Self.powers).reduce(Complex<Double>.zero) {
      $0 + unit(-Double(distance * $1.0) / Double(tones)).multiplied(by: $1.1)
    }
  }

  private func channel(_ grid: Grid, drops: Int) -> ComplexArray {
    tapChannel(
      drops: drops, tones: grid.tones, ports: Self.ports, delays: Self.delays, powers: Self.powers)
  }

  /// The error `Ĥ - H` of an estimator on sparse pilots, [drop, subcarrier, port], and the variance it reports.
  private func error(
    _ name: String, _ given: [String: Setting], _ grid: Grid, snrDB: Double,
    of channel: ComplexArray,
    fitted: Artefact? = nil
  ) throws -> (error: ComplexArray, reported: Double) {
    let context = linkContext(tones: grid.tones, ports: Self.ports)
    let pilots = try makePilots(
      "dft", ["snr_db": .number(snrDB), "tone_spacing": .integer(grid.spacing)], in: context)
    let estimator = try makeEstimator(name, given, after: pilots, in: context, fitted: fitted)
    let estimate = estimator.estimate(pilots.observe(channel, block(of: channel), slot: 0))
    return (difference(estimate.response, channel), estimate.errorVariance)
  }

  private func meanPower(_ error: ComplexArray) -> Double { LinkTests.power(error) }

  /// Mean |error|² on the tones `tones`.
  private func meanPower(_ error: ComplexArray, onTones tones: some Sequence<Int>) -> Double {
    let (drops, count) = (error[dimension: 0], error[dimension: 1])
    var mean = RunningMean()
    error.withUnsafeElements { error in
      for tone in tones {
        for drop in 0..<drops {
          for port in 0..<Self.ports {
            mean.add(Double(error[(drop * count + tone) * Self.ports + port].lengthSquared))
          }
        }
      }
    }
    return mean.mean
  }

  /// Sparse-pilot error: all delays inside a window of L rows, error variance `s L / Np` on every tone, within 0.1 dB.
  @Test(arguments: grids, ["ls", "delay_window"])
  func dftInterpolationLeavesTheNoiseOfItsWindow(grid: Grid, name: String) throws {
    for window in [10, min(16, grid.pilots), grid.pilots] {
      let channel = channel(grid, drops: 400)
      let (error, reported) = try error(
        name, ["window": .integer(window)], grid, snrDB: 10, of: channel)
      let theory = -10 + decibels(Double(window) / Double(grid.pilots))
      let measured = decibels(meanPower(error))
      let label = "\(grid.testDescription), \(name), window \(window)"
      #expect(abs(measured - theory) < 0.1, "\(label): \(measured) dB, theory \(theory)")
      #expect(abs(decibels(reported) - theory) < 1e-9, "\(label)")
      // The same on pilot tones and half-way between: 3200 samples of L degrees of freedom, 4 standard errors 0.3 dB.
      for tone in [0, grid.spacing / 2, grid.tones - 1] {
        let here = decibels(meanPower(error, onTones: [tone]))
        #expect(abs(here - theory) < 0.35, "\(label), tone \(tone): \(here) dB")
      }
    }
  }

  /// Without noise the interpolation is exact while all delays lie inside the window, and a delay of Np samples aliases
  /// onto row 0.
  @Test(arguments: grids)
  func dftInterpolationIsExactInsideItsWindowAndAliasesBeyond(grid: Grid) throws {
    let inside = channel(grid, drops: 4)
    let exact = try error("ls", ["window": .integer(10)], grid, snrDB: 300, of: inside)
    #expect(meanPower(exact.error) < 1e-10, "\(grid)")
    let late = tapChannel(
      drops: 50, tones: grid.tones, ports: Self.ports, delays: [grid.pilots], powers: [1])
    let aliased = try error("ls", ["window": .integer(10)], grid, snrDB: 300, of: late)
    // On the pilot tones nothing is wrong, in between `|1 - exp(-j 2π r / Df)|²`, on average 2.
    #expect(
      meanPower(aliased.error, onTones: stride(from: 0, to: grid.tones, by: grid.spacing)) < 1e-9)
    let expected =
      (0..<grid.spacing).reduce(0.0) {
        $0 + (Complex(1) - unit(Double($1) / Double(grid.spacing))).lengthSquared
      } / Double(grid.spacing)
    let measured = meanPower(aliased.error)
    #expect(abs(measured / expected - 1) < 0.25, "\(grid): \(measured), theory \(expected)")
  }

  /// Noise of linear interpolation: `s (w² + (1-w)²)` at fraction w, on average `s (2/3 + 1/(3 Df²))`; a channel of zero
  /// leaves nothing but noise. Beyond the last pilot the line is extended and the formula does not hold.
  @Test(arguments: grids)
  func linearInterpolationHasItsNoise(grid: Grid) throws {
    let silence = ComplexArray(
      repeating: .zero, shape: [400, grid.tones, Self.ports])
    let (error, _) = try error(
      "ls", ["interpolation": .text("linear")], grid, snrDB: 10, of: silence)
    let segments = grid.pilots - 1
    for step in 0..<grid.spacing {
      let w = Double(step) / Double(grid.spacing)
      let theory = 0.1 * (w * w + (1 - w) * (1 - w))
      let measured = meanPower(error, onTones: (0..<segments).map { $0 * grid.spacing + step })
      // At least 99 200 entries, neighbouring segments share a pilot: standard error below 0.45 %.
      #expect(abs(measured / theory - 1) < 0.02, "\(grid), w = \(w): \(measured), theory \(theory)")
    }
    let spacing = Double(grid.spacing)
    let mean = 0.1 * (2.0 / 3 + 1 / (3 * spacing * spacing))
    let measured = meanPower(error, onTones: 0..<segments * grid.spacing)
    #expect(abs(decibels(measured / mean)) < 0.1, "\(grid): \(measured), theory \(mean)")
  }

  /// Bias of linear interpolation, without noise:
  /// `R(0)(1 + w² + (1-w)²) - 2 Re[(1-w) R(w Df) + w R((1-w) Df)] + 2 w (1-w) Re R(Df)`.
  @Test(arguments: grids)
  func linearInterpolationHasItsBias(grid: Grid) throws {
    let channel = channel(grid, drops: 1500)
    let (error, _) = try error(
      "ls", ["interpolation": .text("linear")], grid, snrDB: 300, of: channel)
    let real = { (d: Int) in correlation(d, tones: grid.tones).real }
    for step in 0..<grid.spacing {
      let w = Double(step) / Double(grid.spacing)
      let bias =
        real(0) * (1 + w * w + (1 - w) * (1 - w))
        - 2 * ((1 - w) * real(step) + w * real(grid.spacing - step))
        + 2 * w * (1 - w) * real(grid.spacing)
      let measured = meanPower(
        error, onTones: (0..<grid.pilots - 1).map { $0 * grid.spacing + step })
      // 12 000 independent sets of taps.
      #expect(
        abs(measured - bias) < 0.06 * bias + 1e-9, "\(grid), w = \(w): \(measured), theory \(bias)")
    }
  }

  /// Nearest pilot: noise s, bias `2 (R(0) - Re R(d))` at distance d.
  @Test(arguments: grids)
  func nearestNeighbourHasItsNoiseAndBias(grid: Grid) throws {
    let silence = ComplexArray(repeating: .zero, shape: [100, grid.tones, Self.ports])
    let nearest: [String: Setting] = ["interpolation": .text("nearest")]
    let noise = try error("ls", nearest, grid, snrDB: 10, of: silence)
    let measured = meanPower(noise.error)
    #expect(abs(measured / 0.1 - 1) < 0.04, "\(grid): \(measured)")
    #expect(abs(noise.reported / 0.1 - 1) < 1e-6)
    let bias = try error("ls", nearest, grid, snrDB: 300, of: channel(grid, drops: 1500)).error
    for step in 0..<grid.spacing {
      let distance = min(step, grid.spacing - step)
      let theory =
        2 * (correlation(0, tones: grid.tones).real - correlation(distance, tones: grid.tones).real)
      let here = meanPower(bias, onTones: (0..<grid.pilots - 1).map { $0 * grid.spacing + step })
      #expect(
        abs(here - theory) < 0.06 * theory + 1e-9, "\(grid), step \(step): \(here), \(theory)")
    }
  }

  /// Wiener interpolation: error covariance `R_hh - R_hp (R_pp + s I)⁻¹ R_ph`, solved here by elimination; it beats
  /// linear and DFT interpolation.
  @Test(arguments: grids, [0.0, 15])
  func wienerInterpolationReachesItsClosedFormAndBeatsTheOthers(grid: Grid, snrDB: Double) throws {
    let channel = channel(grid, drops: 400)
    let lmmse: [String: Setting] = [
      "interpolation": .text("lmmse"), "fit.drops": .integer(1000),
    ]
    var context = linkContext(tones: grid.tones, ports: Self.ports)
    context.pilots.toneSpacing = grid.spacing
    let fitting = try #require(
      try LeastSquaresEstimator.fitting(LeastSquaresEstimator.schema.settings(lmmse), in: context))
    var fitter = fitting.makeFitter()
    fitter.add(
      .response(
        tapChannel(
          drops: 1000, tones: grid.tones, ports: Self.ports, delays: Self.delays,
          powers: Self.powers, seed: 77)))
    let known = try fitter.finish()
    let measured = meanPower(
      try error(
        "ls", lmmse, grid, snrDB: snrDB, of: channel,
        fitted: known
      ).error)
    let theory = wienerError(grid, noise: linear(decibels: -snrDB))
    let label = "\(grid.testDescription), \(snrDB) dB"
    #expect(
      abs(decibels(measured / theory)) < 0.15,
      "\(label): \(decibels(measured)) dB, theory \(decibels(theory))")
    for other in ["linear", "dft", "nearest"] {
      let worse = meanPower(
        try error("ls", ["interpolation": .text(other)], grid, snrDB: snrDB, of: channel).error)
      #expect(measured < worse, "\(label): \(measured) against \(worse) of \(other)")
    }
  }

  /// Error variance averaged over tones.
  private func wienerError(_ grid: Grid, noise: Double) -> Double {
    let n = grid.pilots
    var matrix = (0..<n).map { i in
      (0..<n).map { j in
        correlation((i - j) * grid.spacing, tones: grid.tones)
          + (i == j ? Complex(noise) : Complex<Double>.zero)
      } + (0..<grid.tones).map { correlation(i * grid.spacing - $0, tones: grid.tones) }
    }
    // Gauss-Jordan: positive definite, so no pivoting.
    for column in 0..<n {
      let pivot = matrix[column][column].reciprocal!
      matrix[column] = matrix[column].map { $0 * pivot }
      for row in 0..<n where row != column {
        let factor = matrix[row][column]
        for k in column..<n + grid.tones { matrix[row][k] -= factor * matrix[column][k] }
      }
    }
    let explained = (0..<grid.tones).map { tone in
      (0..<n).reduce(0.0) {
        $0
          + (correlation(tone - $1 * grid.spacing, tones: grid.tones) * matrix[$1][n + tone]).real
      }
    }
    return correlation(0, tones: grid.tones).real - explained.reduce(0, +) / Double(grid.tones)
  }
}
