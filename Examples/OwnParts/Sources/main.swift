import Channels
import Codecs
import Foundation
import LinkMath
import Parts
import Reports
import Scenarios
import Simulation

/// One path from a drawn angle, seen by 16 antennas half a wavelength apart.
struct SinglePath: ChannelModel, Part {
  static let delay = Parameter.number("delay", .time, default: 0, in: 0...1e-3, "Of the path.")
  static let schema = PartSchema(.channel, "path", "One path.", parameters: [delay.declaration])
  let (portCount, grid, delay): (Int, LinkContext.Grid, Double)
  init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) {
    (portCount, grid, delay) = (16, context.grid, settings[Self.delay])
  }
  func frequencyResponse(_ block: DropBlock, slots: [Int]) -> [ComplexArray] {
    let values = (0..<block.drops.count).flatMap { drop -> [ComplexFloat] in
      var draws = block.stream(drop, .channel)
      let sine = draws.uniform(in: -1..<1)
      return (0..<grid.toneCount * portCount).map { i in
        let turns = Double(i % 16) * sine / 2 - Double(i / 16) * grid.spacingHz * delay
        return ComplexFloat(length: 1, phase: Float(2 * .pi * turns.remainder(dividingBy: 1)))
      }
    }
    return slots.map { _ in ComplexArray(values, shape: [block.drops.count, grid.toneCount, 16]) }
  }
}

/// Sends the first delay rows and nothing else.
struct FirstRows: CodewordCodec, Part {
  static let rows = Parameter.integer("rows", default: 4, in: 1...32, "Rows that are sent.")
  static let schema = PartSchema(.codec, "rows", "Delay rows.", parameters: [rows.declaration])
  let (taps, ports, rows): (Int, Int, Int)
  var codewordLength: Int { 2 * rows * ports }
  init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) {
    (taps, ports, rows) = (context.tapCount, context.portCount, settings[Self.rows])
  }
  func encode(_ csi: ComplexArray) -> Codeword {
    let values = csi.elements.enumerated().filter { $0.offset / ports % taps < rows }
      .flatMap { [$0.element.real, $0.element.imaginary] }
    return Codeword(values: RealArray(values, shape: [csi[dimension: 0], codewordLength]))
  }
  func decode(_ codeword: Codeword) -> ComplexArray {
    let sent = codeword.values
    let csi = (0..<sent[dimension: 0] * taps * ports).map { i -> ComplexFloat in
      let (drop, row, k) = (i / (taps * ports), i / ports % taps, 2 * (i % (taps * ports)))
      return row < rows ? ComplexFloat(sent[drop, k], sent[drop, k + 1]) : .zero
    }
    return ComplexArray(csi, shape: [sent[dimension: 0], taps, ports])
  }
}

do {
  let reader = ScenarioReader(registry: .standard.adding(SinglePath.self, FirstRows.self))
  let scenario = try reader.read(CommandLine.arguments[1]).scenario
  let pool = WorkerPool(threadCount: 2)
  let run = try PreparedRun(scenario, pool: pool, artefactFolder: nil)
  let outcome = try Runner(run, pool: pool, folder: CommandLine.arguments[2]).execute()
  if case .finished(let result) = outcome { print(ResultTable.text(of: result)) }
} catch {
  print(error)
  exit(1)
}
