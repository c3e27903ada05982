import Codecs
import ComplexModule
import LinkMath
import Parts
import Testing

@Suite struct CompressedSensingCodecTests {
  private func codec(_ given: [String: Setting], taps: Int = 8, angles: Int = 8) throws
    -> CompressedSensingCodec
  {
    try make(CompressedSensingCodec.self, given, in: context(taps: taps, angles: angles)).part
  }

  /// A of the scenario's seed, as rows.
  private func frame(_ length: Int, of size: Int) -> [[Double]] {
    let rows = RandomFrame.rows(length, of: size, seed: 1)
    return (0..<length).map { row in
      rows.elements[row * size..<(row + 1) * size].map { Double($0) }
    }
  }

  /// CSI as real vectors, the plane of real parts first.
  private func planes(_ csi: ComplexArray) -> [[Double]] {
    let rows = RealPlanes.split(csi)
    let size = rows.shape[1]
    return (0..<rows.shape[0]).map { drop in
      rows.elements[drop * size..<(drop + 1) * size].map { Double($0) }
    }
  }

  private func dot(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// `A Aᵀ = I` also where A is nearly square, and other seeds give other rows.
  @Test(arguments: [(1, 128), (32, 128), (64, 128), (127, 128)])
  func rowsAreOrthonormal(length: Int, size: Int) {
    let rows = frame(length, of: size)
    for i in rows.indices {
      for j in 0...i {
        #expect(abs(dot(rows[i], rows[j]) - (i == j ? 1 : 0)) < 2e-5, "\(i) \(j)")
      }
    }
    let other = RandomFrame.rows(length, of: size, seed: 2)
    #expect(other.elements != RandomFrame.rows(length, of: size, seed: 1).elements)
  }

  /// Single numbers are sometimes many times as large as they are expected, or 0, which is drawn again.
  @Test func smallMatricesHaveUnusualSizes() {
    for seed in 0..<20_000 {
      #expect(abs(abs(RandomFrame.rows(1, of: 1, seed: UInt64(seed)).elements[0]) - 1) < 1e-4)
    }
  }

  @Test func codewordsAreProjections() throws {
    let csi = gaussianCSI(drops: 3, taps: 8, angles: 8)
    let codeword = try codec(["compression": .integer(4)]).encode(csi)
    #expect(codeword.values.shape == [3, 32])
    let rows = frame(32, of: 128)
    for (drop, x) in planes(csi).enumerated() {
      for (i, row) in rows.enumerated() {
        #expect(abs(Double(codeword.values.elements[drop * 32 + i]) - dot(row, x)) < 1e-4)
      }
    }
  }

  /// CSI of few values, or of few edges, comes back from half as many projections as it has reals.
  @Test(arguments: ["lasso", "total_variation"])
  func simpleCSIComesBack(prior: String) throws {
    var values = [ComplexFloat](repeating: .zero, count: 2 * 64)
    for drop in 0..<2 {
      if prior == "lasso" {
        for place in [3, 17, 20, 41, 63] {
          values[drop * 64 + place] = ComplexFloat(Float(place) / 20 - 1, drop == 0 ? 1 : -0.5)
        }
      } else {
        // A block of rows and columns in one plane, an edge across the other.
        for place in 0..<64 {
          let inside = (2..<6).contains(place / 8) && place % 8 > 4
          values[drop * 64 + place] = ComplexFloat(inside ? 1 : 0.2, place / 8 < 3 ? -1 : 0.5)
        }
      }
    }
    let csi = ComplexArray(values, shape: [2, 8, 8])
    let settings: [String: Setting] = [
      "compression": .integer(2), "recovery": .text(prior), "penalty": .number(1e-4),
      "iterations": .integer(3000),
    ]
    let codec = try codec(settings)
    #expect(ratioOfSums(csi, codec.decode(codec.encode(csi))) < 1e-5)
  }

  /// What makes a minimum: the gradient `g = Aᵀ(A x - s)` is `-λ sign x` where x is not 0, and at most λ elsewhere.
  @Test func lassoIsOptimal() throws {
    let csi = gaussianCSI(drops: 2, taps: 8, angles: 8, decay: 0.5)
    let codec = try codec([
      "compression": .integer(4), "penalty": .number(0.05), "iterations": .integer(4000),
    ])
    let codeword = codec.encode(csi)
    let (rows, found) = (frame(32, of: 128), planes(codec.decode(codeword)))
    for (drop, x) in found.enumerated() {
      let s = codeword.values.elements[drop * 32..<(drop + 1) * 32].map { Double($0) }
      let error = zip(rows, s).map { dot($0, x) - $1 }
      func back(_ v: [Double]) -> [Double] {
        (0..<128).map { i in zip(rows, v).reduce(0) { $0 + $1.0[i] * $1.1 } }
      }
      let lambda = 0.05 * back(s).reduce(0) { max($0, abs($1)) }
      #expect(x.contains(0) && x.contains { $0 != 0 })
      for (value, g) in zip(x, back(error)) {
        if value == 0 {
          #expect(abs(g) < lambda * 1.001)
        } else {
          #expect(abs(g + lambda * (value > 0 ? 1 : -1)) < 1e-3 * lambda)
        }
      }
    }
  }

  /// No step in any of many directions lowers `|A x - s|² / 2 + λ TV(x)`, and longer iterations change nothing.
  @Test func totalVariationIsOptimal() throws {
    let csi = gaussianCSI(drops: 1, taps: 8, angles: 8, decay: 0.3)
    let settings: [String: Setting] = [
      "compression": .integer(4), "recovery": .text("total_variation"), "penalty": .number(0.05),
    ]
    let codec = try codec(settings.merging(["iterations": .integer(20_000)]) { $1 })
    let codeword = codec.encode(csi)
    let (rows, s) = (frame(32, of: 128), codeword.values.elements.map { Double($0) })
    let lambda =
      0.05
      * (0..<128).map { i in abs(zip(rows, s).reduce(0) { $0 + $1.0[i] * $1.1 }) }.max()!
    func cost(_ x: [Double]) -> Double {
      let error = zip(rows, s).reduce(0) { $0 + (dot($1.0, x) - $1.1) * (dot($1.0, x) - $1.1) }
      var variation = 0.0
      for first in [0, 64] {
        for place in 0..<64 {
          let here = x[first + place]
          let down = place < 56 ? x[first + place + 8] - here : 0
          let right = place % 8 < 7 ? x[first + place + 1] - here : 0
          variation += (down * down + right * right).squareRoot()
        }
      }
      return error / 2 + lambda * variation
    }
    let x = planes(codec.decode(codeword))[0]
    let least = cost(x)
    #expect(least < cost([Double](repeating: 0, count: 128)))
    var random = stream(7)
    for _ in 0..<200 {
      let step = random.normal(count: 128)
      for size in [1e-3, 1e-2, 1e-1] {
        let moved = zip(x, step).map { $0 + size * Double($1) }
        #expect(cost(moved) > least * (1 - 1e-6))
      }
    }
    let longer = try self.codec(settings.merging(["iterations": .integer(40_000)]) { $1 })
    #expect(abs(cost(planes(longer.decode(codeword))[0]) - least) < 1e-4 * least)
  }

  @Test(arguments: ["lasso", "total_variation"])
  func dropsDoNotDependOnTheirBlock(prior: String) throws {
    let csi = gaussianCSI(drops: 9, taps: 8, angles: 8, decay: 0.3)
    let codec = try codec([
      "compression": .integer(8), "recovery": .text(prior), "iterations": .integer(50),
    ])
    let codeword = codec.encode(csi)
    let whole = codec.decode(codeword)
    let part = codec.decode(Codeword(values: codeword.values.slice(6..<9)))
    #expect(Array(whole.elements.suffix(3 * 64)) == Array(part.elements))
  }

  @Test func whatIsNotCompressedIsRefused() {
    #expect(throws: SettingsError.self) { try codec(["compression": .integer(1)]) }
    #expect(throws: SettingsError.self) { try codec(["length": .integer(128)]) }
    #expect(throws: SettingsError.self) { try codec(["compression": .integer(3)]) }
  }
}
