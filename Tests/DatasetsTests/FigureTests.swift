import ComplexModule
import Datasets
import Foundation
import LinkMath
import TestSupport
import Testing

/// The figures of channels against closed forms.
struct FigureTests {
  /// One path has no spread wherever it lies between the bins, and no fading.
  @Test(arguments: [(0.0, 0.0), (3.5, 2.25), (17.3, 12.7)])
  func onePath(_ delay: Double, _ angle: Double) throws {
    let found = try describe(
      response([Path(amplitude: 2, delay: delay, angle: angle)], tones: 256, ports: 16))
    #expect(found.delaySpreadRows!.mean < 1e-3)
    #expect(found.portPhaseSpreadDegrees!.mean < 1e-2)
    #expect(found.kFactorDb!.mean > 50)
    #expect(abs(found.energy.mean - 4 * 256 * 16) < 0.1)
    #expect(abs(found.rootMeanSquare - 2) < 1e-5)
  }

  /// Two paths of powers p and 1 - p, D rows apart: √(p (1 - p)) D.
  @Test(arguments: [(0.5, 8.0), (0.9, 20.0), (0.2, 5.0)])
  func twoPaths(_ power: Double, _ distance: Double) throws {
    let expected = (power * (1 - power)).squareRoot() * distance
    let paths = [
      Path(amplitude: power.squareRoot(), delay: 2, angle: 3),
      Path(amplitude: (1 - power).squareRoot(), delay: 2 + distance, angle: 3),
    ]
    let full = response(paths, tones: 1024, ports: 8)
    let found = try describe(full)
    #expect(abs(found.delaySpreadRows!.mean / expected - 1) < 0.01)
    #expect(found.portPhaseSpreadDegrees!.mean < 0.1)
    #expect(found.angleSpreadDegrees!.mean < 0.01)
    #expect(found.columnEnergy[3] > 0.9999)
    #expect(abs(found.rowEnergy[2] - power) < 1e-4)
    // From delay rows it is the plain second moment.
    var rows = ComplexArray(repeating: .zero, shape: [1, 32, 8])
    rows[0, 2, 3] = ComplexFloat(Float(power.squareRoot()))
    rows[0, 2 + Int(distance), 3] = ComplexFloat(0, Float((1 - power).squareRoot()))
    let truncated = try describe(rows, .delay)
    #expect(abs(truncated.delaySpreadRows!.mean - expected) < 1e-5)
    #expect(truncated.capturedEnergy == nil)
  }

  /// Neighbouring ports are correlated as `p + (1 - p) e^{jθ}`, θ = 2π D / N for two paths D columns apart: paths of different
  /// delay rows do not mix over the tones.
  @Test(arguments: [(0.5, 1.0), (0.8, 2.5), (0.3, 4.0)])
  func portPhaseSpread(_ power: Double, _ distance: Double) throws {
    let paths = [
      Path(amplitude: power.squareRoot(), delay: 2, angle: 3),
      Path(amplitude: (1 - power).squareRoot(), delay: 9, angle: 3 + distance),
    ]
    let found = try describe(response(paths, tones: 64, ports: 16))
    let angle = 2 * .pi * distance / 16
    let length = hypot(power + (1 - power) * cos(angle), (1 - power) * sin(angle))
    let expected = (-2 * log(length)).squareRoot() * 180 / .pi
    #expect(abs(found.portPhaseSpreadDegrees!.mean / expected - 1) < 1e-4)
  }

  /// One port has a delay spread as several have, and no spread over ports.
  @Test func onePort() throws {
    let paths = [
      Path(amplitude: 0.5.squareRoot(), delay: 2, angle: 0),
      Path(amplitude: 0.5.squareRoot(), delay: 10, angle: 0),
    ]
    let found = try describe(response(paths, tones: 1024, ports: 1))
    #expect(abs(found.delaySpreadRows!.mean / 4 - 1) < 0.01)
    #expect(found.portPhaseSpreadDegrees == nil)
    let tone = try describe(response([paths[0]], tones: 1, ports: 8), taps: 1)
    #expect(tone.delaySpreadRows == nil && tone.portPhaseSpreadDegrees!.mean < 0.1)
  }

  /// Equal powers at azimuths ±φ: the mean of e^{jφ} is cos φ, and column q of N antennas d wavelengths apart is
  /// sin φ = q / (N d). Ports that are no line have no azimuths.
  @Test(arguments: [(0.5, 0.25), (1.0, 0.125), (0.25, 0.5), (nil, 0)] as [(Double?, Double)])
  func azimuthSpread(spacing: Double?, sine: Double) throws {
    var bins = ComplexArray(repeating: .zero, shape: [1, 4, 32])
    (bins[0, 1, 4], bins[0, 1, 28]) = (1, 1)
    let describer = ChannelDescriber(
      ChannelShape(domain: .delay, rows: 4, columns: 32, lineSpacing: spacing), dropCount: 1,
      pcaLimit: 0, pool: WorkerPool(threadCount: 1))
    try describer.add(bins)
    let found = describer.finish()!.angleSpreadDegrees
    guard spacing != nil else {
      #expect(found == nil)
      return
    }
    let expected = (-2 * log(cos(asin(sine)))).squareRoot() * 180 / .pi
    #expect(abs(found!.mean - expected) < 1e-6)
  }

