import Foundation
import Synchronization

/// A program that runs one side of a codec, at the other end of three pipes.
///
/// Everything happens in ``exchange(_:until:)``, which writes to the program while it reads its answer and its messages, so
/// that neither side can block the other. The program has a process group of its own: an interrupt from the terminal
/// reaches only csilink, which ends the program by the end of its standard input, whether it finishes or is killed.
final class CodecProcess: @unchecked Sendable {
  // Sendable: the pool hands a process to one thread at a time.

  /// How a program is started.
  struct Start: Sendable, Hashable {
    let command: [String]
    /// Working directory.
    let directory: String
    let side: String
    /// For the start, and for each batch.
    let timeoutSeconds: Double

    /// Program and arguments in one line.
    var text: String { command.joined(separator: " ") }
  }

  private let start: Start
  private let identifier: pid_t
  private var input: Int32
  private let output, errors: Int32
  private var errorsAreOpen = true
  /// Whether a first answer had the right length.
  var isProven = false
  /// The end of what came through standard error.
  private var messages: [UInt8] = []
  private static let keptMessageBytes = 8192
  /// How long a program may take to end after its standard input has.
  private static let patienceMicroseconds: UInt32 = 2_000_000
  /// No other program may be started between the making of a pipe and the note that programs do not inherit it, or it would
  /// keep the pipe open.
  private static let startLock = Mutex<Void>(())

  /// Starts a program.
  ///
  /// - Throws: ``CodecProcessError`` if the system cannot.
  init(_ start: Start) throws(CodecProcessError) {
    self.start = start
    let (started, pipes, code) = Self.startLock.withLock { _ in Self.spawn(start) }
    guard code == 0 else {
      throw CodecProcessError(
        command: start.text, side: start.side, expected: "a program that can be started",
        found: String(cString: strerror(code)), messages: [],
        hint: "the command runs in the scenario's folder, \(start.directory)")
    }
    identifier = started
    (input, output, errors) = (pipes[0], pipes[1], pipes[2])
    for pipe in pipes { _ = fcntl(pipe, F_SETFL, fcntl(pipe, F_GETFL) | O_NONBLOCK) }
  }

  deinit {
    closeInput()
    var waited: UInt32 = 0
    while waitpid(identifier, nil, WNOHANG) == 0 {
      if waited >= Self.patienceMicroseconds {
        kill(-identifier, SIGKILL)
        _ = waitpid(identifier, nil, 0)
        break
      }
      usleep(1000)
      waited += 1000
    }
    close(output)
    close(errors)
  }

  /// Ends the program's input, which asks it to end.
  func closeInput() {
    if input >= 0 { close(input) }
    input = -1
  }

