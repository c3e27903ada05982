import Channels
import ComplexModule
import Foundation
import LinkMath
import Parts
import Testing

/// Keys of the channel models whose effect is not in a mean power.
@Suite struct ChannelKeyTests {
  /// Slants of ±45°: the two polarisations of an element are `(a ± c) / √2` with the copolar and the cross-polarised part, so
  /// `E[h₊ h₋*] = (1 - 1/XPR) / 2`.
  @Test func slantsAreOppositeInTheCrossPolarisedPart() throws {
    let model = try makeChannel(
      CDLChannel.self,
      [
        "profile": .text("C"), "delay_spread": .number(1e-7), "ports": .integer(2),
        "polarisation": .text("dual"),
      ], grid: smallGrid)
    let block = DropBlock(0..<5000, domain: .test, seed: 6)
    var (re, im) = (RunningMean(), RunningMean())
    for drop in 0..<5000 {
      let paths = model.paths(block, drop, slots: [0]).amplitudes[0]
      let sum = (0..<paths[dimension: 0]).reduce(Complex<Double>.zero) {
        $0 + paths[$1, 0].inDouble * paths[$1, 1].inDouble.conjugate
      }
      re.add(sum.real)
      im.add(sum.imaginary)
    }
    let expected = (1 - pow(10, -0.7)) / 2
    #expect(abs(re.mean - expected) < 4 * (try #require(re.standardError)), "\(re.mean)")
    #expect(abs(im.mean) < 4 * (try #require(im.standardError)), "\(im.mean)")
  }

  /// The specular ray turns by `2π fD t (sin θ sin θ_v cos(φ - φ_v) + cos θ cos θ_v)`.
  @Test(arguments: [(0.0, 0.0), (70, 35), (-120, 90), (10, 180), (200, 140)])
  func theDirectionOfTravelDecidesTheDopplerShift(azimuth: Double, zenith: Double) throws {
    let model = try makeChannel(
      CDLChannel.self,
      [
        "profile": .text("D"), "delay_spread": .number(1e-7), "ports": .integer(1),
        "k_factor": .number(100), "zoa_mean": .number(70), "travel_azimuth": .number(azimuth),
        "travel_zenith": .number(zenith),
      ], grid: smallGrid, speed: 3)
    let degree = Double.pi / 180
    let (phi, theta) = (
      model.profile.aoa.rows[0] * degree, model.profile.zoa.rows[0] * degree
    )
    let shift =
      sin(theta) * sin(zenith * degree) * cos(phi - azimuth * degree)
      + cos(theta) * cos(zenith * degree)
    let turns = 3 * smallGrid.carrierHz / 299_792_458 * 1e-3 * shift
    let taps = model.paths(DropBlock(0..<1, seed: 2), 0, slots: [0, 1]).amplitudes
    let phase = (taps[1][0, 0].inDouble / taps[0][0, 0].inDouble).phase / (2 * .pi)
    #expect(abs((phase - turns).remainder(dividingBy: 1)) < 1e-4, "\(phase), \(turns)")
  }

  /// A cluster's direction from the BS is turned by `offset + deviation z` with z standard normal: to first order, twice the
  /// deviation turns twice as far, and the mean square of `Δ cos φ / sin φ` is that of the deviation.
  @Test func theAzimuthOffsetOfClustersHasItsDeviation() throws {
    let grid = LinkContext.Grid(toneCount: 16, spacingHz: 30e3, carrierHz: 300e6)
    let deviation = 0.5
    let cosines = try [0.0, deviation, 2 * deviation].map { degrees in
      let model = try makeChannel(
        COST2100Channel.self,
        [
          "environment": .text("outdoor"), "ports": .integer(2),
          "azimuth_offset_deviation": .number(degrees),
        ], grid: grid)
      let block = DropBlock(0..<300, domain: .test, seed: 8)
      return block.drops.map { drop in
        let taps = model.paths(block, drop, slots: [0]).amplitudes[0]
        return (0..<taps[dimension: 0]).map { ray in
          (taps[ray, 1].inDouble / taps[ray, 0].inDouble).phase / .pi
        }
      }
    }
    var squares = RunningMean()
    for ((still, once), twice) in zip(zip(cosines[0], cosines[1]), cosines[2]) {
      for ((a, b), c) in zip(zip(still, once), twice) where abs(a) < 0.8 && abs(b - a) > 1e-6 {
        let sine = (1 - a * a).squareRoot()
        #expect(abs((c - b) - (b - a)) < 4e-3, "\(a), \(b), \(c)")
        let degrees = (b - a) / sine * 180 / .pi
        squares.add(degrees * degrees)
      }
    }
    // Rays of a cluster turn together: far fewer independent values than rays.
    #expect(squares.count > 10_000)
    #expect(abs(squares.mean / (deviation * deviation) - 1) < 0.15, "\(squares.mean)")
  }
}
