import Channels
import ComplexModule
import Foundation
import LinkMath
import Parts

/// The grid of the general default: 1024 tones in 20 MHz.
let wideGrid = LinkContext.Grid(toneCount: 1024, spacingHz: 20e6 / 1024, carrierHz: 2e9)

/// A channel model from scenario settings.
func makeChannel<Model: ChannelModel & Part>(
  _ type: Model.Type, _ given: [String: Setting], grid: LinkContext.Grid = wideGrid,
  speed: Double = 0, slotSeconds: Double = 1e-3
) throws -> Model {
  let context = LinkContext(grid: grid, slotSeconds: slotSeconds, speed: speed)
  return try Model(Model.schema.settings(given), in: context, fitted: nil)
}

/// The rows of a CSV fixture by column name, comment lines skipped.
func fixtureRows(_ name: String) throws -> [[String: String]] {
  let url = fixtureFolder.appendingPathComponent(name)
  let lines = try String(contentsOf: url, encoding: .utf8).split(whereSeparator: \.isNewline)
    .filter { !$0.hasPrefix("#") }
    .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
  return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(lines[0], $0)) }
}

let fixtureFolder = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent()
  .appendingPathComponent("Fixtures/channels")

extension Complex<Float> {
  var inDouble: Complex<Double> { Complex<Double>(Double(real), Double(imaginary)) }
}
