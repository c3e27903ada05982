import LinkMath
import Parts

/// Reports of a codec that makes codewords, each by itself: gain index, side information of the codec, quantised codeword.
public struct CodewordReporting: Reporting {
  let codec: any CodewordCodec
  let quantizer: any Quantizer
  /// Of a gain that is sent.
  let gain: GainQuantizer?
  private let fields: [Report.Field]

  /// Codec and quantiser of a link; without a `gain` none is sent.
  public init(_ codec: any CodewordCodec, _ quantizer: any Quantizer, gain: GainQuantizer?) {
    self.codec = codec
    self.quantizer = quantizer
    self.gain = gain
    var first = 0
    let widths = [
      ("gain", gain?.bitCount ?? 0), ("side", codec.sideBitCount),
      ("codeword", quantizer.bitCount ?? 0),
    ]
    fields = widths.filter { $0.1 > 0 }.map { name, width in
      defer { first += width }
      return Report.Field(name, first..<first + width)
    }
  }

  public var size: ReportSize {
    quantizer.bitCount.map { .bits($0 + codec.sideBitCount + (gain?.bitCount ?? 0)) }
      ?? .reals(codec.codewordLength)
  }

  public var summary: String { codec.summary }

  public func makeUE(drops: Int) -> any UESide { UE(reporting: self) }
  public func makeBS(drops: Int) -> any BSSide { BS(reporting: self) }

  private struct UE: UESide {
    let reporting: CodewordReporting

    func report(_ measurement: Measurement, slot: Int, acknowledged: [Bool]) throws -> [Report] {
      let codeword =
        try measurement.codeword ?? reporting.codec.encode(measurement.csi)
      return reporting.pack(codeword, gains: measurement.gains)
    }
  }

  private struct BS: BSSide {
    let reporting: CodewordReporting

    func receive(_ arrived: [Delivery], slot: Int) throws -> Reconstruction {
      let (codeword, gains) = reporting.unpack(arrived)
      var csi = try reporting.codec.decode(codeword)
      for (drop, delivery) in arrived.enumerated() where delivery.isLost { csi.clearRow(drop) }
      return Reconstruction(csi: csi, gains: gains)
    }
  }

  private func pack(_ codeword: Codeword, gains: [Float]) -> [Report] {
    let length = codec.codewordLength
    return codeword.values.withUnsafeElements { values in
      gains.indices.map { drop in
        let row = UnsafeBufferPointer(rebasing: values[drop * length..<(drop + 1) * length])
        var report = Report(bits: BitString(), fields: fields)
        if let gain { report.bits.append(gain.index(of: gains[drop]), width: gain.bitCount) }
        if codec.sideBitCount > 0 { report.bits.append(codeword.side[drop]) }
        if quantizer.bitCount == nil {
          report.reals = Array(row)
        } else {
          report.clippedCount = quantizer.quantize(row, into: &report.bits)
        }
        return report
      }
    }
  }

  /// Reads what arrived back; a lost report reads as zeros.
  ///
  /// - Returns: the codewords and, if the payload carries it, the gain of each drop.
  private func unpack(_ arrived: [Delivery]) -> (Codeword, gains: [Float]?) {
    let length = codec.codewordLength
    var values = RealArray(uninitialized: [arrived.count, length])
    var gains: [Float] = []
    var side: [BitString] = []
    values.withUnsafeMutableElements { values in
      for (drop, delivery) in arrived.enumerated() {
        let row = UnsafeMutableBufferPointer(
          rebasing: values[drop * length..<(drop + 1) * length])
        switch delivery {
        case .bits(let bits, _):
          var reader = BitReader(bits)
          if let gain { gains.append(gain.gain(index: reader.read(gain.bitCount))) }
          if codec.sideBitCount > 0 { side.append(reader.readString(codec.sideBitCount)) }
          quantizer.dequantize(&reader, into: row)
        case .reals(let reals, let bits):
          precondition(reals.count == length, "\(reals.count) reals in a codeword of \(length)")
          _ = row.update(fromContentsOf: reals)
          if codec.sideBitCount > 0 { side.append(bits) }
        case .lost:
          row.update(repeating: 0)
          if gain != nil { gains.append(1) }
          if codec.sideBitCount > 0 { side.append(BitString(zeros: codec.sideBitCount)) }
        }
      }
    }
    return (Codeword(values: values, side: side), gains.isEmpty ? nil : gains)
  }
}

extension Tensor where Element == ComplexFloat {
  /// Sets a row of [drop, ...] to zero.
  public mutating func clearRow(_ row: Int) {
    let size = rowStride
    withUnsafeMutableElements {
      UnsafeMutableBufferPointer(rebasing: $0[row * size..<(row + 1) * size])
        .update(repeating: .zero)
    }
  }
}
