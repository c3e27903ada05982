import Codecs
import ComplexModule
import DataFiles
import Foundation
import LinkMath
import Parts
import Synchronization
import TestSupport
import Testing

/// A folder with programs, removed with the test.
private final class ProgramFolder {
  let path = FileManager.default.temporaryDirectory
    .appending(path: "csilink-process-\(UUID().uuidString)").path

  init(_ files: [String: String] = [:]) throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for (name, text) in files {
      try text.write(toFile: "\(path)/\(name)", atomically: true, encoding: .utf8)
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func codec(
    _ command: [String], taps: Int = 4, angles: Int = 3, timeout: Double = 60,
    more: [String: Setting] = [:]
  ) throws -> ProcessCodec {
    var context = context(taps: taps, angles: angles)
    context.directory = path
    let given: [String: Setting] = [
      "command": .list(command.map { .text($0) }), "timeout": .number(timeout),
    ]
    let settings = try ProcessCodec.schema.settings(given.merging(more) { $1 })
    return try ProcessCodec(settings, in: context)
  }
}

/// The protocol without NumPy; `body` sees `hello`, and answers `count` samples of `values` (bytes) with `answer`.
private func program(_ body: String, start: String = "") -> String {
  """
  import json, os, signal, struct, sys, time
  source, sink = sys.stdin.buffer, sys.stdout.buffer
  hello = json.loads(source.readline())
  a, b = hello["image"][0] * hello["image"][1] * hello["image"][2], hello["codeword"]
  if hello["side"] == "decoder": a, b = b, a
  \(start)
  sink.write(b"ready\\n"); sink.flush()
  while True:
    head = source.read(4)
    if len(head) < 4: break
    count = struct.unpack("<I", head)[0]
    values = source.read(4 * a * count)
    \(body)
    sink.write(answer); sink.flush()

  """
}

private let hasPython = ["/usr/bin/python3", "/usr/local/bin/python3"].contains {
  FileManager.default.isExecutableFile(atPath: $0)
}

@Suite(.enabled(if: hasPython)) struct ProcessCodecTests {
  /// Twice the values on the way there, half of them on the way back: both sides and the image map are seen.
  private static let double = program(
    "factor = 2 if hello['side'] == 'encoder' else 0.5;"
      + " x = [factor * v for v in struct.unpack('<%df' % (a * count), values)];"
      + " answer = head + struct.pack('<%df' % (b * count), *x)")

  /// The program sees what networks see, in order, whatever thread asks.
  @Test func everyThreadGetsItsAnswers() throws {
    let folder = try ProgramFolder(["double.py": Self.double])
    let codec = try folder.codec(
      ["python3", "double.py"], more: ["length": .integer(24)])
    let pool = WorkerPool(threadCount: 3)
    let started = Mutex(0)
    try pool.forEach(12) { index, _ in
      let csi = gaussianCSI(drops: 1 + index, taps: 4, angles: 3, instance: index)
      let codeword = try codec.encode(csi)
      let images = CSIImages.images(csi).elements
      #expect(codeword.values.elements == images.map { 2 * $0 })
      #expect(codeword.values.shape == [1 + index, 24])
      let back = try codec.decode(codeword)
      #expect(back == CSIImages.csi(CSIImages.images(csi)))
      started.withLock { $0 += 1 }
    }
    #expect(started.withLock { $0 } == 12)
  }

  /// Answers longer than a pipe holds, to a program that answers while it reads, and messages longer than a pipe holds.
  @Test func nothingBlocks() throws {
    let chatty = program(
      "sys.stderr.write('x' * 300000); sys.stderr.flush();"
        + " answer = head + values[:4 * b * count]")
    let streaming = """
      import json, struct, sys
      source, sink = sys.stdin.buffer, sys.stdout.buffer
      hello = json.loads(source.readline())
      sink.write(b"ready\\n"); sink.flush()
      while head := source.read(4):
        sink.write(head)
        for _ in range(struct.unpack("<I", head)[0]):
          sink.write(source.read(4 * hello["codeword"])); sink.flush()

      """
    let folder = try ProgramFolder(["chatty.py": chatty, "streaming.py": streaming])
    let csi = gaussianCSI(drops: 40, taps: 32, angles: 16)
    for name in ["chatty.py", "streaming.py"] {
      let codec = try folder.codec(
        ["python3", name], taps: 32, angles: 16, more: ["length": .integer(1024)])
      for _ in 0..<2 {
        #expect(try codec.encode(csi).values.elements == CSIImages.images(csi).elements)
      }
    }
  }

  /// What goes wrong, and what the message must say.
  struct Fault: CustomTestStringConvertible, Sendable {
    let name: String
    var body = "answer = head + values[:4 * b * count]"
    var start = ""
    let says: [String]
    var testDescription: String { name }
  }

  private static let faults = [
    Fault(
      name: "ends", start: "sys.stderr.write('line 1\\nno such weights\\n'); sys.exit(3)",
      says: ["'ready'", "it ended with exit code 3", "| no such weights"]),
    Fault(
      name: "dies", body: "os.kill(os.getpid(), signal.SIGKILL)",
      says: ["2 codewords of 12 values", "signal 9"]),
    Fault(name: "raises", body: "1/0", says: ["exit code 1", "ZeroDivisionError"]),
    Fault(
      name: "stops early", body: "sink.write(head + values[:8]); sink.flush(); sys.exit(0)",
      says: ["2 codewords of 12 values", "the end of its output", "exit code 0"]),
    Fault(
      name: "prints", body: "print('batch', flush=True); answer = head + values[:4 * b * count]",
      says: ["2 codewords", "print to standard error"]),
    Fault(
      name: "greets", start: "print('Loading', flush=True)",
      says: ["'ready'", "found 'Loading'", "print to standard error"]),
    Fault(
      name: "counts wrongly", body: "answer = struct.pack('<I', 7) + values",
      says: ["found the count 7"]),
    Fault(
      name: "answers too much", body: "answer = head + values[:4 * b * count] + bytes(8)",
      says: ["2 codewords of 12 values, found more bytes than that", "as long as the greeting"]),
    Fault(
      name: "adds to its first answer",
      body:
        "sink.write(head + values[:4 * b * count]); sink.flush(); time.sleep(0.001); answer = bytes(4)",
      says: ["2 codewords of 12 values, found more bytes than that"]),
    Fault(
      name: "not finite",
      body: "answer = head + struct.pack('<%df' % (b * count), *[0] * 13, float('nan'), *[0] * 10)",
      says: ["the value nan at place 1 of sample 1"]),
  ]

  @Test(arguments: faults) func faultsAreErrors(_ fault: Fault) throws {
    let folder = try ProgramFolder([
      "codec.py": program(fault.body, start: fault.start)
    ])
    let codec = try folder.codec(["python3", "codec.py"], more: ["length": .integer(12)])
    let error = #expect(throws: CodecProcessError.self) {
      try codec.encode(gaussianCSI(drops: 2, taps: 4, angles: 3))
    }
    let text = "\(error.map { "\($0)" } ?? "")"
    #expect(text.hasPrefix("codec process 'python3 codec.py' (encoder): expected "))
    for part in fault.says { #expect(text.contains(part), "\(text)") }
  }

  /// Values that are missing keep the answer open until time is up; the message counts what came.
  @Test func answersThatAreTooShort() throws {
    let folder = try ProgramFolder([
      "codec.py": program("answer = head + values[:4 * (b * count - 1)]")
    ])
    let codec = try folder.codec(
      ["python3", "codec.py"], timeout: 2, more: ["length": .integer(12)])
    let error = #expect(throws: CodecProcessError.self) {
      try codec.encode(gaussianCSI(drops: 2, taps: 4, angles: 3))
    }
    #expect(error?.found == "no complete answer after 2 s: 96 of 100 bytes")
    #expect(error?.hint?.contains("as long as the greeting says") == true)
  }

