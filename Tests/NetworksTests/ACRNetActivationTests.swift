import LinkMath
import Networks
import TestSupport
import Testing

/// ACRNet with a fixed slope in place of learned ones.
@Suite struct ACRNetActivationTests {
  /// It is the network of learned slopes that all have the value 0.3, without the 48 slopes.
  @Test(arguments: ["", ", bottleneck: convolutional"])
  func leakyIsTheLearnedSlopeAtItsValue(_ more: String) throws {
    let learned = try NetworkChoice("acrnet {expansion: 1\(more)}", compression: 16)
    let fixed = try NetworkChoice(
      "acrnet {activation: leaky_relu, expansion: 1\(more)}", compression: 16)
    // Of each side 2 channels behind the first layer; 2 and 2 in each encoder block; 8, 8 and 2 in each decoder block.
    let slopes = (2 + 2 * 4) + (2 + 2 * 18)
    #expect(
      learned.autoencoder.parameterCount - fixed.autoencoder.parameterCount == slopes)
    var weights = drawnWeights(learned.autoencoder)
    let pool = WorkerPool(threadCount: 1)
    for side in WeightsFile.Side.allCases {
      let (plain, other) = (
        side.network(of: learned.autoencoder), side.network(of: fixed.autoencoder)
      )
      for key in plain.parameters.map(\.key) where key.contains("prelu") {
        weights[key] = weights[key]!.map { _ in 0.3 }
      }
      #expect(!other.parameters.contains { $0.key.contains("prelu") })
      let input = DeterminismTests.random(3 * plain.graph.inputShapes[0].count, seed: 9)
      let expected = try InferencePlan(plain, weights: weights).run([input], count: 3, pool: pool)[
        0]
      let found = try InferencePlan(other, weights: weights.of(fixed.autoencoder))
        .run([input], count: 3, pool: pool)[0]
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-5 })
      #expect(expected.contains { $0 != expected[0] })
    }
  }
}
