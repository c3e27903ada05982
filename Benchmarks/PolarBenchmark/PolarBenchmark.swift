import ArgumentParser
import Coding
import Foundation
import LinkMath

/// Speed and block errors of the codes of uplink control information: the csilink side of `Benchmarks/peers/polar.py`.
@main
struct PolarBenchmark: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "polar-benchmark",
    abstract:
      "Decodes random messages over white noise on one thread; one line of JSON for each level.")

  @Option(name: .customShort("A"), help: "Bits of a message.") var messageBits = 64
  @Option(name: .customShort("E"), help: "Bits on the channel.") var codedBits = 128
  @Option(help: "Paths of the list decoder.") var list = 8
  @Option(help: "Eb/N0 in dB, energy of a message bit.") var level: [Double] = [2]
  @Option(help: "Blocks of each level at most.") var blocks = 10_000
  @Option(help: "Block errors after which a level ends.") var errors = Int.max

  func run() throws {
    guard let code = UplinkControlCode(messageCount: messageBits, codedCount: codedBits) else {
      throw ValidationError("no code for \(messageBits) bits in \(codedBits)")
    }
    guard (1...PolarListDecoder.largestList).contains(list) else {
      throw ValidationError("--list is 1 to \(PolarListDecoder.largestList)")
    }
    for level in level { print(try measured(code, level)) }
  }

  /// Log-likelihood ratios of a code word sent as ±1.
  private func soft(_ coded: [UInt8], _ stream: inout RandomStream, ratio: Double) -> [Float] {
    let noise = stream.normal(count: coded.count)
    let deviation = Float((0.5 / ratio).squareRoot())
    return zip(coded, noise).map { Float(4 * ratio) * (($0 == 0 ? 1 : -1) + deviation * $1) }
  }

  private func measured(_ code: UplinkControlCode, _ level: Double) throws -> String {
    let ratio = linear(decibels: level) * Double(messageBits) / Double(codedBits)
    let decoder = PolarListDecoder(listSize: list)
    var received = [UInt8](repeating: 0, count: messageBits)
    var (count, wrong, undetected, seconds) = (0, 0, 0, 0.0)
    while count < blocks, wrong < errors {
      // Messages of a batch are drawn before the clock runs.
      let batch = (0..<min(200, blocks - count)).map { i in
        var stream = StreamKey(seed: 1, domain: .test, purpose: .channel).stream(drop: count + i)
        let message = (0..<messageBits).map { _ in UInt8(stream.nextWord() >> 31) }
        return (message, soft(code.encode(message), &stream, ratio: ratio))
      }
      let start = clock()
      let results = batch.map { message, soft in
        let fits = soft.withUnsafeBufferPointer { soft in
          received.withUnsafeMutableBufferPointer { code.decode(soft, with: decoder, into: $0) }
        }
        return (fits, received == message)
      }
      seconds += Double(clock() - start) / Double(CLOCKS_PER_SEC)
      count += batch.count
      wrong += results.count { !$0.1 }
      undetected += results.count { $0.0 && !$0.1 }
    }
    let values: [String: Any] = [
      "program": "csilink", "A": messageBits, "E": codedBits, "list": list, "ebn0_db": level,
      "blocks": count, "block_errors": wrong, "undetected": undetected,
      "block_error_rate": Double(wrong) / Double(count),
      "blocks_per_cpu_second": Double(count) / seconds,
    ]
    let data = try JSONSerialization.data(withJSONObject: values, options: .sortedKeys)
    return String(decoding: data, as: UTF8.self)
  }
}
