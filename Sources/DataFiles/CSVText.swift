import Foundation

/// The lines of a text file, read piece by piece.
struct LineScanner {
  /// No line of numbers is longer.
  static let largestLine = 16 << 20
  private static let pieceByteCount = 1 << 20

  private let window: ByteWindow
  private var buffer: [UInt8] = []
  /// Start of the next line in `buffer`.
  private var position = 0
  /// File position behind `buffer`.
  private var fileEnd: Int
  /// Number of the last line returned, from 1.
  private(set) var line: Int

  /// Starts at a file offset that is the start of line `line`.
  init(_ window: ByteWindow, at offset: Int = 0, line: Int = 1) {
    self.window = window
    fileEnd = offset
    self.line = line - 1
  }

  /// File offset of the next line.
  var offset: Int { fileEnd - (buffer.count - position) }

  /// The next line without its end, or nil at the end of the file.
  mutating func next() throws(DataFileError) -> ArraySlice<UInt8>? {
    var searched = position
    while true {
      if let end = Self.newline(in: buffer, from: searched) {
        return take(upTo: end, skip: 1)
      }
      searched = buffer.count
      if fileEnd == window.count {
        return position < buffer.count ? take(upTo: buffer.count, skip: 0) : nil
      }
      guard buffer.count - position < Self.largestLine else {
        throw DataFileError(
          file: window.path, place: .text(line: line + 1, column: 1),
          expected: "a line of at most \(Self.largestLine) bytes", found: "a longer one",
          hint: "this may not be a text file")
      }
      searched -= position
      buffer.removeFirst(position)
      position = 0
      let count = min(Self.pieceByteCount, window.count - fileEnd)
      buffer += try window.bytes(at: fileEnd, count: count, of: "text")
      fileEnd += count
    }
  }

  private mutating func take(upTo end: Int, skip: Int) -> ArraySlice<UInt8> {
    var slice = buffer[position..<end]
    if slice.last == UInt8(ascii: "\r") { slice.removeLast() }
    position = end + skip
    line += 1
    return slice
  }

  private static func newline(in buffer: [UInt8], from start: Int) -> Int? {
    buffer.withUnsafeBytes { bytes in
      guard start < bytes.count, let base = bytes.baseAddress,
        let found = memchr(base + start, 0x0A, bytes.count - start)
      else { return nil }
      return UnsafeRawPointer(found) - base
    }
  }
}

/// How the cells of a line are told apart.
enum CSVSeparator {
  case semicolon, comma, spaces

  /// Chosen by the first line with data.
  init(of line: ArraySlice<UInt8>) {
    self =
      line.contains(UInt8(ascii: ";"))
      ? .semicolon : line.contains(UInt8(ascii: ",")) ? .comma : .spaces
  }

  var name: String {
    switch self {
    case .semicolon: "';'"
    case .comma: "','"
    case .spaces: "spaces"
    }
  }

  /// Calls `body` with each cell, without the spaces and the quotes around it.
  func forEachCell(
    _ line: ArraySlice<UInt8>, _ body: (ArraySlice<UInt8>) throws(DataFileError) -> Void
  ) throws(DataFileError) {
    guard line.contains(Self.quote) else { return try forEachPlainCell(line, body) }
    // Quotes around a cell keep separators in it.
    var (start, isQuoted) = (line.startIndex, false)
    for position in line.indices {
      if line[position] == Self.quote { isQuoted.toggle() }
      guard !isQuoted, isSeparator(line[position]) else { continue }
      if self != .spaces || start < position { try body(Self.unquoted(line[start..<position])) }
      start = position + 1
    }
    if self != .spaces || start < line.endIndex { try body(Self.unquoted(line[start...])) }
  }

  private static let quote = UInt8(ascii: "\"")

  private func isSeparator(_ byte: UInt8) -> Bool {
    switch self {
    case .semicolon: byte == UInt8(ascii: ";")
    case .comma: byte == UInt8(ascii: ",")
    case .spaces: isSpace(byte)
    }
  }

  private static func unquoted(_ cell: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let cell = trimmed(cell)
    guard cell.count > 1, cell.first == quote, cell.last == quote else { return cell }
    return trimmed(cell.dropFirst().dropLast())
  }

