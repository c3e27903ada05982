import Foundation
import LinkMath
import Parts
import TestSupport
import Testing

/// The part that the documentation shows.
@Suite struct SignQuantizerTests {
  /// What the article says is what is compiled here.
  @Test func isTheExampleOfTheDocumentation() throws {
    let root = fixtures.deletingLastPathComponent().deletingLastPathComponent()
    let article = try String(
      contentsOf: root.appending(
        path: "Documentation/csilink.docc/Articles/AddingAPart.md"), encoding: .utf8)
    let source = try String(
      contentsOf: root.appending(path: "Tests/CodecsTests/SignQuantizer.swift"), encoding: .utf8)
    #expect(article.contains("```swift\n\(source)```"))
  }

  /// `1 - 2/π` of a unit Gaussian is left at an amplitude of `sqrt(2/π)`, one bit for each real; 1 %.
  @Test func leavesTheClosedForm() throws {
    let quantizer = try make(
      SignQuantizer.self, ["amplitude": .number((2 / Double.pi).squareRoot())],
      in: context(taps: 1, angles: 1, codewordLength: 4)
    ).part
    #expect(quantizer.bitCount == 4)
    let codewords = gaussianCodewords(drops: 50_000, length: 4)
    let back = roundTrip(quantizer, codewords)
    #expect(back.payloads.allSatisfy { $0.count == 4 })
    let mse = meanSquaredError(codewords, back.values)
    #expect(abs(mse / (1 - 2 / Double.pi) - 1) < 0.01, "\(mse)")
  }
}