  @Test func aProgramThatIsLateIsEnded() throws {
    let folder = try ProgramFolder()
    let codec = try folder.codec(["sleep", "1000"], timeout: 0.05)
    let error = #expect(throws: CodecProcessError.self) {
      try codec.encode(gaussianCSI(drops: 1, taps: 4, angles: 3))
    }
    #expect(error?.found == "no complete answer after 0.05 s")
    #expect(error?.hint?.contains("timeout") == true)
  }

  /// A wild codeword may decode to anything; a tame one may not.
  @Test func valuesBeyondSinglePrecision() throws {
    let folder = try ProgramFolder([
      "codec.py": program("answer = head + struct.pack('<%df' % (b * count), *[1e20] * b * count)")
    ])
    let codec = try folder.codec(["python3", "codec.py"], more: ["length": .integer(12)])
    func decode(_ value: Float) throws -> ComplexArray {
      try codec.decode(Codeword(values: RealArray(repeating: value, shape: [1, 12])))
    }
    #expect(throws: CodecProcessError.self) { try decode(1) }
    #expect(try decode(1e7).count == 12)
  }

  /// The programs end with the codec, also one that does not notice the end of its input.
  @Test(arguments: ["", "signal.signal(signal.SIGTERM, signal.SIG_IGN)"])
  func programsEndWithTheCodec(_ stubborn: String) throws {
    let text =
      program(
        "answer = head + values[:4 * b * count]",
        start: "open('pid', 'w').write(str(os.getpid()))")
      + (stubborn.isEmpty ? "" : stubborn + "\ntime.sleep(1000)\n")
    let folder = try ProgramFolder(["codec.py": text])
    var codec: ProcessCodec? = try folder.codec(
      ["python3", "codec.py"], more: ["length": .integer(12)])
    _ = try codec!.encode(gaussianCSI(drops: 2, taps: 4, angles: 3))
    let pid = try #require(pid_t(String(contentsOfFile: "\(folder.path)/pid", encoding: .utf8)))
    #expect(kill(pid, 0) == 0)
    codec = nil
    #expect(kill(pid, 0) == -1 && errno == ESRCH)
  }

  /// The example in NumPy keeps the first delay taps and nothing else.
  @Test func theExampleInNumPy() throws {
    let examples = fixtures.deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Examples/ProcessCodec")
    let names = ["codec.py", "csilink_codec.py"]
    let folder = try ProgramFolder(
      Dictionary(
        uniqueKeysWithValues: try names.map {
          ($0, try String(contentsOf: examples.appending(path: $0), encoding: .utf8))
        }))
    let codec = try folder.codec(
      ["python3", "codec.py"], taps: 8, angles: 5, more: ["compression": .integer(4)])
    let csi = gaussianCSI(drops: 7, taps: 8, angles: 5)
    let codeword = try codec.encode(csi)
    #expect(codeword.values.shape == [7, 20])
    let back = try codec.decode(codeword)
    for drop in 0..<7 {
      for tap in 0..<8 {
        for angle in 0..<5 {
          let (found, value) = (back[drop, tap, angle], csi[drop, tap, angle])
          let expected = tap < 2 ? value : .zero
          #expect((found - expected).length <= 4e-7 * max(1, value.length))
        }
      }
    }
  }

  @Test func settings() throws {
    let folder = try ProgramFolder(["codec.py": "", "net.pt": "w"])
    let missing = #expect(throws: SettingsError.self) { try folder.codec(["no-such-program"]) }
    #expect(missing?.reason.contains("not on the search path") == true)
    let file = #expect(throws: SettingsError.self) { try folder.codec(["./codec.py"]) }
    #expect(file?.key == "command")
    #expect(throws: SettingsError.self) {
      try folder.codec(["python3"], more: ["length": .integer(25)])
    }
    var context = context(taps: 4, angles: 3)
    context.directory = folder.path
    let settings = try ProcessCodec.schema.settings([
      "command": .list([.text("python3"), .text("codec.py"), .text("--fast")]),
      "files": .list([.text("net.pt")]),
    ])
    #expect(
      ProcessCodec.files(settings, in: context)
        == ["\(folder.path)/codec.py", "\(folder.path)/net.pt"])
  }
}