  private func forEachPlainCell(
    _ line: ArraySlice<UInt8>, _ body: (ArraySlice<UInt8>) throws(DataFileError) -> Void
  ) throws(DataFileError) {
    var start = line.startIndex
    switch self {
    case .spaces:
      while let first = line[start...].firstIndex(where: { !isSpace($0) }) {
        let end = line[first...].firstIndex(where: isSpace) ?? line.endIndex
        try body(line[first..<end])
        start = end
      }
    case .comma, .semicolon:
      let mark = self == .comma ? UInt8(ascii: ",") : UInt8(ascii: ";")
      while true {
        let end = line[start...].firstIndex(of: mark) ?? line.endIndex
        try body(trimmed(line[start..<end]))
        if end == line.endIndex { return }
        start = end + 1
      }
    }
  }
}

/// A decimal number, `nan` or `inf`; nil for anything else, and for a number too large for `Double`.
///
/// The exponent may have Fortran's D, or nothing but its sign when it has three digits.
func parseNumber(_ cell: ArraySlice<UInt8>) -> Double? {
  guard cell.count <= 512 else { return nil }
  let isDecimal = cell.allSatisfy { byte in
    isDigit(byte) || [0x2B, 0x2D, 0x2E, 0x44, 0x45, 0x64, 0x65].contains(byte)
  }
  let text = String(decoding: cell, as: UTF8.self)
  if isDecimal {
    guard let value = Double(text) ?? fortranNumber(cell), value.isFinite else { return nil }
    return value
  }
  switch text.drop(while: { $0 == "-" || $0 == "+" }).lowercased() {
  case "nan", "inf", "infinity": return Double(text)
  default: return nil
  }
}

private func fortranNumber(_ cell: ArraySlice<UInt8>) -> Double? {
  var bytes = Array(cell)
  if let letter = bytes.firstIndex(where: { $0 | 0x20 == UInt8(ascii: "d") }) {
    bytes[letter] = UInt8(ascii: "e")
  } else if let sign = bytes.lastIndex(where: isSign), sign == bytes.count - 4, sign > 0,
    isDigit(bytes[sign - 1]) || bytes[sign - 1] == UInt8(ascii: ".")
  {
    bytes.insert(UInt8(ascii: "e"), at: sign)
  }
  return Double(String(decoding: bytes, as: UTF8.self))
}

/// A complex number with `i` or `j` behind its imaginary part, perhaps in parentheses; nil for anything else.
func parseComplex(_ cell: ArraySlice<UInt8>) -> (real: Double, imaginary: Double)? {
  guard cell.count <= 512, let last = cell.last else { return nil }
  var text = cell.filter { !isSpace($0) }[...]
  if text.first == UInt8(ascii: "("), last == UInt8(ascii: ")") {
    text = text.dropFirst().dropLast()
  }
  guard let unit = text.popLast(), unit | 0x20 == UInt8(ascii: "i") || unit | 0x20 == 0x6A else {
    return nil
  }
  // The sign between the parts is the last one that belongs to no exponent.
  let middle = text.indices.dropFirst().last { index in
    isSign(text[index]) && ![0x44, 0x45].contains(text[index - 1] & 0xDF)
  }
  guard var middle else {
    return part(text).map { (0, $0) }
  }
  var real = text[..<middle]
  // Older versions of NumPy write a negative imaginary part as "+-".
  if text[middle] == UInt8(ascii: "-"), real.last == UInt8(ascii: "+"), real.count > 1 {
    real = real.dropLast()
  } else if let before = real.last, isSign(before) {
    return nil
  }
  if text[middle] == UInt8(ascii: "+") { middle += 1 }
  guard let real = parseNumber(real), let imaginary = part(text[middle...]) else { return nil }
  return (real, imaginary)
}

/// The imaginary part, in which 1 may be left out.
private func part(_ text: ArraySlice<UInt8>) -> Double? {
  switch String(decoding: text, as: UTF8.self) {
  case "", "+": 1
  case "-": -1
  default: parseNumber(text)
  }
}

private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

private func isSign(_ byte: UInt8) -> Bool { byte == 0x2B || byte == 0x2D }

/// The line without a comment and the spaces around the rest.
func withoutComment(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
  trimmed(line[..<(line.firstIndex(of: UInt8(ascii: "#")) ?? line.endIndex)])
}

private func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
  guard let first = text.firstIndex(where: { !isSpace($0) }),
    let last = text.lastIndex(where: { !isSpace($0) })
  else { return text.prefix(0) }
  return text[first...last]
}

private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
