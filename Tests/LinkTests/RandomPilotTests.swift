import ComplexModule
import Link
import LinkMath
import Parts
import TestSupport
import Testing

/// Pilots whose matrix is neither orthogonal nor square.
@Suite struct RandomPilotTests {
  private static let ports = 8

  private func pilots(_ symbols: Int, snrDB: Double, tones: Int) throws -> any PilotScheme {
    try makePilots(
      "random", ["snr_db": .number(snrDB), "length": .integer(symbols)],
      in: linkContext(tones: tones, ports: Self.ports))
  }

  private func estimate(_ symbols: Int, snrDB: Double, _ channel: ComplexArray) throws
    -> (ChannelEstimate, PilotObservation, any PilotScheme)
  {
    let tones = channel[dimension: 1]
    let pilots = try pilots(symbols, snrDB: snrDB, tones: tones)
    let estimator = try makeEstimator(
      "ls", after: pilots, in: linkContext(tones: tones, ports: Self.ports))
    let observation = pilots.observe(channel, block(of: channel), slot: 0)
    return (estimator.estimate(observation), observation, pilots)
  }

  @Test(arguments: [3, 8, 21]) func receivedPilotsAreTheMatrixProduct(symbols: Int) throws {
    let channel = complexNormal([2, 5, Self.ports], seed: 3)
    let (_, observation, _) = try estimate(symbols, snrDB: 300, channel)
    for drop in 0..<2 {
      for tone in 0..<5 {
        for symbol in 0..<symbols {
          let sum = (0..<Self.ports).reduce(Complex<Double>.zero) {
            $0 + channel[drop, tone, $1].inDouble
              * observation.pilots[antenna: $1, symbol: symbol].inDouble
          }
          #expect((sum - observation.received[drop, tone, symbol].inDouble).length < 1e-5)
        }
      }
    }
  }

  /// `σ² tr((X Xᴴ)⁻¹) / Nt`, with the inverse from Gauss-Jordan elimination here; on 200 000 entries within 0.1 dB.
  @Test(arguments: [8, 12, 32]) func errorOfEnoughSymbols(symbols: Int) throws {
    let channel = complexNormal([50, 500, Self.ports], seed: 4)
    let (estimate, observation, pilots) = try estimate(symbols, snrDB: 10, channel)
    let inverse = Self.inverse(Self.gram(observation.pilots, symbols))
    let trace = (0..<Self.ports).reduce(0.0) { $0 + inverse[$1][$1].real }
    let expected = 0.1 * trace / Double(Self.ports)
    #expect(abs(pilots.summary.errorVariance / expected - 1) < 1e-5)
    #expect(abs(estimate.errorVariance / expected - 1) < 1e-5)
    let error = power(difference(estimate.response, channel))
    #expect(abs(decibels(error / expected)) < 0.1, "\(error) \(expected)")
  }

  /// Fewer symbols than ports: what is left of independent ports has the mean power `1 - Tp/Nt`, and another estimate of
  /// least squares is longer.
  @Test(arguments: [1, 4, 7]) func fewSymbolsLoseTheirShare(symbols: Int) throws {
    let channel = complexNormal([40, 500, Self.ports], seed: 5)
    let (estimate, observation, _) = try estimate(symbols, snrDB: 300, channel)
    let lost = power(difference(estimate.response, channel)) / power(channel)
    let share = 1 - Double(symbols) / Double(Self.ports)
    // Four standard errors of a mean of 20 000 sums of chi-squared values.
    #expect(abs(lost - share) < 4 * (share / 20_000).squareRoot(), "\(lost) \(share)")
    // The estimate explains what was received.
    for tone in 0..<4 {
      for symbol in 0..<symbols {
        let sum = (0..<Self.ports).reduce(Complex<Double>.zero) {
          $0 + estimate.response[0, tone, $1].inDouble
            * observation.pilots[antenna: $1, symbol: symbol].inDouble
        }
        #expect((sum - observation.received[0, tone, symbol].inDouble).length < 1e-4)
      }
    }
  }

  private static func gram(_ pilots: any PilotSignal, _ symbols: Int) -> [[Complex<Double>]] {
    (0..<ports).map { i in
      (0..<ports).map { k in
        (0..<symbols).reduce(Complex<Double>.zero) {
          $0 + pilots[antenna: i, symbol: $1].inDouble
            * pilots[antenna: k, symbol: $1].inDouble.conjugate
        }
      }
    }
  }

  private static func inverse(_ matrix: [[Complex<Double>]]) -> [[Complex<Double>]] {
    let n = matrix.count
    var rows = matrix.enumerated().map { i, row in
      row + (0..<n).map { Complex<Double>($0 == i ? 1 : 0, 0) }
    }
    for i in 0..<n {
      let pivot = (i..<n).max { rows[$0][i].length < rows[$1][i].length }!
      rows.swapAt(i, pivot)
      let scale = rows[i][i]
      rows[i] = rows[i].map { $0 / scale }
      for k in 0..<n where k != i {
        let factor = rows[k][i]
        rows[k] = zip(rows[k], rows[i]).map { $0 - factor * $1 }
      }
    }
    return rows.map { Array($0[n...]) }
  }
}
