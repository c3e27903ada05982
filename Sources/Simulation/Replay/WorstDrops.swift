/// A drop with a large error.
public struct WorstDrop: Sendable, Hashable {
  /// Number of the drop, from 0.
  public let drop: Int
  /// Its `error_ratio`, the mean over its users.
  public let errorRatio: Double
}

/// Keeps the drops with the largest errors of one operating point, whatever the order and size of blocks: the largest error
/// first, of equal ones the drop with the smaller number.
struct WorstDrops: Sendable {
  private(set) var drops: [WorstDrop] = []
  private let limit: Int

  init(_ limit: Int) { self.limit = limit }

  mutating func add(_ drop: WorstDrop) {
    guard limit > 0, !drop.errorRatio.isNaN else { return }
    if drops.count == limit, !Self.isWorse(drop, drops[limit - 1]) { return }
    let place = drops.firstIndex { Self.isWorse(drop, $0) } ?? drops.count
    drops.insert(drop, at: place)
    if drops.count > limit { drops.removeLast() }
  }

  /// The drops of a block, the first of which has the number `first`.
  mutating func add(_ block: BlockMetrics, point: Int, first: Int) {
    guard limit > 0, let place = block.layout.place(of: .errorRatio) else { return }
    for drop in 0..<block.dropCount {
      let value = block.mean(
        point: point, drop: drop, users: block.layout.users[point], place: place)
      add(WorstDrop(drop: first + drop, errorRatio: value))
    }
  }

  private static func isWorse(_ a: WorstDrop, _ b: WorstDrop) -> Bool {
    a.errorRatio != b.errorRatio ? a.errorRatio > b.errorRatio : a.drop < b.drop
  }
}
