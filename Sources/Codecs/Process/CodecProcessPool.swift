import LinkMath
import Synchronization

/// The programs of one side of a codec: as many as threads use it at a time.
///
/// A program is started when a thread finds none idle. The protocol of ``ProcessCodec`` is spoken here.
final class CodecProcessPool: Sendable {
  /// What one side of a codec turns into what.
  struct Work: Sendable, Hashable {
    let start: CodecProcess.Start
    /// Angles and taps of an image [2, angle, tap].
    let angles, taps: Int
    /// Reals in a codeword.
    let codewordLength: Int

    var isEncoder: Bool { start.side == "encoder" }
    private var imageLength: Int { 2 * angles * taps }
    /// Values of a sample that the program reads and writes.
    var inputLength: Int { isEncoder ? imageLength : codewordLength }
    var outputLength: Int { isEncoder ? codewordLength : imageLength }
    /// The greeting, one line of JSON.
    var hello: String {
      "{\"protocol\": \"csilink codec 1\", \"side\": \"\(start.side)\","
        + " \"image\": [2, \(angles), \(taps)], \"codeword\": \(codewordLength)}\n"
    }
  }

  private let work: Work
  private let idle = Mutex<[CodecProcess]>([])

  init(_ work: Work) { self.work = work }

  deinit {
    // All are asked to end before the first is waited for.
    idle.withLock { for process in $0 { process.closeInput() } }
  }

  /// The answer of a program to samples [sample, value].
  ///
  /// - Parameter requireFinite: whether values that are not finite are the program's fault.
  func run(_ samples: RealArray, requireFinite: Bool) throws(CodecProcessError) -> [Float] {
    let known = idle.withLock { $0.popLast() }
    let process = if let known { known } else { try started() }
    // A program that failed is not used again.
    let answer = try batch(samples, process, requireFinite)
    idle.withLock { $0.append(process) }
    return answer
  }

  private func started() throws(CodecProcessError) -> CodecProcess {
    let process = try CodecProcess(work.start)
    let expected = "the line 'ready' in answer to the greeting"
    let reply = try process.exchange(Array(work.hello.utf8), expecting: expected) { bytes in
      bytes.last == UInt8(ascii: "\n") || bytes.count >= 200 ? 0 : 1
    }
    let line = String(decoding: reply.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    guard line == "ready" || line == "ready\r" else {
      throw process.failure(
        expected, "'\(line.prefix(60))'",
        hint: "standard output belongs to the protocol: print to standard error")
    }
    return process
  }

  private func batch(
    _ samples: RealArray, _ process: CodecProcess, _ requireFinite: Bool
  ) throws(CodecProcessError) -> [Float] {
    let count = samples[dimension: 0]
    let size = count * work.outputLength
    let expected =
      "\(count) \(work.isEncoder ? "codewords" : "images") of \(work.outputLength) values"
    var message = Self.bytes(UInt32(count))
    samples.withUnsafeElements { values in
      values.map(\.bitPattern.littleEndian).withUnsafeBytes { message += $0 }
    }
    // What an answer has too much may come late.
    try process.requireSilence(expected)
    let answer = try process.exchange(message, expecting: expected) {
      bytes throws(CodecProcessError) in
      guard bytes.count >= 4 else { return 4 - bytes.count }
      let found = Self.word(bytes, 0)
      guard found == UInt32(count) else {
        throw process.failure(
          expected, "the count \(found)",
          hint: "an answer starts with the number of samples as four bytes, little endian;"
            + " standard output belongs to the protocol: print to standard error")
      }
      return 4 + 4 * size - bytes.count
    }
    // A program that always answers too much is found at its first answer, even if no other follows.
    try process.requireSilence(expected, for: process.isProven ? 0 : 100)
    process.isProven = true
    let values = (0..<size).map { Float(bitPattern: Self.word(answer, 4 + 4 * $0)) }
    // As for weights: values whose energy single precision does not hold.
    if requireFinite, let wrong = values.firstIndex(where: { !($0.magnitude < 1e15) }) {
      throw process.failure(
        expected,
        "the value \(values[wrong]) at place \(wrong % work.outputLength) of sample"
          + " \(wrong / work.outputLength) of the batch")
    }
    return values
  }

  private static func bytes(_ word: UInt32) -> [UInt8] {
    withUnsafeBytes(of: word.littleEndian) { Array($0) }
  }

  private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    bytes.withUnsafeBytes {
      UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
  }
}
