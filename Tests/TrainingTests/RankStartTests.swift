import Foundation
import LinkMath
import Networks
import Parts
import TestSupport
import Testing
import Training

/// A start of sums of rank-one terms, against what linear algebra says of the same images.
@Suite struct RankStartTests {
  private static let pool = WorkerPool(threadCount: 1)
  private static let rowCount = 2000

  /// Maps around 0.5 whose delays fade, mixed between neighbours so that no component is a single value; sizes of samples differ.
  private static func samples(_ image: Shape, fade: Float) -> [Float] {
    var stream = StreamKey(seed: 5, domain: .test, purpose: .channel).stream(drop: 0)
    var samples: [Float] = []
    for _ in 0..<rowCount {
      let size = 0.7 + 0.3 * stream.normal(count: 1)[0].magnitude
      let drawn = stream.normal(count: image.count)
      samples += drawn.indices.map { index in
        let (row, column) = index.quotientAndRemainder(dividingBy: image.width)
        let mixed = drawn[index] + 0.6 * drawn[(index + 7) % image.count]
        return 0.5 + 0.03 * size * mixed * pow(fade, Float(column)) * (row % 3 == 0 ? 2 : 1)
      }
    }
    return samples
  }

  private static func moment(_ samples: [Float], size: Int) -> [Double] {
    var moment = SecondMoment(size: size)
    samples.map { $0 - 0.5 }.withUnsafeBufferPointer { moment.add($0) }
    return moment.mean()
  }

  /// Share of the images' energy that their reconstruction lacks.
  private static func loss(_ autoencoder: Autoencoder, _ samples: [Float], _ moment: [Double])
    throws -> Float
  {
    let weights = try PrincipalStart(autoencoder).weights(
      drawnWeights(autoencoder, seed: 3), moment: moment, samples: samples, pool: pool)
    let codewords = try InferencePlan(autoencoder.encoder, weights: weights)
      .run([samples], count: rowCount, pool: pool)
    let outputs = try InferencePlan(autoencoder.decoder, weights: weights)
      .run([codewords[0]], count: rowCount, pool: pool)[0]
    let error = zip(outputs, samples).reduce(0.0) { $0 + Double(pow($1.0 - $1.1, 2)) }
    return Float(error / samples.reduce(0.0) { $0 + Double(pow($1 - 0.5, 2)) })
  }

  /// Three reals fewer than the codeword has keep as much of the energy as that many components do, if the delays that count are no more
  /// than the ranks (8 of 10), and whatever the delays if they are fewer than the ranks.
  @Test(arguments: [
    ("dcrnetv2-mini", 6, 24, Float(0.75)), ("dcrnetv2-mini", 12, 8, 0.95),
    ("dcrnetv2-small", 12, 8, 0.95), ("dcrnetv2-base", 6, 24, 0.7),
    ("dcrnetv2-unified", 6, 24, 0.8), ("dcrnetv2-large-out", 12, 8, 0.95),
  ])
  func keepsWhatComponentsKeep(network: String, angles: Int, taps: Int, fade: Float) throws {
    let image = Shape.image(angles: angles, taps: taps)
    let samples = Self.samples(image, fade: fade)
    let moment = Self.moment(samples, size: image.count)
    let autoencoder = try NetworkChoice(network, compression: 4, image: image).autoencoder
    let count = image.count / 4 - 3
    let values = try Eigen.symmetric(moment, order: image.count, largest: image.count).values
    let best = Float(values[count...].reduce(0, +) / values.reduce(0, +))
    let loss = try Self.loss(autoencoder, samples, moment)
    #expect(loss < best + 0.006 && loss > 0.98 * best, "\(loss), components \(best)")
    #expect(best > 0.01 && best < 0.6, "\(best)")
  }

