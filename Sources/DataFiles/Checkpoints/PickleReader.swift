/// A machine for pickles of protocols 0 to 5 that builds values and runs nothing.
///
/// Reference: CPython, *Lib/pickletools.py*, which describes every opcode; PEP 307, PEP 3154, PEP 574.
struct PickleReader {
  private(set) var heap = PickleHeap()
  private var stack: [Int32] = []
  private var marks: [Int] = []
  private var memo: [Int: Int32] = [:]
  private var input: PickleInput

  init(_ input: PickleInput) { self.input = input }

  /// Position behind the pickle.
  var position: Int { input.position }

  /// Reads to the end of one pickle.
  ///
  /// - Returns: the value that it stands for.
  mutating func load() throws(DataFileError) -> Int32 {
    while true {
      let start = input.position
      let opcode = try input.byte("an opcode")
      if opcode == UInt8(ascii: ".") {
        guard stack.count == 1, marks.isEmpty else {
          throw failure(start, "\(stack.count) values at the end, where one belongs")
        }
        return stack[0]
      }
      try step(opcode, start)
      try checkSize(start)
    }
  }

  /// Values, memo and stack take no more than a few times the bytes read.
  private func checkSize(_ start: Int) throws(DataFileError) {
    let limit = min(PickleHeap.largestCount, 10_000 + (input.position - input.start) / 2)
    guard heap.nodes.count <= limit, memo.count <= limit, marks.count <= limit,
      stack.count <= PickleHeap.largestCount
    else { throw failure(start, "more values than such a file needs") }
  }

  private mutating func step(_ opcode: UInt8, _ start: Int) throws(DataFileError) {
    if try stepScalar(opcode) { return }
    if try stepContainer(opcode, start) { return }
    if try stepMemo(opcode, start) { return }
    if try stepObject(opcode, start) { return }
    let name = printable(String(UnicodeScalar(opcode)))
    throw failure(start, "opcode 0x\(String(opcode, radix: 16)) ('\(name)')")
  }

  // MARK: Scalars

  private mutating func stepScalar(_ opcode: UInt8) throws(DataFileError) -> Bool {
    switch opcode {
    case 0x80: _ = try input.byte("a protocol")
    case 0x95: _ = try input.integer(8, "a frame")
    case UInt8(ascii: "N"): stack.append(PickleHeap.none)
    case 0x88, 0x89: stack.append(PickleHeap.truth(opcode == 0x88))
    case UInt8(ascii: "K"):
      stack.append(PickleHeap.smallInteger(try input.byte("an integer")))
    case UInt8(ascii: "M"): push(.integer(try input.integer(2, "an integer")))
    case UInt8(ascii: "J"):
      let bits = UInt32(truncatingIfNeeded: try input.integer(4, "an integer"))
      push(.integer(Int(Int32(bitPattern: bits))))
    case 0x8A: try pushLong(Int(try input.byte("a length")))
    case 0x8B: try pushLong(try input.integer(4, "a length"))
    case UInt8(ascii: "G"):
      let bytes = try input.bytes(8, "a number")
      push(.double(Double(bitPattern: bytes.reduce(0) { $0 << 8 | UInt64($1) })))
    case UInt8(ascii: "I"), UInt8(ascii: "L"), UInt8(ascii: "F"): try pushNumberLine(opcode)
    case UInt8(ascii: "S"), UInt8(ascii: "V"): push(.text(unquoted(try input.line("a text"))))
    case UInt8(ascii: "X"): try pushText(try input.integer(4, "a length"))
    case 0x8C, UInt8(ascii: "U"): try pushText(Int(try input.byte("a length")))
    case 0x8D: try pushText(try input.integer(8, "a length"))
    case UInt8(ascii: "T"): try pushText(try input.integer(4, "a length"))
    case UInt8(ascii: "C"): try pushBytes(Int(try input.byte("a length")))
    case UInt8(ascii: "B"): try pushBytes(try input.integer(4, "a length"))
    case 0x8E, 0x96: try pushBytes(try input.integer(8, "a length"))
    default: return false
    }
    return true
  }

  private mutating func push(_ node: PickleNode) { stack.append(heap.add(node)) }

  private mutating func pushText(_ count: Int) throws(DataFileError) {
    push(.text(String(decoding: try input.bytes(count, "a text"), as: UTF8.self)))
  }

  private mutating func pushBytes(_ count: Int) throws(DataFileError) {
    try input.skip(count, "bytes")
    push(.opaque)
  }

  /// A two's complement integer of any length; those beyond 64 bits are only kept as being there.
  private mutating func pushLong(_ count: Int) throws(DataFileError) {
    guard count <= 8 else { return try pushBytes(count) }
    let bytes = try input.bytes(count, "an integer")
    var value: Int = bytes.last.map { $0 >= 0x80 } == true ? -1 : 0
    for byte in bytes.reversed() { value = value << 8 | Int(byte) }
    push(.integer(value))
  }

