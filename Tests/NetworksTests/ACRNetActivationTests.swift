import LinkMath
import Networks
import TestSupport
import Testing

/// ACRNet with a fixed slope, or one for each layer, in place of learned ones of each channel.
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

  /// One slope of a layer is that of all its channels, also where the start hands the image on.
  @Test func theSlopeOfALayerIsThatOfItsChannels() throws {
    let each = try NetworkChoice("acrnet", compression: 16)
    let common = try NetworkChoice("acrnet {activation: prelu_layer}", compression: 16)
    // 48 slopes, of which one stays for each of 2 + 2 · 2 + 2 · 3 activations.
    #expect(each.autoencoder.parameterCount - common.autoencoder.parameterCount == 48 - 12)
    _ = try PrincipalStart(common.autoencoder)
    var random = testStream(4)
    let drawn = drawnWeights(common.autoencoder)
    let pool = WorkerPool(threadCount: 1)
    for side in WeightsFile.Side.allCases {
      let (one, many) = (
        side.network(of: common.autoencoder), side.network(of: each.autoencoder)
      )
      var (few, all) = (drawn, drawn)
      for (key, parameter) in many.parameters where key.contains("prelu") {
        let slope = random.normal(count: 1)[0]
        few[key] = [slope]
        all[key] = [Float](repeating: slope, count: parameter.count)
      }
      let input = DeterminismTests.random(3 * one.graph.inputShapes[0].count, seed: 9)
      let found = try InferencePlan(one, weights: few).run([input], count: 3, pool: pool)[0]
      let expected = try InferencePlan(many, weights: all).run([input], count: 3, pool: pool)[0]
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-5 })
      #expect(expected.contains { $0 != expected[0] })
    }
  }
}
