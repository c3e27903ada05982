import ArgumentParser
import Coding
import DataFiles
import Foundation
import LinkMath
import Networks
import Parts

/// Codewords that one machine, or one kernel level, codes and another decodes.
///
///     CSILINK_KERNEL=baseline coding-benchmark exchange write FILE
///     CSILINK_KERNEL=x86-64-v3 coding-benchmark exchange read FILE
struct Exchange: ParsableCommand {
  enum Direction: String, ExpressibleByArgument { case write, read }

  static let configuration = CommandConfiguration(
    commandName: "exchange", abstract: "Range-coded codewords for another machine, or from one.")
  @Argument(help: "write or read.") var direction: Direction
  @Argument(help: "The file, safetensors.") var file: String
  @Option(help: "Codewords (write).") var codewords = 1_000_000
  @Option(help: "static or adaptive (write).") var model = "adaptive"

  private static let outputs = 32
  private static let levels = 16

  func run() throws {
    direction == .write ? try write() : try read()
  }

  private func coder(_ model: String, _ fitted: Artefact?) throws -> (RangeCoder?, Fitting) {
    var context = LinkContext(
      grid: LinkContext.Grid(toneCount: 1, spacingHz: 15e3, carrierHz: 3.5e9))
    context.alphabets = [Int](repeating: Self.levels, count: Self.outputs)
    let settings = try RangeCoder.schema.settings(["model": .text(model)])
    return (
      try fitted.map { try RangeCoder(settings, in: context, fitted: $0) },
      try RangeCoder.fitting(settings, in: context)!
    )
  }

  /// Bursts: outputs of one codeword have a common scale.
  private func symbols(_ codeword: Int) -> [UInt32] {
    var stream = StreamKey(seed: 1, domain: .test, purpose: .channel).stream(drop: codeword)
    let scale = 0.5 + 3 * stream.uniform(in: 0..<1)
    return stream.normal(count: Self.outputs).map { value in
      UInt32(min(max(Int((Double(value) * scale + 8).rounded(.down)), 0), Self.levels - 1))
    }
  }

  private func write() throws {
    var fitter = try coder(model, nil).1.makeFitter()
    fitter.add(.symbols((0..<4000).map { symbols(codewords + $0) }))
    let fitted = try fitter.finish()
    let coder = try coder(model, fitted).0!
    var digest = Digest()
    var (lengths, bytes) = ([Float](), [Float]())
    for codeword in 0..<codewords {
      let symbols = symbols(codeword)
      symbols.withUnsafeBytes { digest.update($0) }
      var bits = BitString()
      symbols.withUnsafeBufferPointer { coder.write($0, to: &bits) }
      lengths.append(Float(bits.count))
      bytes += bits.bytes.map(Float.init)
    }
    var arrays = fitted.arrays.keys.sorted().map { name in
      NumericArray(
        name: name, shape: fitted.arrays[name]!.shape, floats: fitted.arrays[name]!.elements)
    }
    arrays.append(NumericArray(name: "lengths", shape: [lengths.count], floats: lengths))
    arrays.append(NumericArray(name: "bytes", shape: [bytes.count], floats: bytes))
    let mean = lengths.reduce(0.0) { $0 + Double($1) } / Double(codewords)
    let sum = digest.finish()
    try SealedTensors.write(arrays, metadata: ["model": model, "symbols": sum], to: file)
    print("\(KernelLevel.name): \(codewords) codewords of \(mean) bits, symbols \(sum)")
  }

  private func read() throws {
    let file = try SealedTensors.read(file)
    let fitted = Artefact(file.tensors.mapValues { RealArray($0.floats(), shape: $0.shape) })
    let coder = try coder(file.metadata["model"] ?? "", fitted).0!
    let (lengths, bytes) = (file.tensors["lengths"]!.floats(), file.tensors["bytes"]!.floats())
    var digest = Digest()
    var place = 0
    var symbols = [UInt32](repeating: 0, count: Self.outputs)
    for length in lengths {
      var bits = BitString()
      for i in 0..<(Int(length) + 7) / 8 {
        let width = min(8, Int(length) - 8 * i)
        bits.append(UInt32(bytes[place + i]) >> UInt32(8 - width), width: width)
      }
      place += (Int(length) + 7) / 8
      var reader = BitReader(bits)
      symbols.withUnsafeMutableBufferPointer { coder.read(&reader, into: $0) }
      symbols.withUnsafeBytes { digest.update($0) }
    }
    let sum = digest.finish()
    print("\(KernelLevel.name): \(lengths.count) codewords, symbols \(sum)")
    guard sum == file.metadata["symbols"] else {
      throw ValidationError("these are not the symbols that were coded")
    }
  }
}
