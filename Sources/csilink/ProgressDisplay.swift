import Foundation
import Simulation

/// The rate and the time left of a run on standard error.
final class ProgressDisplay: Sendable {
  private let points: Int
  private let line: ProgressLine

  init(points: Int, isQuiet: Bool) {
    self.points = points
    line = ProgressLine(isQuiet: isQuiet)
  }

  func show(_ progress: RunProgress) { line.show { text(progress) } }

  func finish() { line.finish() }

  private func text(_ progress: RunProgress) -> String {
    let seconds = progress.elapsed.seconds
    let rate = Double(progress.finishedDrops - progress.resumedDrops) / max(seconds, 1e-9)
    let left = Double(progress.totalDrops - progress.finishedDrops) / max(rate, 1e-9)
    return """
      # \(progress.finishedDrops) of at most \(progress.totalDrops) drops at \(points) points, \
      \(String(format: "%.0f", rate)) drops/s, at most \(ProgressLine.clock(left)) left
      """
  }
}
