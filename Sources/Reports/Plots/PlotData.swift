import Simulation

/// `plots.dat`: one block per curve, blocks divided by two empty lines, as gnuplot's `index` counts them.
struct PlotData {
  static let fileName = "plots.dat"

  let curves: PlotCurves
  let quantities: [PlotQuantity]

  private var columns: [Column] { quantities.flatMap(\.columns) }

  /// Place of a column in the lines, counted from one; `x` is the first.
  func place(of column: Column) -> Int {
    columns.firstIndex { $0.name == column.name }! + 2
  }

  var text: String {
    var blocks = curves.curves.indices.map(block)
    if let bound = curves.commonBound {
      let lines = bound.map { "\(field($0.x)) \(field($0.rate))" }
      blocks.append((["# index \(blocks.count): perfect CSI", "# x rate"] + lines))
    }
    return "# Lines of the plots in plots.gp; NaN: no finite value. Intervals are 95 %.\n"
      + blocks.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n\n")
  }

  /// Index of the block with the common bound.
  var boundIndex: Int { curves.curves.count }

  private func block(_ index: Int) -> [String] {
    let curve = curves.curves[index]
    var lines = ["# index \(index): \(curve.label)"]
    if !curve.dependsOnAxis {
      lines.append("# the first swept key does not apply: one point, drawn across the plot")
    }
    lines.append("# x " + columns.map(\.name).joined(separator: " "))
    let lowerEnds = Set(quantities.compactMap { $0.ends?.low.name })
    for (x, point) in curve.points {
      let numbers = columns.map { column in
        let value = point[column]
        return value == -.infinity && lowerEnds.contains(column.name) ? "-inf" : field(value)
      }
      lines.append(([field(x + dodge(index))] + numbers).joined(separator: " "))
    }
    return lines
  }

  /// Curves over categories stand side by side.
  private func dodge(_ index: Int) -> Double {
    guard !curves.axis.isNumeric else { return 0 }
    return (Double(index) - Double(curves.curves.count - 1) / 2) * dodgeStep
  }

  var dodgeStep: Double { min(0.12, 0.8 / Double(curves.curves.count)) }

  private func field(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "NaN" }
    return numberText(value)
  }
}
