import Foundation
import Synchronization

/// Standard input, output and error as the caller left them: perhaps closed, full or without a reader.
enum StandardStreams {
  /// Why something that was printed could not be written; 0 if all was.
  private static let outputFailure = Atomic<Int32>(0)

  /// Makes closed streams the null device, so that no file gets their numbers, and failing writes an error instead of
  /// the end of the process. To be called before anything is opened.
  static func prepare() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest free number is taken.
      _ = open("/dev/null", O_RDWR)
    }
    for ignored in [SIGPIPE, SIGXFSZ] { signal(ignored, SIG_IGN) }
  }

  /// Tells whether everything printed was written; a reader who has gone wants no more of it.
  static func finishOutput() -> Bool {
    let reason = outputFailure.load(ordering: .relaxed)
    guard reason != 0 && reason != EPIPE else { return true }
    printError(
      "standard output: expected room to write, found \(String(cString: strerror(reason)))")
    return false
  }

  fileprivate static func writeOutput(_ text: String) {
    guard outputFailure.load(ordering: .relaxed) == 0 else { return }
    outputFailure.store(write(text, to: STDOUT_FILENO), ordering: .relaxed)
  }

  /// - Returns: the error number; 0 if all was written.
  fileprivate static func write(_ text: String, to descriptor: Int32) -> Int32 {
    let bytes = Array(text.utf8)
    var done = 0
    while done < bytes.count {
      let count = bytes[done...].withUnsafeBytes {
        Foundation.write(descriptor, $0.baseAddress, $0.count)
      }
      if count >= 0 {
        done += count
      } else if errno == EAGAIN {
        var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&state, 1, -1)
      } else if errno != EINTR {
        return errno
      }
    }
    return 0
  }
}

/// Writes a line to standard output. Swift's own `print` does not tell of failures.
func print(_ item: Any) { StandardStreams.writeOutput("\(item)\n") }

/// Writes a line to standard error.
func printError(_ text: String) { writeError(text + "\n") }

/// Writes to standard error; a message that cannot be written is lost.
func writeError(_ text: String) { _ = StandardStreams.write(text, to: STDERR_FILENO) }
