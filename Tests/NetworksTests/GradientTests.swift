import LinkMath
import Networks
import Testing

/// Every layer's gradients against central differences of its own forward pass.
@Suite struct GradientTests {
  static let cases = GradientProbe.layers

  @Test(arguments: cases.map(\.name))
  func matchesCentralDifferences(_ name: String) throws {
    let probe = Self.cases.first { $0.name == name }!
    let pool = WorkerPool(threadCount: 1)
    for deviation in try probe.deviations(samples: 5, pool: pool) {
      // Central differences of a single-precision loss are good to about half a percent; where a step crosses the kink of
      // an activation they miss by a few times that. The golden vectors hold the gradients to 2e-4.
      #expect(deviation.relative < 3e-2, "\(deviation.tensor)")
      #expect(deviation.checked > 0, "\(deviation.tensor)")
    }
  }
}