  /// With fewer ranks than delays that count, what the strongest of these have is what comes through.
  @Test func losesWhatItsRanksCannotHold() throws {
    let image = Shape.image(angles: 4, taps: 32)
    let samples = Self.samples(image, fade: 1)
    let moment = Self.moment(samples, size: image.count)
    let autoencoder = try NetworkChoice("dcrnetv2-mini", compression: 4, image: image).autoencoder
    let loss = try Self.loss(autoencoder, samples, moment)
    let values = try Eigen.symmetric(moment, order: image.count, largest: image.count).values
    let best = Float(values[61...].reduce(0, +) / values.reduce(0, +))
    // 10 of 32 directions have no less than their share.
    #expect(loss > best + 0.1 && loss < 1 - 10 / 32, "\(loss), components \(best)")
  }

  /// Angles whose delays differ share the ranks: five delays of the first row and five others of all the rest are all there is.
  @Test func ranksServeAllAngles() throws {
    let image = Shape.image(angles: 4, taps: 32)
    let samples = Self.samples(image, fade: 1).enumerated().map { place, value in
      let (row, column) = (place % image.count).quotientAndRemainder(dividingBy: image.width)
      return (row == 0 ? 0..<5 : 20..<25).contains(column) ? value : 0.5
    }
    let moment = Self.moment(samples, size: image.count)
    let autoencoder = try NetworkChoice("dcrnetv2-mini", compression: 4, image: image).autoencoder
    let loss = try Self.loss(autoencoder, samples, moment)
    #expect(loss < 0.006, "\(loss)")
  }

  /// Ranks beyond the delays keep the columns that were drawn and have no rows, so that they add nothing and can learn.
  @Test func ranksBeyondTheDelays() throws {
    let image = Shape.image(angles: 12, taps: 8)
    let autoencoder = try NetworkChoice("dcrnetv2-mini", compression: 4, image: image).autoencoder
    let drawn = drawnWeights(autoencoder, seed: 3)
    let samples = Self.samples(image, fade: 0.9)
    let weights = try PrincipalStart(autoencoder).weights(
      drawn, moment: Self.moment(samples, size: image.count), samples: samples, pool: Self.pool)
    let (bias, given) = try (
      #require(weights["decoder.direct.proj.bias"]), #require(drawn["decoder.direct.proj.bias"])
    )
    let pitch = 2 * (12 + 8)
    for rank in 8..<10 {
      let (rows, columns) = (
        rank * pitch..<rank * pitch + 24, rank * pitch + 24..<(rank + 1) * pitch
      )
      #expect(bias[rows].allSatisfy { $0 == 0 })
      #expect(Array(bias[columns]) == Array(given[columns]))
      #expect(bias[columns].contains { $0 != 0 })
    }
  }

  /// Images without energy have no components and no deviation to divide by.
  @Test func noEnergy() throws {
    let image = Shape.image(angles: 6, taps: 8)
    let autoencoder = try NetworkChoice("dcrnetv2-mini", compression: 4, image: image).autoencoder
    let weights = try PrincipalStart(autoencoder).weights(
      drawnWeights(autoencoder, seed: 3),
      moment: [Double](repeating: 0, count: image.count * image.count), samples: [],
      pool: Self.pool)
    #expect(weights.values.allSatisfy { $0.value.allSatisfy(\.isFinite) })
  }

  @Test func refusesWhatItCannotHold() throws {
    let choice = try NetworkChoice("dcrnetv2-mini", compression: 16)
    let rotated = try #require(throws: NetworkError.self) {
      try PrincipalStart(choice.autoencoder, axes: .rotated(seed: 1))
    }
    #expect("\(rotated)".contains("cannot be rotated"))
    let small = try NetworkChoice(
      "dcrnetv2-mini", compression: 32, image: .image(angles: 6, taps: 8))
    let error = try #require(throws: NetworkError.self) { try PrincipalStart(small.autoencoder) }
    #expect("\(error)".contains("a codeword of 3 reals"))
  }
}
