import ArgumentParser
import Foundation
import TestSupport

/// Reads damaged files of every kind in child processes: none may end by a signal, hang or take absurd memory.
@main
struct ReaderFuzz: ParsableCommand {
  @Option(help: "Damaged files of each kind.") var mutations = 20_000
  @Option(help: "Number of the first one.") var first = 0
  @Option(parsing: .upToNextOption, help: "Kinds; all if left out.") var kinds: [String] = []
  @Option(help: "Folder that keeps the files that were not survived.") var keep: String?
  @Flag(help: .hidden) var worker = false

  /// Longest time for one file.
  private static let seconds: Int32 = 20

  func run() throws {
    let known = Kind.allCases.map(\.rawValue)
    if let wrong = kinds.first(where: { !known.contains($0) }) {
      throw ValidationError("no kind '\(wrong)'; known: \(known.joined(separator: ", "))")
    }
    let chosen = kinds.isEmpty ? Kind.allCases : kinds.map { Kind(rawValue: $0)! }
    if worker { return try work(chosen[0]) }
    var failures = 0
    for kind in chosen { failures += try supervise(kind) }
    if failures > 0 { throw ExitCode(1) }
  }

  /// Reads one file after another and tells of each.
  private func work(_ kind: Kind) throws {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "fuzz-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let subject = try kind.subject(in: folder)
    Self.limitMemory(kind.memory)
    for index in first..<first + mutations {
      tell("start \(index)")
      let name = try subject.place(mutation: index)
      do {
        try subject.read(name)
        tell("accepted")
      } catch {
        let text = "\(error)"
        tell(text.contains("found damage that") ? "stopped \(text)" : "refused")
      }
    }
  }

  private static func limitMemory(_ memory: UInt64) {
    guard
      let pages = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        .split(separator: " ").first.flatMap({ UInt64($0) })
    else { return }
    var limit = rlimit()
    limit.rlim_max = rlim_t.max
    limit.rlim_cur = rlim_t(pages * UInt64(sysconf(Int32(_SC_PAGESIZE))) + memory)
    setrlimit(__rlimit_resource_t(9), &limit)
  }

  /// Starts workers until all files were read.
  ///
  /// - Returns: how many were not survived.
  private func supervise(_ kind: Kind) throws -> Int {
    var (next, refused, failures) = (first, 0, 0)
    let clock = ContinuousClock()
    let began = clock.now
    while next < first + mutations {
      let end = try Worker(kind, next, first + mutations - next).wait(Self.seconds)
      refused += end.refused
      next = end.last + 1
      guard let problem = end.problem else { continue }
      failures += 1
      tell("\(kind.rawValue): mutation \(end.last): \(problem)")
      if let keep { try save(kind, end.last, to: keep) }
    }
    let seconds = (clock.now - began) / .seconds(1)
    tell(
      "\(kind.rawValue): \(mutations) files, \(refused) refused, \(failures) not survived, "
        + String(format: "%.0f s", seconds))
    return failures
  }

  private func save(_ kind: Kind, _ index: Int, to folder: String) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let temporary = "\(folder)/\(kind.rawValue)-\(index)"
    try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
    _ = try kind.subject(in: temporary).place(mutation: index)
  }
}

/// A process that reads damaged files.
private struct Worker {
  struct End {
    var last: Int
    var refused = 0
    /// How the process failed; nil if it did not.
    var problem: String?
  }

  private let process = Process()
  private let output = Pipe()
  private let first: Int

  init(_ kind: Kind, _ first: Int, _ count: Int) throws {
    self.first = first
    process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = [
      "--worker", "--kinds", kind.rawValue, "--first", "\(first)", "--mutations", "\(count)",
    ]
    process.environment = ProcessInfo.processInfo.environment
      .merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
  }

  func wait(_ seconds: Int32) -> End {
    var end = End(last: first - 1)
    var pending = Data()
    let descriptor = output.fileHandleForReading.fileDescriptor
    var isHung = false
    while true {
      var source = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&source, 1, seconds * 1000) > 0 else {
        isHung = true
        kill(process.processIdentifier, SIGKILL)
        break
      }
      let piece = output.fileHandleForReading.availableData
      if piece.isEmpty { break }
      pending += piece
      while let newline = pending.firstIndex(of: 0x0A) {
        let line = String(decoding: pending[..<newline], as: UTF8.self)
        pending = Data(pending[(newline + 1)...])
        if line.hasPrefix("start ") { end.last = Int(line.dropFirst(6)) ?? end.last }
        if line == "refused" || line.hasPrefix("stopped ") { end.refused += 1 }
        if line.hasPrefix("stopped ") { tell("mutation \(end.last): \(line)") }
      }
    }
    process.waitUntilExit()
    if isHung {
      end.problem = "no progress in \(seconds) s"
    } else if process.terminationReason == .uncaughtSignal {
      end.problem = "ended by signal \(process.terminationStatus)"
    } else if process.terminationStatus != 0 {
      end.problem = "exit code \(process.terminationStatus)"
    }
    if end.problem != nil && end.last < first { end.last = first }
    return end
  }
}

/// Writes a line at once.
private func tell(_ text: String) {
  FileHandle.standardOutput.write(Data("\(text.replacing("\n", with: " "))\n".utf8))
}
