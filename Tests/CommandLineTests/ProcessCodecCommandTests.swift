import Foundation
import Testing

/// Codecs that are programs of their own, run by the program.
@Suite(.enabled(if: hasNumPy)) struct ProcessCodecCommandTests {
  /// The example as it lies in the repository.
  private static func example() throws -> TestFolder {
    let folder = try TestFolder()
    let source = Repository.root.appending(path: "Examples/ProcessCodec").path
    for name in ["codec.py", "csilink_codec.py", "own-codec.yaml"] {
      try folder.write(Data(contentsOf: URL(filePath: "\(source)/\(name)")), to: name)
    }
    return folder
  }

  private static let few = ["--set", "run.drops=24", "--set", "quantizer.fit.drops=40"]

  /// The table of the example does not depend on the number of threads, which is that of the processes.
  @Test func theExampleRuns() throws {
    let folder = try Self.example()
    var reports: [Data] = []
    for threads in ["1", "3"] {
      let result = try Program.run(
        ["run", "own-codec.yaml", "--threads", threads, "--output", "o\(threads)"]
          + ["--set", "run.block=4"] + Self.few, in: folder)
      #expect(result.status == 0, "\(result)")
      #expect(result.output.contains("process"), "\(result)")
      reports.append(try folder.read("o\(threads)/report.csv"))
    }
    #expect(reports[0] == reports[1])
  }

  /// Programs of a run that was killed end too, and the same command goes on to the same bytes; another program is another codec.
  @Test func aKilledRunLeavesNoProcess() throws {
    let folder = try Self.example()
    let text = String(decoding: try folder.read("codec.py"), as: UTF8.self)
    let noting = "import os, time\nopen('pids', 'a').write(f'{os.getpid()}\\n')\n"
    try folder.write(Data((noting + text).utf8), to: "codec.py")
    let arguments =
      ["run", "own-codec.yaml", "--threads", "2", "--output", "o", "--set", "run.block=2"]
      + Self.few
    let run = try Program.start(arguments, in: folder)
    try run.wait { folder.has("pids") && folder.has("o/fitted") }
    run.send(SIGKILL)
    #expect(try run.wait().signal == SIGKILL)
    let pids = String(decoding: try folder.read("pids"), as: UTF8.self)
      .split(separator: "\n").compactMap { pid_t($0) }
    #expect(!pids.isEmpty)
    for pid in pids { while Self.isRunning(pid) { usleep(1000) } }
    #expect(try Program.run(arguments, in: folder).status == 0)
    let whole = try Program.run(
      arguments.map { $0 == "o" ? "whole" : $0 }, in: folder)
    #expect(whole.status == 0, "\(whole)")
    #expect(try folder.read("o/report.csv") == folder.read("whole/report.csv"))
  }

  /// A process that has ended but whose parent has not looked is no longer running.
  private static func isRunning(_ pid: pid_t) -> Bool {
    guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
      let end = stat.lastIndex(of: ")")
    else { return false }
    return !stat[end...].hasPrefix(") Z")
  }

  /// A program that fails is an error of the run, with its own last words.
  @Test func aFailingProgramIsAnError() throws {
    let folder = try Self.example()
    try folder.write(
      Data("raise SystemExit('no weights for this image')".utf8), to: "codec.py")
    let result = try Program.run(["run", "own-codec.yaml", "--output", "o"] + Self.few, in: folder)
    #expect(result.status == 1)
    #expect(
      result.errors.contains(
        "codec process 'python3 codec.py' (encoder): expected the line 'ready'"),
      "\(result)")
    #expect(result.errors.contains("| no weights for this image"), "\(result)")
    let missing = try Program.run(
      ["check", "own-codec.yaml"]
        + ["--set", "sweep.codec=[{type: process, command: [no-such-program]}]"], in: folder)
    #expect(missing.status == 2, "\(missing)")
  }
}

/// Whether `python3` of this machine has NumPy.
let hasNumPy: Bool = {
  guard let folder = try? TestFolder() else { return false }
  let result = try? Program.run(["python3", "-c", "import numpy"], in: folder, program: "env")
  return result?.status == 0
}()
