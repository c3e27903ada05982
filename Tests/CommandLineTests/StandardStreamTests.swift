import Foundation
import Testing

/// Standard streams that are closed, full or without a reader.
@Suite struct StandardStreamTests {
  private static let scenario = """
    link:
      grid: {tones: 16}
      channel: {type: rayleigh, ports: 4}
      transform: {taps: 4}
      codec: {type: pca, compression: 8, fit.drops: 100}
      precoder: {type: mrt, snr_db: 10}
    sweep:
      pilots.snr_db: [0, 10]
    run: {drops: 8, block: 4}
    """

  /// Runs a shell command line in which `$0` is the program.
  ///
  /// - Returns: the exit code, 128 and the signal if it was killed.
  private func shell(_ command: String, in folder: TestFolder) throws -> Int32 {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = ["-c", command, Program.path]
    process.currentDirectoryURL = URL(filePath: folder.path)
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    process.environment = ProcessInfo.processInfo.environment
      .merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
      + (process.terminationReason == .uncaughtSignal ? 128 : 0)
  }

  /// The results are those of a run with all streams.
  @Test(arguments: [
    "2>&-", "1>&-", "0<&-", "0<&- 1>&- 2>&-", "2>/dev/full", "1>&- 2>/dev/full",
    "2> >(exec 0<&-; true)", "| true", "| head -n 1", "2>&1 | head -c 1",
  ]) func resultsAreKept(_ streams: String) throws {
    let folder = try TestFolder(["s.yaml": Self.scenario])
    // One thread: with more, blocks enter the journal as they are finished.
    let run = "\"$0\" run s.yaml --fresh --threads 1 --output"
    #expect(try shell("\(run) good", in: folder) == 0)
    #expect(try shell("set -o pipefail; \(run) out \(streams)", in: folder) == 0)
    #expect(try folder.read("out/report.csv") == folder.read("good/report.csv"))
    #expect(try folder.read("out/journal.log") == folder.read("good/journal.log"))
    for file in ["plots.gp", "manifest.json"] { #expect(folder.has("out/\(file)")) }
  }

  /// Without messages there is no way to tell, but the exit code stays that of the error.
  @Test(arguments: ["2>&-", "2>/dev/full", "1>&- 2>&-", "2>&1 | true"])
  func errorsKeepTheirCode(_ streams: String) throws {
    let folder = try TestFolder(["s.yaml": Self.scenario.replacing("rayleigh", with: "raleigh")])
    for (command, code) in [("check s.yaml", 2), ("data describe none.npy", 1), ("nonsense", 2)] {
      let status = try shell("set -o pipefail; \"$0\" \(command) \(streams)", in: folder)
      #expect(status == Int32(code), "\(command) \(streams)")
    }
  }

  /// What is printed on a full device is lost: the program says so. A reader that has seen enough is no error.
  @Test func outputThatCannotBeWritten() throws {
    let folder = try TestFolder(["s.yaml": Self.scenario])
    for command in [
      "list", "--help", "--version", "check s.yaml", "inspect", "run s.yaml --output out",
    ] {
      #expect(try shell("\"$0\" \(command) > /dev/full 2> err", in: folder) == 1, "\(command)")
      #expect(
        try folder.text("err").contains("standard output: expected room to write"), "\(command)")
      for reader in ["true", "head -n 1"] {
        let line = "set -o pipefail; \"$0\" \(command) 2> err | \(reader)"
        #expect(try shell(line, in: folder) == 0, "\(command) | \(reader)")
        #expect(!(try folder.text("err").contains("standard output")))
      }
    }
    #expect(folder.has("out/report.csv"))
  }

  /// A limit on the size of files ends no process, and no half-written result appears.
  @Test(arguments: ["a.npy", "a.npz", "a.mat", "a.csv", "a.safetensors"])
  func filesThatBecomeTooLarge(_ name: String) throws {
    let folder = try TestFolder(["s.yaml": Self.scenario])
    let command = "\"$0\" data generate s.yaml --drops 4000 -o \(name) 2> err"
    #expect(try shell("ulimit -f 16; \(command)", in: folder) == 1)
    #expect(try folder.text("err").contains("expected room to write, found File too large"))
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(!names.contains { $0 == name || $0.hasSuffix(".tmp") }, "\(names)")
  }

  @Test func journalsThatBecomeTooLarge() throws {
    let folder = try TestFolder(["s.yaml": Self.scenario])
    let command = "\"$0\" run s.yaml --set run.drops=4000 --output out"
    #expect(try shell("ulimit -f 24; \(command) 2> err", in: folder) == 1)
    let errors = try folder.text("err")
    #expect(errors.contains("out/journal.log") && errors.contains("File too large"), "\(errors)")
    #expect(!folder.has("out/report.csv"))
    #expect(try shell(command, in: folder) == 0)
    #expect(try shell("\(command)2", in: folder) == 0)
    #expect(try folder.read("out/report.csv") == folder.read("out2/report.csv"))
  }
}