  private mutating func pushNumberLine(_ opcode: UInt8) throws(DataFileError) {
    let start = input.position
    var line = try input.line("a number")
    if opcode == UInt8(ascii: "L"), line.last == "L" { line.removeLast() }
    if opcode == UInt8(ascii: "I"), line == "01" || line == "00" {
      stack.append(PickleHeap.truth(line == "01"))
    } else if opcode != UInt8(ascii: "F"), let value = Int(line) {
      push(.integer(value))
    } else if let value = Double(line) {
      push(.double(value))
    } else {
      throw failure(start, "'\(printable(line))' where a number belongs")
    }
  }

  private func unquoted(_ line: String) -> String {
    guard line.count >= 2, let quote = line.first, quote == "'" || quote == "\"",
      line.last == quote
    else { return line }
    return String(line.dropFirst().dropLast())
  }

  // MARK: Containers

  private mutating func stepContainer(_ opcode: UInt8, _ start: Int) throws(DataFileError) -> Bool {
    switch opcode {
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: ")"): stack.append(PickleHeap.emptyTuple)
    case UInt8(ascii: "]"), 0x8F: push(.list([]))
    case UInt8(ascii: "}"): push(.dictionary([]))
    case UInt8(ascii: "t"): push(.tuple(try popMarked(start)))
    case UInt8(ascii: "l"), 0x91: push(.list(try popMarked(start)))
    case UInt8(ascii: "d"):
      let pairs = try popMarked(start)
      try requirePairs(pairs, start)
      push(.dictionary(pairs))
    case 0x85...0x87: push(.tuple(try pop(Int(opcode) - 0x84, start)))
    case UInt8(ascii: "a"): try append(try pop(1, start), start)
    case UInt8(ascii: "e"), 0x90: try append(try popMarked(start), start)
    case UInt8(ascii: "s"): try append(try pop(2, start), start, isPairs: true)
    case UInt8(ascii: "u"): try append(try popMarked(start), start, isPairs: true)
    default: return false
    }
    return true
  }

  private func requirePairs(_ items: [Int32], _ start: Int) throws(DataFileError) {
    guard items.count % 2 == 0 else { throw failure(start, "a key without a value") }
  }

  /// Appends to the value on top of the stack; what is put into records is of no use.
  private mutating func append(
    _ items: [Int32], _ start: Int, isPairs: Bool = false
  ) throws(DataFileError) {
    if isPairs { try requirePairs(items, start) }
    guard let target = stack.last, marks.last ?? 0 < stack.count else {
      throw failure(start, "an empty stack")
    }
    switch (heap[target], isPairs) {
    case (.list, false), (.dictionary, true): _ = heap.append(items[...], to: target)
    case (.record, _): break
    default: throw failure(start, "items for a value that holds none")
    }
  }

  /// The last values, no further than the last mark.
  private mutating func pop(_ count: Int, _ start: Int) throws(DataFileError) -> [Int32] {
    guard stack.count - (marks.last ?? 0) >= count else { throw failure(start, "an empty stack") }
    let items = Array(stack.suffix(count))
    stack.removeLast(count)
    return items
  }

  private mutating func popMarked(_ start: Int) throws(DataFileError) -> [Int32] {
    guard let mark = marks.popLast() else { throw failure(start, "no mark") }
    let items = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return items
  }

  // MARK: Memo

  private mutating func stepMemo(_ opcode: UInt8, _ start: Int) throws(DataFileError) -> Bool {
    switch opcode {
    case UInt8(ascii: "q"): try remember(Int(try input.byte("a number")), start)
    case UInt8(ascii: "r"): try remember(try input.integer(4, "a number"), start)
    case UInt8(ascii: "p"): try remember(Int(try input.line("a number")) ?? -1, start)
    case 0x94: try remember(memo.count, start)
    case UInt8(ascii: "h"): try recall(Int(try input.byte("a number")), start)
    case UInt8(ascii: "j"): try recall(try input.integer(4, "a number"), start)
    case UInt8(ascii: "g"): try recall(Int(try input.line("a number")) ?? -1, start)
    case UInt8(ascii: "2"):
      let top = try pop(1, start)
      stack += [top[0], top[0]]
    case UInt8(ascii: "0"):
      if marks.last == stack.count { marks.removeLast() } else { _ = try pop(1, start) }
    case UInt8(ascii: "1"): _ = try popMarked(start)
    default: return false
    }
    return true
  }

  private mutating func remember(_ key: Int, _ start: Int) throws(DataFileError) {
    guard let top = stack.last else { throw failure(start, "an empty stack") }
    memo[key] = top
  }

  private mutating func recall(_ key: Int, _ start: Int) throws(DataFileError) {
    guard let value = memo[key] else { throw failure(start, "a reference to nothing") }
    stack.append(value)
  }

  // MARK: Objects

  private mutating func stepObject(_ opcode: UInt8, _ start: Int) throws(DataFileError) -> Bool {
    switch opcode {
    case UInt8(ascii: "c"):
      let module = try input.line("a module")
      push(.global(PickleGlobal(module: module, name: try input.line("a name"))))
    case 0x93:
      let names = try pop(2, start)
      guard let module = heap.text(names[0]), let name = heap.text(names[1]) else {
        throw failure(start, "a global whose name is no text")
      }
      push(.global(PickleGlobal(module: module, name: name)))
    case UInt8(ascii: "R"), 0x81:
      let call = try pop(2, start)
      try pushResult(of: call[0], call[1], start)
    case 0x92:
      let call = try pop(3, start)
      try pushResult(of: call[0], call[1], start)
    case UInt8(ascii: "o"):
      let call = try popMarked(start)
      guard let type = call.first else { throw failure(start, "no type") }
      try pushResult(of: type, heap.add(.tuple(Array(call.dropFirst()))), start)
    case UInt8(ascii: "i"):
      let module = try input.line("a module")
      let type = heap.add(.global(PickleGlobal(module: module, name: try input.line("a name"))))
      try pushResult(of: type, heap.add(.tuple(try popMarked(start))), start)
    case UInt8(ascii: "b"):
      let state = try pop(1, start)[0]
      guard let target = stack.last else { throw failure(start, "an empty stack") }
      if case .record(let record) = heap[target] { record.state = state }
    case UInt8(ascii: "Q"):
      let identifier = try pop(1, start)[0]
      guard let storage = heap.torchStorage(identifier) else {
        throw failure(start, "a reference to something that is no storage")
      }
      push(.storage(storage))
    default: return false
    }
    return true
  }

  /// What a call of a global stands for; the few that PyTorch writes for tensors and dictionaries are known, others give records.
  private mutating func pushResult(
    of callee: Int32, _ arguments: Int32, _ start: Int
  ) throws(DataFileError) {
    guard case .global(let global) = heap[callee] else {
      return push(.record(PickleRecord(type: "something")))
    }
    switch heap.torchResult(of: global, arguments) {
    case .value(let index): stack.append(index)
    case .node(let node): push(node)
    case .wrong(let what): throw failure(start, what)
    }
  }

  private func failure(_ start: Int, _ found: String) -> DataFileError {
    input.window.error(
      at: start, expected: "a pickle as PyTorch writes it", found: found,
      hint: "the file is damaged, or was not written by torch.save")
  }
}

