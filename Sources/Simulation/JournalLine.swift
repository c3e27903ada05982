import DataFiles
import Foundation
import LinkMath

/// The line of a block: `block <index> <drops> <checksum> <numbers>`, the numbers as packed bytes without newlines.
///
/// The numbers are turned around to [number, user of a point, drop], so that alike ones stand together, their bytes taken apart
/// into planes (first the lowest byte of all numbers), and the planes deflated: nothing is rounded, every bit of every number comes
/// back. Of the packed bytes, `0a` and `1b` are written as `1b 01` and `1b 02`.
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
        packed, count: drops * layout.valuesPerDrop * MemoryLayout<Double>.size)
    else { return nil }
    let values = values(planes, drops: drops, numbers: layout.numbers.count)
    return BlockMetrics(layout: layout, dropCount: drops, values: values).map { (index, $0) }
  }

  private static func checksum(_ start: [UInt8], _ numbers: [UInt8]) -> String {
    var digest = Digest()
    start.withUnsafeBytes { digest.update($0) }
    numbers.withUnsafeBytes { digest.update($0) }
    return String(digest.finish().prefix(checksumLength))
  }

  // MARK: order

  /// Byte planes of the numbers as [number, user of a point, drop].
  private static func planes(_ metrics: BlockMetrics) -> [UInt8] {
    let (count, width) = (metrics.values.count, MemoryLayout<Double>.size)
    var planes = [UInt8](repeating: 0, count: width * count)
    visit(count, numbers: metrics.layout.numbers.count) { place, turned in
      var bits = metrics.values[place].bitPattern
      for plane in 0..<width {
        planes[plane * count + turned] = UInt8(truncatingIfNeeded: bits)
        bits >>= 8
      }
    }
    return planes
  }

  /// The numbers of byte planes, as a block has them.
  private static func values(_ planes: [UInt8], drops: Int, numbers: Int) -> [Double] {
    let width = MemoryLayout<Double>.size
    let count = planes.count / width
    var values = [Double](repeating: 0, count: count)
    visit(count, numbers: numbers) { place, turned in
      let bits = (0..<width).reversed().reduce(UInt64(0)) { bits, plane in
        bits << 8 | UInt64(planes[plane * count + turned])
      }
      values[place] = Double(bitPattern: bits)
    }
    return values
  }

  /// Gives each place of [user of a point, drop, number] with that of [number, user of a point, drop].
  private static func visit(
    _ count: Int, numbers: Int, _ body: (_ place: Int, _ turned: Int) -> Void
  ) {
    let rows = numbers > 0 ? count / numbers : 0
    for row in 0..<rows {
      for number in 0..<numbers { body(row * numbers + number, number * rows + row) }
    }
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
