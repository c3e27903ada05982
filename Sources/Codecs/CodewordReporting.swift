import LinkMath
import Parts

/// Reports of a codec that makes codewords, each by itself: gain index, side information of the codec, coded symbols of the
/// codeword.
public struct CodewordReporting: Reporting {
  let codec: any CodewordCodec
  let quantizer: any Quantizer
  let coder: any SymbolCoder
  /// Of a gain that is sent.
  let gain: GainQuantizer?
  private let symbolCount: Int?
  /// Bits of each symbol if they are written one by one.
  private let widths: [Int]
  /// The fields before the codeword.
  private let head: [Report.Field]

  /// Codec, quantiser and coder of a link; without a `gain` none is sent, and without symbols the coder has no work.
  public init(
    _ codec: any CodewordCodec, _ quantizer: any Quantizer, _ coder: any SymbolCoder,
    gain: GainQuantizer?
  ) {
    self.codec = codec
    self.quantizer = quantizer
    self.coder = coder
    self.gain = gain
    symbolCount = quantizer.alphabets?.count
    widths =
      coder is FixedWidthCoder
      ? (quantizer.alphabets ?? []).map { Int.bitWidth - ($0 - 1).leadingZeroBitCount } : []
    var first = 0
    let fixed = [("gain", gain?.bitCount ?? 0), ("side", codec.sideBitCount)]
    head = fixed.filter { $0.1 > 0 }.map { name, width in
      defer { first += width }
      return Report.Field(name, first..<first + width)
    }
  }

  private var headBitCount: Int { codec.sideBitCount + (gain?.bitCount ?? 0) }

  public var size: ReportSize {
    guard symbolCount != nil else { return .reals(codec.codewordLength) }
    switch coder.size {
    case .bits(let count): return .bits(count + headBitCount)
    case .atMostBits(let count): return .atMostBits(count + headBitCount)
    case .reals: preconditionFailure("a coder of symbols makes bits")
    }
  }

  public var summary: String { codec.summary }

  public func makeUE(drops: Int) -> any UESide { UE(reporting: self) }
  public func makeBS(drops: Int) -> any BSSide { BS(reporting: self) }

  private struct UE: UESide {
    let reporting: CodewordReporting

    func report(_ measurement: Measurement, slot: Int, acknowledged: [Bool]) throws -> [Report] {
      let codeword =
        try measurement.codeword ?? reporting.codec.encode(measurement.csi)
      let symbols =
        measurement.symbols ?? SymbolBlock(codeword.values, by: reporting.quantizer)
      return reporting.pack(codeword, symbols, gains: measurement.gains)
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

  private func pack(_ codeword: Codeword, _ symbols: SymbolBlock?, gains: [Float]) -> [Report] {
    let limit = size.bitLimit ?? .max
    return gains.indices.map { drop in
      var report = Report(bits: BitString(), fields: head)
      if let gain { report.bits.append(gain.index(of: gains[drop]), width: gain.bitCount) }
      if codec.sideBitCount > 0 { report.bits.append(codeword.side[drop]) }
      guard let symbols else {
        report.reals = codeword.values.slice(drop..<drop + 1).elements
        return report
      }
      let first = report.bits.count
      symbols.elements.withUnsafeBufferPointer {
        let row = drop * symbols.count..<(drop + 1) * symbols.count
        coder.write(UnsafeBufferPointer(rebasing: $0[row]), to: &report.bits)
      }
      if report.bits.count > first {
        report.fields.append(
          Report.Field("codeword", first..<report.bits.count, widths: widths))
      }
      report.clippedCount = symbols.clippedCounts[drop]
      if report.bits.count > limit { report.withdraw() }
      return report
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
          read(&reader, into: row)
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

  private func read(_ bits: inout BitReader, into values: UnsafeMutableBufferPointer<Float>) {
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: symbolCount ?? 0) { symbols in
      symbols.initialize(repeating: 0)
      coder.read(&bits, into: symbols)
      quantizer.values(of: UnsafeBufferPointer(symbols), into: values)
    }
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