  /// - Returns: the process, our ends of its standard input, output and error, and an error number, 0 without one.
  private static func spawn(_ start: Start) -> (pid_t, [Int32], Int32) {
    var ends = [Int32](repeating: -1, count: 6)
    func closeAll() { for end in ends where end >= 0 { close(end) } }
    for number in 0..<3 {
      let made = ends[(2 * number)...].withUnsafeMutableBufferPointer { pipe($0.baseAddress!) }
      guard made == 0 else {
        defer { closeAll() }
        return (0, [], errno)
      }
      for end in ends[(2 * number)...(2 * number + 1)] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let theirs = [ends[0], ends[3], ends[5]]
    for (number, end) in theirs.enumerated() {
      posix_spawn_file_actions_adddup2(&actions, end, Int32(number))
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    for ignored in [SIGPIPE, SIGXFSZ, SIGINT, SIGTERM] { sigaddset(&signals, ignored) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    // The shell changes the folder and becomes the program, which keeps the process number.
    let shell = ["sh", "-c", "cd \"$1\" && shift && exec \"$@\"", "sh", start.directory]
    var arguments = (shell + start.command).map { strdup($0) } + [nil]
    defer { arguments.forEach { free($0) } }
    var started = pid_t()
    let code = posix_spawn(&started, "/bin/sh", &actions, &attributes, &arguments, environ)
    guard code == 0 else {
      closeAll()
      return (0, [], code)
    }
    for end in theirs { close(end) }
    return (started, [ends[1], ends[2], ends[4]], 0)
  }

  /// Sends bytes and reads until the answer is complete.
  ///
  /// - Parameters:
  ///   - bytes: what the program reads.
  ///   - expected: what is to come back, for messages.
  ///   - missing: bytes that the answer so far lacks; 0 ends it.
  /// - Returns: the answer.
  /// - Throws: ``CodecProcessError`` if the program ends or takes too long.
  func exchange(
    _ bytes: [UInt8], expecting expected: String,
    missing: ([UInt8]) throws(CodecProcessError) -> Int
  ) throws(CodecProcessError) -> [UInt8] {
    var (sent, answer) = (0, [UInt8]())
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(start.timeoutSeconds)
    var wanted = try missing(answer)
    while wanted > 0 || sent < bytes.count {
      var states = [
        pollfd(fd: sent < bytes.count ? input : -1, events: Int16(POLLOUT), revents: 0),
        pollfd(fd: wanted > 0 ? output : -1, events: Int16(POLLIN), revents: 0),
        pollfd(fd: errorsAreOpen ? errors : -1, events: Int16(POLLIN), revents: 0),
      ]
      let left = deadline - clock.now
      guard left > .zero else {
        throw failure(
          expected,
          "no complete answer after \(Self.seconds(start.timeoutSeconds))"
            + (answer.isEmpty ? "" : ": \(answer.count) of \(answer.count + wanted) bytes"),
          hint: answer.isEmpty
            ? "raise 'timeout' if it needs longer"
            : "raise 'timeout' if it needs longer; is each answer as long as the greeting says?",
          ends: true)
      }
      let ready = poll(&states, 3, Int32(min(left / .milliseconds(1), 1e6).rounded(.up)))
      guard ready > 0 else { continue }
      if states[2].revents != 0 { readMessages() }
      if states[0].revents != 0 {
        let count = bytes[sent...].withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
        if count >= 0 {
          sent += count
        } else if errno != EAGAIN && errno != EINTR {
          throw failure(expected, "it reads no more", ends: false)
        }
      }
      if states[1].revents != 0 {
        var part = [UInt8](repeating: 0, count: min(wanted, 1 << 18))
        let count = read(output, &part, part.count)
        if count > 0 {
          answer += part[..<count]
          wanted = try missing(answer)
        } else if count == 0 || errno != EAGAIN && errno != EINTR {
          throw failure(expected, "the end of its output", ends: false)
        }
      }
    }
    return answer
  }

  /// Refuses output that nobody asked for.
  ///
  /// - Parameters:
  ///   - expected: what was asked for, for messages.
  ///   - milliseconds: how long to wait for it.
  /// - Throws: ``CodecProcessError`` if there is any.
  func requireSilence(_ expected: String, for milliseconds: Int32 = 0) throws(CodecProcessError) {
    var state = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
    guard poll(&state, 1, milliseconds) > 0, Int32(state.revents) & POLLIN != 0 else { return }
    throw failure(
      expected, "more bytes than that",
      hint: "is each answer as long as the greeting says? Standard output belongs to the protocol:"
        + " print to standard error")
  }

  /// Notes the end of what the program has written to standard error.
  private func readMessages() {
    var part = [UInt8](repeating: 0, count: 4096)
    while errorsAreOpen {
      let count = read(errors, &part, part.count)
      if count > 0 {
        messages = Array((messages + part[..<count]).suffix(Self.keptMessageBytes))
      } else {
        errorsAreOpen = count < 0 && (errno == EAGAIN || errno == EINTR)
        return
      }
    }
  }

  /// An error with how the program ended, if it has, and its last lines.
  ///
  /// - Parameter ends: whether the program is to be ended; otherwise it gets a moment to do so by itself.
  func failure(
    _ expected: String, _ found: String, hint: String? = nil, ends: Bool = true
  ) -> CodecProcessError {
    var found = found
    closeInput()
    if ends { kill(-identifier, SIGKILL) }
    if let end = waitForEnd(), !ends { found += ": \(end)" }
    readMessages()
    let lines = String(decoding: messages, as: UTF8.self)
      .split(whereSeparator: \.isNewline).suffix(10).map { $0.onScreen }
    return CodecProcessError(
      command: start.text, side: start.side, expected: expected, found: found, messages: lines,
      hint: hint)
  }

  /// How the program ended, left to be collected; nil if it runs on for another while.
  private func waitForEnd() -> String? {
    for _ in 0..<1000 {
      var information = siginfo_t()
      let ended =
        waitid(P_PID, id_t(identifier), &information, WEXITED | WNOHANG | WNOWAIT) == 0
        && information.si_signo == SIGCHLD
      if ended {
        let status = information.exitStatus
        switch Int(information.si_code) {
        case Int(CLD_EXITED): return "it ended with exit code \(status)"
        default: return "signal \(status) ended it"
        }
      }
      usleep(1000)
    }
    return nil
  }

  private static func seconds(_ value: Double) -> String {
    value == value.rounded() ? "\(Int(value)) s" : "\(value) s"
  }
}

extension siginfo_t {
  /// Exit code or signal of a process that ended.
  fileprivate var exitStatus: Int32 {
    #if canImport(Glibc)
      _sifields._sigchld.si_status
    #else
      si_status
    #endif
  }
}

extension Substring {
  /// Fit for a terminal: at most 300 characters, control characters replaced.
  fileprivate var onScreen: String {
    String(
      prefix(300).map { character in
        character.unicodeScalars.contains { $0.properties.generalCategory == .control }
          && character != "\t" ? "\u{FFFD}" : character
      })
  }
}
