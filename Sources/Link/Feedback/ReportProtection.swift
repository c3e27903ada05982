import Codecs
import Coding

/// Which bits of a report are coded together, and in how many bits.
struct ReportProtection: Sendable {
  /// How many bits E a report takes on the channel.
  enum Length: Sendable {
    case bits(Int)
    /// Payload bits over E.
    case rate(Double)
  }

  /// Bits of a report in a code of their own.
  struct Piece: Sendable {
    let code: UplinkControlCode
    /// Of the bits in the report, in the order of the message.
    let positions: [Int]
    /// Whether the report is lost without them.
    let isEssential: Bool
    /// What the BS takes for each bit if they do not arrive.
    let substitutes: [UInt8]
  }

  let length: Length
  /// Share of the payload that is protected; 0 if all bits are alike.
  let importantShare: Double
  /// Share of E that it gets.
  let protectedShare: Double

  /// The codes for a report of so many bits; nil if they have no room.
  func pieces(_ count: Int, fields: [Report.Field]) -> [Piece]? {
    if count == 0 { return [] }
    let important = Int((importantShare * Double(count)).rounded())
    guard important > 0, important < count else {
      return coded(Array(0..<count), total(count), isEssential: true, substitutes: [:])
    }
    let ranks = Self.ranks(count, fields)
    let order = (0..<count).sorted { (ranks[$0], $0) < (ranks[$1], $1) }
    let (first, rest) = (Array(order[..<important]), Array(order[important...]))
    // With a rate, both shares are of the E of the whole report.
    let whole = total(count)
    let share = Int((protectedShare * Double(whole)).rounded())
    guard
      let protected = coded(first, share, isEssential: true, substitutes: [:]),
      let others = coded(
        rest, whole - share, isEssential: false, substitutes: Self.middles(Set(first), fields))
    else { return nil }
    return protected + others
  }

  /// E of a report of so many bits.
  private func total(_ count: Int) -> Int {
    switch length {
    case .bits(let total): return total
    case .rate(let rate):
      let total = Int((Double(count) / rate).rounded(.up))
      guard importantShare == 0 else { return total }
      let sizes = Self.sizes(count)
      return max(total, sizes.count * sizes.reduce(0) { max($0, Self.least($1)) })
    }
  }

  private static func least(_ count: Int) -> Int {
    UplinkControlCode.leastCodedCount(messageCount: count) ?? 0
  }

  /// Bits of each message: as few as the standard's limit allows, of equal size.
  private static func sizes(_ count: Int) -> [Int] {
    let pieces = (count + UplinkControlCode.messageLimit - 1) / UplinkControlCode.messageLimit
    return (0..<pieces).map { (count * ($0 + 1)) / pieces - (count * $0) / pieces }
  }

  /// Bits in one code, or in several of equal rate.
  private func coded(
    _ positions: [Int], _ total: Int, isEssential: Bool, substitutes: [Int: UInt8]
  ) -> [Piece]? {
    var pieces: [Piece] = []
    var (first, sent) = (0, 0)
    for size in Self.sizes(positions.count) {
      let own = Array(positions[first..<first + size])
      first += size
      let end = total * first / positions.count
      guard let code = UplinkControlCode(messageCount: size, codedCount: end - sent) else {
        return nil
      }
      sent = end
      pieces.append(
        Piece(
          code: code, positions: own, isEssential: isEssential,
          substitutes: own.map { substitutes[$0] ?? 0 }))
    }
    return pieces
  }

  /// How important each bit is, 0 most: bits that are of no number, then by their place in the number.
  private static func ranks(_ count: Int, _ fields: [Report.Field]) -> [Int] {
    var ranks = [Int](repeating: 0, count: count)
    for field in fields {
      var position = field.bits.lowerBound
      for width in field.widths {
        for place in 0..<width { ranks[position + place] = 1 + place }
        position += width
      }
    }
    return ranks
  }

  /// Of numbers of which only the first bits arrive: 1 for the first missing bit, 0 for the others, the middle of natural
  /// binary numbers.
  private static func middles(_ arrived: Set<Int>, _ fields: [Report.Field]) -> [Int: UInt8] {
    var result: [Int: UInt8] = [:]
    for field in fields {
      var position = field.bits.lowerBound
      for width in field.widths {
        if let first = (position..<position + width).first(where: { !arrived.contains($0) }) {
          result[first] = 1
        }
        position += width
      }
    }
    return result
  }
}
