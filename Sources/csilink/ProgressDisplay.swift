import Foundation
import Simulation
import Synchronization

/// The rate and the time left of a run on standard error: a line that is rewritten on a terminal, else one line a minute.
final class ProgressDisplay: Sendable {
  private let points: Int
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let lastShown = Mutex<ContinuousClock.Instant?>(nil)

  init(points: Int) { self.points = points }

  func show(_ progress: RunProgress) {
    let interval: Duration = isTerminal ? .milliseconds(200) : .seconds(60)
    let now = ContinuousClock().now
    let isDue = lastShown.withLock { last in
      // Without a terminal the first line comes after a minute, so that short runs stay silent.
      guard let previous = last else {
        last = now
        return isTerminal
      }
      guard now - previous >= interval else { return false }
      last = now
      return true
    }
    if isDue { write(line(progress), end: isTerminal ? "" : "\n") }
  }

  func finish() {
    if isTerminal { write("", end: "") }
  }

  private func write(_ text: String, end: String) {
    let line = isTerminal ? "\r\u{1B}[K\(text)\(end)" : text + end
    FileHandle.standardError.write(Data(line.utf8))
  }

  private func line(_ progress: RunProgress) -> String {
    let seconds = progress.elapsed.seconds
    let rate = Double(progress.finishedDrops - progress.resumedDrops) / max(seconds, 1e-9)
    let left = Double(progress.totalDrops - progress.finishedDrops) / max(rate, 1e-9)
    return """
      # \(progress.finishedDrops) of at most \(progress.totalDrops) drops at \(points) points, \
      \(String(format: "%.0f", rate)) drops/s, at most \(ProgressDisplay.clock(left)) left
      """
  }

  private static func clock(_ seconds: Double) -> String {
    let whole = Int(min(seconds, 359_999))
    return String(format: "%02d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
  }
}
