import Simulation

/// `plots.dat`: one block per curve, blocks divided by two empty lines, as gnuplot's `index` counts them.
struct PlotData {
  static let fileName = "plots.dat"
  static let columns = [
    "x", "nmse_db", "nmse_db_low", "nmse_db_high", "rate", "rate_low", "rate_high", "rate_perfect",
  ]

  let curves: PlotCurves

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
    lines.append("# " + Self.columns.joined(separator: " "))
    for (x, point) in curve.points {
      let nmse = point.nmseDBInterval
      let low = nmse.map { $0.lowerBound == -.infinity ? "-inf" : field($0.lowerBound) } ?? "NaN"
      let numbers = [
        field(x + dodge(index)), field(point.nmseDB), low, field(nmse?.upperBound),
        field(point.rate), field(point.rateInterval?.lowerBound),
        field(point.rateInterval?.upperBound), field(point.perfectRate),
      ]
      lines.append(numbers.joined(separator: " "))
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