/// Bytes of a file in their order.
struct PickleInput {
  private static let pieceCount = 1 << 16
  /// Longest line of a pickle of protocol 0, and longest name of a global.
  private static let longestLine = 1 << 12

  let window: ByteWindow
  let start: Int
  private var piece: [UInt8] = []
  private var pieceStart: Int
  private var index = 0

  init(_ window: ByteWindow, at start: Int = 0) {
    self.window = window
    self.start = start
    pieceStart = start
  }

  var position: Int { pieceStart + index }

  mutating func byte(_ what: String) throws(DataFileError) -> UInt8 {
    if index == piece.count { try refill(what) }
    defer { index += 1 }
    return piece[index]
  }

  private mutating func refill(_ what: String) throws(DataFileError) {
    let next = position
    let count = min(Self.pieceCount, window.count - next)
    piece = try window.bytes(at: next, count: max(1, count), of: what)
    pieceStart = next
    index = 0
  }

  mutating func bytes(_ count: Int, _ what: String) throws(DataFileError) -> [UInt8] {
    if count <= piece.count - index {
      defer { index += count }
      return Array(piece[index..<index + count])
    }
    let bytes = try window.bytes(at: position, count: count, of: what)
    try skip(count, what)
    return bytes
  }

  mutating func skip(_ count: Int, _ what: String) throws(DataFileError) {
    let next = try window.part(at: position, count: count, of: what).count + position
    pieceStart = next
    piece = []
    index = 0
  }

  /// A little-endian unsigned integer.
  mutating func integer(_ size: Int, _ what: String) throws(DataFileError) -> Int {
    let place = position
    guard let value = LittleEndianBytes(try bytes(size, what)).integer(0, size) else {
      throw window.error(at: place, expected: what, found: "a number beyond 2^63")
    }
    return value
  }

  /// The text before the next line feed, which is passed too.
  mutating func line(_ what: String) throws(DataFileError) -> String {
    let place = position
    var bytes: [UInt8] = []
    while case let next = try byte(what), next != 0x0A {
      bytes.append(next)
      guard bytes.count <= Self.longestLine else {
        throw window.error(
          at: place, expected: what, found: "a line of more than \(Self.longestLine) bytes")
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
