import ComplexModule
import Link
import LinkMath
import Parts
import TestSupport
import Testing

/// The transform to the dominant direction of each subband.
@Suite struct SubbandTests {
  private func transform(tones: Int, ports: Int, size: Int) throws -> SubbandEigenvectors {
    let settings = try SubbandEigenvectors.schema.settings(["subband_tones": .integer(size)])
    return SubbandEigenvectors(settings, in: linkContext(tones: tones, ports: ports), fitted: nil)
  }

  /// Tones of a subband that differ by a factor only: the direction is theirs, first port real.
  @Test func oneDirectionIsFound() throws {
    let transform = try transform(tones: 7, ports: 3, size: 3)
    #expect(transform.rowCount == 3)
    let directions = complexNormal([2, 3, 3], seed: 1)
    let factors = complexNormal([2, 7], seed: 2)
    var response = ComplexArray(repeating: .zero, shape: [2, 7, 3])
    for drop in 0..<2 {
      for tone in 0..<7 {
        for port in 0..<3 {
          response[drop, tone, port] = factors[drop, tone] * directions[drop, tone / 3, port]
        }
      }
    }
    let csi = try transform.forward(response)
    #expect(csi.shape == [2, 3, 3])
    for drop in 0..<2 {
      for band in 0..<3 {
        let row = (0..<3).map { directions[drop, band, $0].inDouble }
        let norm = row.reduce(0) { $0 + $1.lengthSquared }.squareRoot()
        let turn = row[0].conjugate / Complex(row[0].length * norm)
        for port in 0..<3 {
          #expect((row[port] * turn - csi[drop, band, port].inDouble).length < 1e-5)
        }
      }
    }
    let back = transform.inverse(csi)
    #expect(back.shape == response.shape)
    for tone in 0..<7 { #expect(back[1, tone, 2] == csi[1, tone / 3, 2]) }
  }

  /// No unit vector collects more power over the tones of a subband; a thousand random ones and the row of each tone are tried.
  @Test func theDirectionCollectsMostPower() throws {
    let response = complexNormal([1, 6, 4], seed: 3)
    let csi = try transform(tones: 6, ports: 4, size: 6).forward(response)
    func power(_ row: [Complex<Double>]) -> Double {
      let norm = row.reduce(0) { $0 + $1.lengthSquared }
      return (0..<6).reduce(0) { sum, tone in
        let product = (0..<4).reduce(Complex<Double>.zero) {
          $0 + response[0, tone, $1].inDouble * row[$1].conjugate
        }
        return sum + product.lengthSquared / norm
      }
    }
    let found = power((0..<4).map { csi[0, 0, $0].inDouble })
    let tried = complexNormal([1000, 4], seed: 4)
    for i in 0..<1000 { #expect(power((0..<4).map { tried[i, $0].inDouble }) <= found + 1e-5) }
    for tone in 0..<6 {
      #expect(power((0..<4).map { response[0, tone, $0].inDouble }) <= found + 1e-5)
    }
  }
}
