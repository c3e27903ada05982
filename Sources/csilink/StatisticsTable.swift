import Foundation
import Simulation

/// What `--stats` prints: calls and time of each stage, summed over workers.
enum StatisticsTable {
  static func text(_ statistics: StageStatistics) -> String {
    let total = statistics.stages.reduce(0) { $0 + $1.entry.seconds }
    var lines = ["# stage        nodes   calls      seconds   ms/call   share"]
    for stage in statistics.stages {
      let entry = stage.entry
      lines.append(
        "# "
          + stage.section.rawValue.padding(toLength: 11, withPad: " ", startingAt: 0)
          + String(
            format: "%7d %7d %12.3f %9.3f %6.1f%%", stage.nodes, entry.calls, entry.seconds,
            1e3 * entry.seconds / Double(max(entry.calls, 1)),
            100 * entry.seconds / max(total, 1e-12)))
    }
    return lines.joined(separator: "\n")
  }
}
