import Foundation
import Synchronization

/// A line on standard error that tells how far long work is: rewritten on a terminal, else one line a minute.
final class ProgressLine: Sendable {
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let lastShown = Mutex<ContinuousClock.Instant?>(nil)

  /// Shows the text if it is time for it.
  func show(_ text: () -> String) {
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
    if isDue { write(text(), end: isTerminal ? "" : "\n") }
  }

  /// Clears the line of a terminal.
  func finish() {
    if isTerminal { write("", end: "") }
  }

  private func write(_ text: String, end: String) {
    writeError(isTerminal ? "\r\u{1B}[K\(text)\(end)" : text + end)
  }

  /// Hours, minutes and seconds.
  static func clock(_ seconds: Double) -> String {
    let whole = Int(min(seconds, 359_999))
    return String(format: "%02d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
  }
}
