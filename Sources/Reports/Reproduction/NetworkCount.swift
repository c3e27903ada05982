import LinkMath
import Networks
import Scenarios
import Simulation

/// What a table counts instead of measuring: parameters or operations of a network, of both sides or one.
///
/// A table's `column` names it: `parameters`, `multiply_accumulates`, `profiler_count` or `distillation_count`, with `ue_` or `bs_`
/// before it for a side. The rules are those of `csilink inspect`.
struct NetworkCount: Sendable {
  private let side: WeightsFile.Side?
  private let count: @Sendable (SideDescription) -> Int

  private static let counts: [(name: String, count: @Sendable (SideDescription) -> Int)] = [
    ("parameters", { $0.parameters }),
    ("multiply_accumulates", { $0.costs.multiplyAccumulates }),
    ("profiler_count", { $0.costs.profiler }),
    ("distillation_count", { $0.costs.distillation }),
  ]
  private static let sides: [(prefix: String, side: WeightsFile.Side?)] = [
    ("", nil), ("ue_", .encoder), ("bs_", .decoder),
  ]

  /// - Parameter column: of a table; nil for one that is no count.
  init?(_ column: String) {
    for (prefix, side) in Self.sides {
      for (name, count) in Self.counts where prefix + name == column {
        (self.side, self.count) = (side, count)
        return
      }
    }
    return nil
  }

  /// The figures of a table's cells.
  ///
  /// - Throws: `ScenarioErrors` for stages that cannot be made; ``FigureError`` for a cell that not one network has.
  func figures(of table: PaperTable, _ scenario: Scenario, _ path: String) throws -> [Int] {
    let networks = try NetworkPoint.all(of: scenario, pool: WorkerPool(threadCount: 1))
    return try table.cells.map { cell in
      let found = networks.filter { network in
        let coordinates = zip(
          scenario.axes.map(\.path), scenario.points[network.index].coordinates)
        return zip(table.keys, cell.values).allSatisfy { key, value in
          coordinates.contains { $0 == key && FigureSelection.isSame($1 ?? "", value) }
        }
      }
      guard found.count == 1 else {
        throw FigureError(
          message: "\(path): \(found.count) networks are \(cell.values.joined(separator: ", "))",
          hint: "a row of 'published' must name one")
      }
      return of(found[0].network)
    }
  }

  private func of(_ network: NetworkChoice) -> Int {
    let description = NetworkDescription(network)
    return switch side {
    case nil: count(description.both)
    case .encoder: count(description.encoder)
    case .decoder: count(description.decoder)
    }
  }
}
