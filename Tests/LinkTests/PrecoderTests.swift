import ComplexModule
import Link
import LinkMath
import Parts
import TestSupport
import Testing

/// Directions of the precoders: maximum ratio on each tone, the dominant eigenvector on a band.
@Suite struct PrecoderTests {
  private func directions(_ name: String, _ given: [String: Setting], _ csi: ComplexArray)
    throws -> ComplexArray
  {
    let type = try #require(PrecoderRegistry.precoders.first { $0.schema.name == name })
    let context = linkContext(tones: csi[dimension: 1], ports: csi[dimension: 2])
    return try type.init(type.schema.settings(given), in: context, fitted: nil).directions(csi)
  }

  /// `Σ_n |⟨h_n, g⟩|² / ‖g‖²` over the tones of a band: what the weights w = gᴴ / ‖g‖ receive.
  private func received(
    _ csi: ComplexArray, _ direction: [Complex<Double>], tones: Range<Int>, drop: Int
  ) -> Double {
    let norm = direction.reduce(0.0) { $0 + $1.lengthSquared }
    return tones.reduce(0.0) { sum, tone in
      let product = direction.indices.reduce(Complex<Double>.zero) {
        $0 + csi[drop, tone, $1].inDouble * direction[$1].conjugate
      }
      return sum + product.lengthSquared / norm
    }
  }

  /// The largest eigenvalue of `Σ_n Hᴴ H` by power iteration.
  private func largest(_ csi: ComplexArray, tones: Range<Int>, drop: Int) -> Double {
    let ports = csi[dimension: 2]
    let rows = tones.map { tone in (0..<ports).map { csi[drop, tone, $0].inDouble } }
    var g = [Complex<Double>](repeating: Complex(1, 0.5), count: ports)
    for _ in 0..<400 {
      var next = [Complex<Double>](repeating: .zero, count: ports)
      for row in rows {
        let product = zip(row, g).reduce(Complex<Double>.zero) { $0 + $1.0.conjugate * $1.1 }
        for port in 0..<ports { next[port] += row[port] * product }
      }
      let norm = next.reduce(0.0) { $0 + $1.lengthSquared }.squareRoot()
      g = next.map { $0.divided(by: norm) }
    }
    return received(csi, g, tones: tones, drop: drop)
  }

  @Test func maximumRatioDirectionsAreTheCSI() throws {
    let csi = complexNormal([2, 5, 4])
    #expect(try directions("mrt", [:], csi) == csi)
  }

  /// Bands of 1, of a number that does not divide the tones, and all of them.
  @Test(arguments: [1, 5, 8, 12, 100])
  func bandDirectionsAreDominantEigenvectors(size: Int) throws {
    let csi = complexNormal([3, 12, 6], seed: 5)
    let found = try directions("subband", ["subband_tones": .integer(size)], csi)
    for drop in 0..<3 {
      for first in stride(from: 0, to: 12, by: size) {
        let band = first..<min(first + size, 12)
        let best = largest(csi, tones: band, drop: drop)
        for tone in band {
          let direction = (0..<6).map { found[drop, tone, $0].inDouble }
          let gain = received(csi, direction, tones: band, drop: drop)
          #expect(abs(gain / best - 1) < 1e-4, "band \(band), tone \(tone): \(gain), \(best)")
        }
      }
    }
  }

  @Test func widebandIsOneBand() throws {
    let csi = complexNormal([2, 12, 6], seed: 6)
    #expect(
      try directions("wideband", [:], csi)
        == directions("subband", ["subband_tones": .integer(12)], csi))
  }

  @Test(arguments: ["mrt", "subband", "wideband"])
  func noCSIGivesNoDirection(name: String) throws {
    let csi = ComplexArray(repeating: .zero, shape: [1, 4, 3])
    #expect(try directions(name, [:], csi) == csi)
  }

  @Test func dataSNRDefaultsToThePilots() throws {
    var context = linkContext(tones: 4, ports: 2)
    context.pilots.snrDB = 17
    for type in PrecoderRegistry.precoders {
      let given = try type.init(
        type.schema.settings(["snr_db": .number(3)]), in: context, fitted: nil)
      #expect(given.snrDB == 3)
      #expect(try type.init(type.schema.settings(), in: context, fitted: nil).snrDB == 17)
    }
  }
}

extension Complex<Double> {
  fileprivate func divided(by real: Double) -> Complex<Double> { multiplied(by: 1 / real) }
}
