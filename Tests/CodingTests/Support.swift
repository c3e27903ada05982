import Coding
import Foundation

/// Folder of the fixtures of channel codes.
let codingFixtures = URL(filePath: #filePath).deletingLastPathComponent()
  .appending(path: "../Fixtures/coding").standardizedFileURL

/// Reproducible random numbers (splitmix64).
struct Randomness: RandomNumberGenerator {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  mutating func bits(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(next() >> 63) } }

  mutating func normal() -> Double {
    let radius = -2 * Foundation.log(Double.random(in: 1e-300...1, using: &self))
    return radius.squareRoot() * cos(2 * .pi * Double.random(in: 0..<1, using: &self))
  }

  /// Log-likelihood ratios of coded bits sent as ±1 with the given Ec/N0.
  mutating func soft(_ coded: [UInt8], decibels: Double) -> [Float] {
    let ratio = pow(10, decibels / 10)
    return coded.map { bit in
      Float(4 * ratio * ((bit == 0 ? 1 : -1) + normal() * (0.5 / ratio).squareRoot()))
    }
  }
}

extension PolarListDecoder {
  func decode(_ code: PolarCode, syndromes: [UInt32], _ soft: [Float]) -> (
    block: [UInt8], fits: Bool
  ) {
    var block = [UInt8](repeating: 9, count: code.messageCount)
    let fits = soft.withUnsafeBufferPointer { soft in
      block.withUnsafeMutableBufferPointer {
        decode(code, syndromes: syndromes, received: soft, into: $0)
      }
    }
    return (block, fits)
  }
}

extension UplinkControlCode {
  func decode(_ soft: [Float], _ decoder: PolarListDecoder) -> (message: [UInt8], fits: Bool) {
    var message = [UInt8](repeating: 9, count: messageCount)
    let fits = soft.withUnsafeBufferPointer { soft in
      message.withUnsafeMutableBufferPointer { decode(soft, with: decoder, into: $0) }
    }
    return (message, fits)
  }
}

/// Successive-cancellation list decoding as it is defined: bit by bit, in double precision, each path with its own bits and
/// a recursion from the channel's values for every input.
struct PlainListDecoder {
  let code: PolarCode
  let listSize: Int

  private struct Path {
    var inputs: [UInt8] = []
    var metric = 0.0
  }

  /// Blocks of the kept paths, likeliest first, with what they paid.
  func decode(_ received: [Float]) -> [(block: [UInt8], metric: Double)] {
    var channel = [Double](repeating: 0, count: code.length)
    for output in code.zeroOutputs { channel[output] = 1e30 }
    for (output, value) in zip(code.sentOutputs, received) { channel[output] += Double(value) }
    var paths = [Path()]
    for position in 0..<code.length {
      var next: [Path] = []
      for path in paths {
        let value = Self.soft(channel[...], path.inputs[...])
        for bit: UInt8 in choices(position, path.inputs) {
          var longer = path
          longer.inputs.append(bit)
          if (value < 0) != (bit == 1) { longer.metric += abs(value) }
          next.append(longer)
        }
      }
      next.sort { $0.metric < $1.metric }
      paths = Array(next.prefix(listSize))
    }
    return paths.map { path in (code.messagePositions.map { path.inputs[$0] }, path.metric) }
  }

  private func choices(_ position: Int, _ inputs: [UInt8]) -> [UInt8] {
    if code.messagePositions.contains(position) { return [0, 1] }
    guard code.parityPositions.contains(position) else { return [0] }
    // The register of five stages of TS 38.212, clause 5.3.1.2, as it is written there.
    var register: [UInt8] = [0, 0, 0, 0, 0]
    for n in 0...position {
      register = Array(register[1...]) + [register[0]]
      if n < position, code.messagePositions.contains(n) { register[0] ^= inputs[n] }
    }
    return [register[0]]
  }

  /// The min-sum value of input `decided.count` of the transform.
  private static func soft(_ values: ArraySlice<Double>, _ decided: ArraySlice<UInt8>) -> Double {
    if values.count == 1 { return values.first! }
    let half = values.count / 2
    let pairs = zip(values.prefix(half), values.suffix(half))
    if decided.count < half {
      let left = pairs.map { a, b in (a < 0) == (b < 0) ? min(abs(a), abs(b)) : -min(abs(a), abs(b))
      }
      return soft(left[...], decided)
    }
    let word = transform(Array(decided.prefix(half)))
    let right = zip(pairs, word).map { pair, bit in bit == 0 ? pair.1 + pair.0 : pair.1 - pair.0 }
    return soft(right[...], decided.dropFirst(half))
  }

  private static func transform(_ x: [UInt8]) -> [UInt8] {
    if x.count == 1 { return x }
    let (a, b) = (transform(Array(x[..<(x.count / 2)])), transform(Array(x[(x.count / 2)...])))
    return zip(a, b).map { $0 ^ $1 } + b
  }
}
