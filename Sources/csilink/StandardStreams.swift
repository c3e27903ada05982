import Foundation

#if canImport(Glibc)
  @preconcurrency import Glibc
#endif

/// Standard input, output and error as the caller left them: perhaps closed, full or without a reader.
enum StandardStreams {
  /// Makes closed streams the null device, so that no file gets their numbers, and failing writes an error instead of
  /// the end of the process. To be called before anything is opened.
  static func prepare() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest free number is taken.
      _ = open("/dev/null", O_RDWR)
    }
    for ignored in [SIGPIPE, SIGXFSZ] { signal(ignored, SIG_IGN) }
  }

  /// Writes out what was printed.
  ///
  /// - Returns: false if it could not be written; true if its reader has gone, who wants no more of it.
  static func finishOutput() -> Bool {
    let isFlushed = fflush(stdout) == 0
    let reason = errno
    guard !isFlushed || ferror(stdout) != 0 else { return true }
    var state = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
    if reason == EPIPE || (poll(&state, 1, 0) > 0 && state.revents & Int16(POLLERR) != 0) {
      return true
    }
    let words = isFlushed ? "a write failed" : String(cString: strerror(reason))
    printError("standard output: expected room to write, found \(words)")
    return false
  }
}

/// Writes a line to standard error.
func printError(_ text: String) { writeError(text + "\n") }

/// Writes to standard error; a message that cannot be written is lost.
func writeError(_ text: String) {
  var bytes = Array(text.utf8)[...]
  while !bytes.isEmpty {
    let count = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    if count > 0 {
      bytes = bytes.dropFirst(count)
    } else if errno == EAGAIN {
      var state = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
      poll(&state, 1, -1)
    } else if errno != EINTR {
      return
    }
  }
}
