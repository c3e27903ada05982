import Foundation
import TestSupport

/// The csilink program of this build, run as a process.
enum Program {
  /// It lies beside the test bundle.
  static let path = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent().appending(path: "csilink").path

  struct Output: CustomStringConvertible {
    /// Exit code; nil if a signal ended the process.
    let status: Int32?
    let signal: Int32?
    /// Standard output and standard error.
    let output, errors: String

    var description: String {
      "status \(status.map(String.init) ?? "none"), signal \(signal.map(String.init) ?? "none")\n"
        + "\(output)\n\(errors)"
    }
  }

  /// Runs the program in a folder until it ends.
  ///
  /// - Parameter program: another program in its place.
  static func run(_ arguments: [String], in folder: TestFolder, program: String = path) throws
    -> Output
  {
    try RunningProgram(program, arguments, folder).wait()
  }

  static func run(_ arguments: String..., in folder: TestFolder) throws -> Output {
    try run(arguments, in: folder)
  }

  /// Runs the program with variables added to the environment.
  static func run(
    _ arguments: [String], in folder: TestFolder, environment: [String: String]
  ) throws -> Output {
    try RunningProgram(path, arguments, folder, environment).wait()
  }

  /// Starts the program in a folder; its output goes to files there.
  static func start(_ arguments: [String], in folder: TestFolder) throws -> RunningProgram {
    try RunningProgram(path, arguments, folder)
  }
}

/// A process that has been started and must be waited for.
final class RunningProgram {
  struct Failure: Error { let code: Int32 }

  private let process: pid_t
  private let log: String
  /// What `waitpid` said; nil while the process runs.
  private var state: Int32?

  fileprivate init(
    _ path: String, _ arguments: [String], _ folder: TestFolder, _ added: [String: String] = [:]
  ) throws {
    log = "\(folder.path)/log-\(UUID().uuidString)"
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (descriptor, name) in [(1, "\(log).out"), (2, "\(log).err")] {
      posix_spawn_file_actions_addopen(
        &actions, Int32(descriptor), name, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    // Threads of a test may block signals; the program must not inherit that.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    // A crash must end at once, not wait for a debugger.
    let environment = ProcessInfo.processInfo.environment
      .merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }.merging(added) { $1 }
      .map { "\($0)=\($1)" }
    var started = pid_t()
    // The shell changes the folder and becomes the program, which keeps the process number.
    let shell = ["sh", "-c", "cd \"$1\" && shift && exec \"$@\"", "sh", folder.path, path]
    let code = withCStrings(shell + arguments) { arguments in
      withCStrings(environment) {
        posix_spawn(&started, "/bin/sh", &actions, &attributes, arguments, $0)
      }
    }
    guard code == 0 else { throw Failure(code: code) }
    process = started
  }

  func send(_ signal: Int32) { kill(process, signal) }

  /// Waits until the condition holds or the process has ended.
  func wait(until condition: () -> Bool) throws {
    while !condition(), try poll(WNOHANG) == nil { usleep(1000) }
  }

  func wait() throws -> Program.Output {
    var state: Int32?
    repeat { state = try poll(0) } while state == nil
    let signal = state! & 0x7f
    return Program.Output(
      status: signal == 0 ? (state! >> 8) & 0xff : nil, signal: signal == 0 ? nil : signal,
      output: try String(contentsOfFile: "\(log).out", encoding: .utf8),
      errors: try String(contentsOfFile: "\(log).err", encoding: .utf8))
  }

  private func poll(_ options: Int32) throws -> Int32? {
    var now: Int32 = 0
    guard state == nil else { return state }
    let ended = waitpid(process, &now, options)
    guard ended >= 0 || errno == EINTR else { throw Failure(code: errno) }
    if ended == process { state = now }
    return state
  }
}

/// Calls the body with a null-terminated array of C strings.
private func withCStrings<R>(
  _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R
) -> R {
  let copies = strings.map { strdup($0) } + [nil]
  defer { copies.forEach { free($0) } }
  return body(copies)
}

/// A folder that is removed with everything in it when the test is over.
final class TestFolder {
  let path: String

  /// - Parameter files: their names and texts.
  init(_ files: [String: String] = [:]) throws {
    path =
      FileManager.default.temporaryDirectory
      .appending(path: "csilink-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for (name, text) in files { try write(Data(text.utf8), to: name) }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Folders on the way are made.
  func write(_ data: Data, to name: String) throws {
    let file = URL(filePath: "\(path)/\(name)")
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: file)
  }

  func read(_ name: String) throws -> Data {
    try Data(contentsOf: URL(filePath: "\(path)/\(name)"))
  }

  func text(_ name: String) throws -> String { String(decoding: try read(name), as: UTF8.self) }

  func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }

  /// Bytes of a file; 0 if it does not exist.
  func size(_ name: String) -> Int {
    let attributes = try? FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")
    return (attributes?[.size] as? NSNumber)?.intValue ?? 0
  }
}

/// Files of the repository.
enum Repository {
  static func scenario(_ name: String) -> String {
    fixtures.appending(path: "scenarios/\(name).yaml").path
  }

  static let root = fixtures.deletingLastPathComponent().deletingLastPathComponent()

  static func dataset(_ name: String) throws -> Data {
    try Data(contentsOf: fixtures.appending(path: "datasets/\(name)"))
  }
}
