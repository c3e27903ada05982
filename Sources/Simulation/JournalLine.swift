import DataFiles
import Foundation
import LinkMath

/// The line of a block: `block <index> <drops> <checksum> <numbers>`, the numbers as packed bytes without newlines.
///
/// The numbers, which are those of single precision, are turned around to [number, byte, user of a point, drop], the lowest byte
/// first, so that alike ones stand together, and deflated. Of a number with a ``Resemblance`` the
/// distance to it is kept, in steps from one single to the next. Nothing is rounded, every bit of every number comes back. Of the packed
/// bytes, `0a` and `1b` are written as `1b 01` and `1b 02`.
package enum JournalLine {
  private static let newline: UInt8 = 0x0a
  private static let escape: UInt8 = 0x1b
  private static let space: UInt8 = 0x20
  /// Digits of the checksum, of a SHA-256 over all before and behind it.
  private static let checksumLength = 16

  /// The line of a block, its newline included.
  package static func bytes(_ index: Int, _ metrics: BlockMetrics) -> [UInt8] {
    let start = "block \(index) \(metrics.dropCount) "
    let numbers = escaped(Deflate.packed(planes(metrics)))
    return Array((start + checksum(Array(start.utf8), numbers) + " ").utf8) + numbers + [newline]
  }

  /// - Returns: nil for a line that was cut off or damaged.
  package static func parse(_ line: Data, _ layout: BlockLayout) -> (Int, BlockMetrics)? {
    let fields = line.split(separator: space, maxSplits: 4, omittingEmptySubsequences: false)
    guard fields.count == 5, fields[0].elementsEqual("block".utf8),
      let index = Int(String(decoding: fields[1], as: UTF8.self)), index >= 0,
      let drops = Int(String(decoding: fields[2], as: UTF8.self)), (1...4096).contains(drops)
    else { return nil }
    let start = [UInt8](line[..<fields[3].startIndex])
    let numbers = [UInt8](fields[4])
    guard fields[3].elementsEqual(checksum(start, numbers).utf8), let packed = unescaped(numbers),
      let planes = Deflate.unpacked(
        packed, count: drops * layout.valuesPerDrop * MemoryLayout<Float>.size)
    else { return nil }
    let values = values(planes, layout.numbers)
    return BlockMetrics(layout: layout, dropCount: drops, values: values).map { (index, $0) }
  }

  private static func checksum(_ start: [UInt8], _ numbers: [UInt8]) -> String {
    var digest = Digest()
    start.withUnsafeBytes { digest.update($0) }
    numbers.withUnsafeBytes { digest.update($0) }
    return String(digest.finish().prefix(checksumLength))
  }

  // MARK: order

  /// Where the bytes of each number stand: those that others resemble come before them.
  private struct Order {
    let likenesses: [Likeness?]
    let numbers: [Int]
    let rowCount: Int

    init(_ names: [String], valueCount: Int) {
      likenesses = Likeness.all(of: names)
      let (known, others) = (likenesses.map { $0 == nil }, names.indices)
      numbers = others.filter { known[$0] } + others.filter { !known[$0] }
      rowCount = names.isEmpty ? 0 : valueCount / names.count
    }
  }

  /// Bytes as [number, byte of it, user of a point, drop].
  private static func planes(_ metrics: BlockMetrics) -> [UInt8] {
    let (values, width) = (metrics.values, MemoryLayout<Float>.size)
    let order = Order(metrics.layout.numbers, valueCount: values.count)
    var planes: [UInt8] = []
    planes.reserveCapacity(width * values.count)
    for number in order.numbers {
      let bits = (0..<order.rowCount).map { row in
        let start = row * order.numbers.count
        let value = Float(values[start + number])
        return order.likenesses[number]?.distance(of: value, values, start) ?? value.bitPattern
      }
      for plane in 0..<width { planes += bits.map { UInt8(truncatingIfNeeded: $0 >> (8 * plane)) } }
    }
    return planes
  }

  /// The numbers of such bytes, as a block has them.
  private static func values(_ planes: [UInt8], _ names: [String]) -> [Double] {
    let width = MemoryLayout<Float>.size
    let count = planes.count / width
    let order = Order(names, valueCount: count)
    var values = [Double](repeating: 0, count: count)
    for (index, number) in order.numbers.enumerated() {
      for row in 0..<order.rowCount {
        let start = row * names.count
        let bits = (0..<width).reduce(UInt32(0)) { bits, plane in
          bits | UInt32(planes[(index * width + plane) * order.rowCount + row]) << (8 * plane)
        }
        values[start + number] = Double(
          order.likenesses[number]?.value(at: bits, values, start) ?? Float(bitPattern: bits))
      }
    }
    return values
  }

  // MARK: newlines

  private static func escaped(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + bytes.count / 64)
    for byte in bytes {
      switch byte {
      case newline: result += [escape, 1]
      case escape: result += [escape, 2]
      default: result.append(byte)
      }
    }
    return result
  }

  /// Nil for an escape that stands for nothing.
  private static func unescaped(_ bytes: [UInt8]) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var rest = bytes[...]
    while let byte = rest.popFirst() {
      guard byte == escape else {
        result.append(byte)
        continue
      }
      switch rest.popFirst() {
      case 1: result.append(newline)
      case 2: result.append(escape)
      default: return nil
      }
    }
    return result
  }
}