  /// A plane wave in Rayleigh fading of known K; the estimate is unbiased but for the number of entries.
  @Test(arguments: [0.0, 6, 12])
  func kFactor(_ decibels: Double) throws {
    let (tones, ports, drops) = (64, 32, 100)
    let k = pow(10, decibels / 10)
    let noise = complexNormal([drops, tones, ports])
    let scattered = Float((1 / (k + 1)).squareRoot())
    let wave = response(
      [Path(amplitude: (k / (k + 1)).squareRoot(), delay: 4.3, angle: 2.2)], tones: tones,
      ports: ports
    ).elements
    let values = noise.elements.enumerated().map { index, value in
      wave[index % wave.count]
        + ComplexFloat(scattered * value.real, scattered * value.imaginary)
    }
    let found = try describe(ComplexArray(values, shape: [drops, tones, ports]))
    #expect(abs(found.kFactorDb!.mean - decibels) < 0.15)
    #expect(found.dropsWithoutKFactor == 0)
  }

  /// 80 % of the energy in row 3, 20 % in row 40.
  @Test func capturedEnergy() throws {
    let paths = [
      Path(amplitude: 0.8.squareRoot(), delay: 3, angle: 0),
      Path(amplitude: 0.2.squareRoot(), delay: 40, angle: 0),
    ]
    let matrix = response(paths, tones: 128, ports: 4)
    let found = try describe(matrix, taps: 32)
    #expect(abs(found.capturedEnergy!.mean - 0.8) < 1e-5)
    #expect(abs(found.rowEnergy[3] - 1) < 1e-5)
    #expect(abs(try describe(matrix, taps: 41).capturedEnergy!.minimum - 1) < 1e-5)
  }

  /// 100 coefficients with the powers 100, 99, ..., 1: sum 5050.
  @Test func coefficientCounts() throws {
    var bins = ComplexArray(repeating: .zero, shape: [1, 10, 20])
    for index in 0..<100 {
      bins[0, index / 10, 2 * (index % 10)] = ComplexFloat(Float(100 - index).squareRoot())
    }
    let found = try describe(bins, .delay)
    // The n largest have n (201 - n) / 2: of 4545, 4797.5 and 4999.5 no n hits one exactly.
    let wanted: [Double] = [69, 79, 91]
    #expect(
      [found.coefficients90, found.coefficients95, found.coefficients99].map(\.mean)
        == wanted)
    #expect(found.columns90.mean == 9)
  }

  /// Six drops with energies 1, 2, ..., 32 in one entry: order statistics between two drops are interpolated.
  @Test func summaries() throws {
    var bins = ComplexArray(repeating: .zero, shape: [6, 3, 4])
    for (drop, energy) in [8, 1, 32, 2, 16, 4].enumerated() {
      bins[drop, 2, 1] = ComplexFloat(0, Float(energy).squareRoot())
    }
    let found = try describe(bins, .delay)
    let energy = found.energy
    #expect(energy.count == 6 && abs(energy.mean - 10.5) < 1e-5)
    // Σx² = 1365, less 6 · 10.5², over 5.
    #expect(abs(try #require(energy.standardDeviation) - 140.7.squareRoot()) < 1e-5)
    #expect(abs(energy.minimum - 1) < 1e-5 && abs(energy.maximum - 32) < 1e-5)
    #expect(abs(energy.percentile5 - 1.25) < 1e-5 && abs(energy.median - 6) < 1e-5)
    #expect(abs(found.peak.maximum - 32.0.squareRoot()) < 1e-5)
    #expect(abs(found.rootMeanSquare - (10.5 / 12).squareRoot()) < 1e-5)
    #expect(found.rowEnergy == [0, 0, 1] && found.columnEnergy == [0, 1, 0, 0])
  }

  /// Drops without energy are counted and left out.
  @Test func silentDrops() throws {
    var bins = ComplexArray(repeating: .zero, shape: [3, 4, 4])
    bins[1, 0, 0] = 1
    let found = try describe(bins, .delay)
    #expect(found.drops == 3 && found.silentDrops == 2 && found.energy.count == 1)
  }

  /// Drops in a space of 6 real dimensions, and drops without any structure: m of n components lose 1 - m/n.
  @Test func principalComponents() throws {
    let basis = complexNormal([3, 16], seed: 5)
    let weights = complexNormal([500, 3], seed: 6)
    var flat = ComplexArray(repeating: .zero, shape: [500, 4, 4])
    for drop in 0..<500 {
      for bin in 0..<16 {
        for index in 0..<3 {
          flat[drop, bin / 4, bin % 4] += weights[drop, index] * basis[index, bin]
        }
      }
    }
    let low = try #require(try describe(flat, .delay, pcaLimit: 1000).pca)
    #expect(low.fittedDrops == 400 && low.testedDrops == 100)
    #expect(low.points.map(\.components) == [1, 2, 4, 8, 16])
    #expect(low.points[3].nmseDb < -50 && low.points[2].nmseDb > -20)
    let noise = complexNormal([20_000, 4, 4], seed: 7)
    let high = try #require(try describe(noise, .delay, pcaLimit: 20_000).pca)
    for point in high.points {
      let expected = 10 * log10(1 - Double(point.components) / 32)
      #expect(abs(point.nmseDb - expected) < 0.15, "\(point)")
    }
  }

  /// However drops come in blocks and threads, the figures have the same bits.
  @Test func blocksAndThreads() throws {
    let matrices = complexNormal([40, 64, 8])
    let whole = try describe(matrices, pcaLimit: 100)
    let parts = ChannelDescriber(
      ChannelShape(domain: .frequency, rows: 64, columns: 8), dropCount: 40, pcaLimit: 100,
      pool: WorkerPool(threadCount: 2))
    for start in stride(from: 0, to: 40, by: 7) {
      try parts.add(matrices.slice(start..<min(start + 7, 40)))
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let (a, b) = (try encoder.encode(whole), try encoder.encode(parts.finish()!))
    #expect(a == b)
  }
}
