import CZLib

/// One .npy array.
final class NPYSink: ArraySink {
  private let file: PartialFile

  init(_ path: String, _ array: ArrayInfo) throws(DataFileError) {
    file = try PartialFile(path)
    try file.write(NPYHeader.bytes(for: array))
  }

  func append(_ array: ArrayInfo, _ values: NumericArray.Values) throws(DataFileError) {
    try values.forEachEncodedPiece(as: array.writtenType) { piece throws(DataFileError) in
      try file.write(piece)
    }
  }

  func finish() throws(DataFileError) { try file.finish() }
}

/// Tensors in the given order behind a JSON header padded to a multiple of 8 bytes.
final class SafetensorsSink: ArraySink {
  private let file: PartialFile

  init(
    _ path: String, _ arrays: [ArrayInfo], _ metadata: [String: String]
  ) throws(DataFileError) {
    let header = try SafetensorsHeader.bytes(arrays, metadata, path)
    file = try PartialFile(path)
    try file.write(littleEndian(header.count, 8) + header)
  }

  func append(_ array: ArrayInfo, _ values: NumericArray.Values) throws(DataFileError) {
    try values.forEachEncodedPiece(as: array.writtenType) { piece throws(DataFileError) in
      try file.write(piece)
    }
  }

  func finish() throws(DataFileError) { try file.finish() }
}

/// A zip archive of stored .npy members, as `numpy.savez` does, with zip64 where sizes need it.
///
/// Dates are 1980-01-01, so that equal arrays give equal bytes. The CRC-32 of a member is known only after its values and
/// is put into its header then.
///
/// Reference: PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12 to 4.3.16, 4.5.3.
final class NPZSink: ArraySink {
  private static let limit = 0xFFFF_FFFF
  private let file: PartialFile
  private var directory: [UInt8] = []
  private var memberCount = 0
  private var position = 0
  private var crc = crc32(0, nil, 0)
  private var member: Member?

  private struct Member {
    let name: [UInt8]
    let size: Int
    let start: Int
  }

  init(_ path: String, _ arrays: [ArrayInfo]) throws(DataFileError) {
    guard arrays.count < 0xFFFF, arrays.allSatisfy({ ($0.name ?? "").utf8.count < 0xFF00 }) else {
      throw DataFileError(
        file: path, expected: "less than 65535 arrays with short names",
        found: "\(arrays.count) arrays", hint: "write .npy files")
    }
    file = try PartialFile(path)
  }

  func begin(_ array: ArrayInfo) throws(DataFileError) {
    let header = NPYHeader.bytes(for: array)
    let member = Member(
      name: Array(((array.name ?? "") + ".npy").utf8),
      size: header.count + array.encodedByteCount, start: position)
    self.member = member
    crc = crc32_z(crc32(0, nil, 0), header, header.count)
    let extra = member.size >= Self.limit ? zip64([member.size, member.size]) : []
    let start = [0x50, 0x4B, 3, 4] + fields(member, extra.count) + member.name + extra
    try file.write(start + header)
    position += start.count + member.size
  }

  func append(_ array: ArrayInfo, _ values: NumericArray.Values) throws(DataFileError) {
    try values.forEachEncodedPiece(as: array.writtenType) { piece throws(DataFileError) in
      crc = crc32_z(crc, piece, piece.count)
      try file.write(piece)
    }
  }

  func end() throws(DataFileError) {
    let member = member!
    try file.write(littleEndian(Int(crc), 4), at: member.start + 14)
    var large = member.size >= Self.limit ? [member.size, member.size] : []
    if member.start >= Self.limit { large.append(member.start) }
    let extra = large.isEmpty ? [] : zip64(large)
    // Version made by, the shared fields, comment length, disk, attributes, position.
    directory += [0x50, 0x4B, 1, 2, large.isEmpty ? 20 : 45, 0] + fields(member, extra.count)
    directory += littleEndian(0, 10) + littleEndian(min(member.start, Self.limit), 4)
    directory += member.name + extra
    memberCount += 1
  }

  func finish() throws(DataFileError) {
    let count = littleEndian(memberCount, 2)
    var end: [UInt8] = []
    if position >= Self.limit {
      let count = littleEndian(memberCount, 8)
      end += [0x50, 0x4B, 6, 6] + littleEndian(44, 8) + [45, 0, 45, 0] + littleEndian(0, 8)
      end += count + count + littleEndian(directory.count, 8) + littleEndian(position, 8)
      end += [0x50, 0x4B, 6, 7] + littleEndian(0, 4) + littleEndian(position + directory.count, 8)
      end += littleEndian(1, 4)
    }
    end += [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + count + count + littleEndian(directory.count, 4)
    end += littleEndian(min(position, Self.limit), 4) + [0, 0]
    try file.write(directory + end)
    try file.finish()
  }

  /// The fields that the member header and the directory entry have in common.
  private func fields(_ member: Member, _ extraCount: Int) -> [UInt8] {
    let isLarge = member.size >= Self.limit
    let size = littleEndian(min(member.size, Self.limit), 4)
    let versionNeeded: [UInt8] = [isLarge ? 45 : 20, 0]
    let namesAreUTF8: [UInt8] = [0, 8]
    let storedOn1980: [UInt8] = [0, 0, 0, 0, 0x21, 0]
    return versionNeeded + namesAreUTF8 + storedOn1980 + littleEndian(Int(crc), 4) + size + size
      + littleEndian(member.name.count, 2) + littleEndian(extraCount, 2)
  }

  private func zip64(_ values: [Int]) -> [UInt8] {
    [1, 0] + littleEndian(8 * values.count, 2) + values.flatMap { littleEndian($0, 8) }
  }
}

/// Rows of comma-separated numbers, each with the fewest digits that give the same value when read back in its precision.
final class CSVSink: ArraySink {
  private let file: PartialFile

  init(_ path: String, _ array: ArrayInfo) throws(DataFileError) {
    guard (1...2).contains(array.shape.count), !array.isComplex, array.valueCount > 0 else {
      let shape = ArrayShape.text(array.shape)
      throw DataFileError(
        file: path, variable: array.name, expected: "a real array of one or two axes with elements",
        found: array.isComplex ? "complex \(shape)" : shape, hint: "write .npy")
    }
    file = try PartialFile(path)
  }

  func append(_ array: ArrayInfo, _ values: NumericArray.Values) throws(DataFileError) {
    let isInteger = array.writtenType.isInteger
    switch values {
    case .float(let values):
      try write(values, array.valuesPerRow) { isInteger ? wholeNumber(Double($0)) : "\($0)" }
    case .double(let values):
      try write(values, array.valuesPerRow) { isInteger ? wholeNumber($0) : "\($0)" }
    }
  }

  func finish() throws(DataFileError) { try file.finish() }

  private func write<Number>(
    _ values: [Number], _ columnCount: Int, _ text: (Number) -> String
  ) throws(DataFileError) {
    var lines: [UInt8] = []
    for (index, value) in values.enumerated() {
      lines += text(value).utf8
      lines.append(UInt8(ascii: (index + 1) % columnCount == 0 ? "\n" : ","))
      if lines.count > 1 << 16 {
        try file.write(lines)
        lines.removeAll(keepingCapacity: true)
      }
    }
    try file.write(lines)
  }
}

private func wholeNumber(_ value: Double) -> String {
  // Unsigned ones from 2⁶³ on are beyond Int.
  Int(exactly: value).map(String.init) ?? String(format: "%.0f", value)
}
