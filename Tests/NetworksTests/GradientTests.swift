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
      #expect(deviation.relative < 4e-3, "\(deviation.tensor)")
      #expect(deviation.checked > 0, "\(deviation.tensor)")
    }
  }
}
