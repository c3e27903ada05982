import Foundation
import Synchronization

/// A line on standard error that tells how far long work is: rewritten on a terminal, else one line a minute.
final class ProgressLine: Sendable {
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let isQuiet: Bool
  private let lastShown = Mutex<ContinuousClock.Instant?>(nil)

  /// - Parameter isQuiet: nothing is shown.
  init(isQuiet: Bool = false) { self.isQuiet = isQuiet }

  /// Shows the text if it is time for it.
  func show(_ text: () -> String) {
    if isQuiet { return }
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
    if isTerminal, !isQuiet { write("", end: "") }
  }

  private func write(_ text: String, end: String) {
    // A line that wraps could not be written over.
    writeError(isTerminal ? "\r\u{1B}[K\(text.prefix(Self.terminalWidth - 1))\(end)" : text + end)
  }

  /// Columns of the terminal; 80 if it does not say.
  private static var terminalWidth: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 1 else { return 80 }
    return Int(size.ws_col)
  }

  /// Hours, minutes and seconds.
  static func clock(_ seconds: Double) -> String {
    let whole = Int(min(seconds, 359_999))
    return String(format: "%02d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
  }
}
