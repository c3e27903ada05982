import Codecs
import Link
import LinkMath

/// The fields of a payload in order: gain index, side information of the codec, quantised codeword.
struct PayloadFormat: Sendable {
  /// Of a gain that is sent.
  let gain: GainQuantizer?
  let codec: any CSICodec
  let quantizer: any Quantizer

  /// - Parameter gains: of each drop, as the UE has it.
  func pack(_ codeword: Codeword, gains: [Float]) -> PackedReport {
    let drops = codeword.values[dimension: 0]
    guard quantizer.bitCount != nil else {
      return PackedReport(
        content: .codeword(codeword), clipped: Array(repeating: 0, count: drops))
    }
    var clipped: [Int] = []
    let payloads = codeword.values.withUnsafeElements { values in
      (0..<drops).map { drop in
        var bits = BitString()
        if let gain { bits.append(gain.index(of: gains[drop]), width: gain.bitCount) }
        if codec.sideBitCount > 0 { bits.append(codeword.side[drop]) }
        let length = codec.codewordLength
        let row = UnsafeBufferPointer(rebasing: values[drop * length..<(drop + 1) * length])
        clipped.append(quantizer.quantize(row, into: &bits))
        return bits
      }
    }
    return PackedReport(content: .payload(payloads), clipped: clipped)
  }

  /// Reads payloads back; any bits are legal.
  ///
  /// - Returns: the codeword and, if the payload carries it, the gain of each drop.
  func unpack(_ payloads: [BitString]) -> (Codeword, gains: [Float]?) {
    let length = codec.codewordLength
    var values = RealArray(uninitialized: [payloads.count, length])
    var gains: [Float] = []
    var side: [BitString] = []
    values.withUnsafeMutableElements { values in
      for (drop, payload) in payloads.enumerated() {
        var reader = BitReader(payload)
        if let gain { gains.append(gain.gain(index: reader.read(gain.bitCount))) }
        if codec.sideBitCount > 0 { side.append(reader.readString(codec.sideBitCount)) }
        quantizer.dequantize(
          &reader,
          into: UnsafeMutableBufferPointer(
            rebasing: values[drop * length..<(drop + 1) * length]))
      }
    }
    return (Codeword(values: values, side: side), gains.isEmpty ? nil : gains)
  }
}

/// What the UE sends in one report slot.
struct PackedReport: Sendable {
  let content: FeedbackReport
  /// Values of each drop that lay outside the quantiser's range.
  let clipped: [Int]
}

/// What the BS makes of it.
struct ReceivedReport: Sendable {
  let codeword: Codeword
  /// nil if the gain is not in the payload.
  let gains: [Float]?
  let bitErrors: [Int]
  let clipped: [Int]

  init(_ sent: PackedReport, arrived: FeedbackReport, _ format: PayloadFormat) {
    clipped = sent.clipped
    switch (sent.content, arrived) {
    case (.payload(let sent), .payload(let arrived)):
      bitErrors = zip(sent, arrived).map { $0.hammingDistance(to: $1) }
      (codeword, gains) = format.unpack(arrived)
    case (_, .codeword(let arrived)):
      codeword = arrived
      gains = nil
      bitErrors = Array(repeating: 0, count: sent.clipped.count)
    case (.codeword, .payload): preconditionFailure("a link turned a codeword into bits")
    }
  }
}
