import LinkMath

/// The numbers of a block while it passes the link: sums over slots, which become means in the end.
struct BlockRecord {
  private let tree: LinkTree
  private let drops: Range<Int>
  private var sums: DropSums
  /// Where the numbers of each metric begin, [point][metric].
  private let places: [[Int]]
  /// Whether the true channel has no energy in a slot that counts, [point][row].
  private var isSilent: [[Bool]]
  /// Reports and served slots so far, by point.
  private var counts: [(reports: Int, served: Int)]

  init(_ tree: LinkTree, drops: Range<Int>) {
    self.tree = tree
    self.drops = drops
    sums = DropSums(BlockMetrics(layout: tree.layout, dropCount: drops.count))
    places = tree.metrics.map { metrics in
      var next = 0
      return metrics.map { metric in
        defer { next += type(of: metric).numbers.count }
        return next
      }
    }
    isSilent = tree.layout.users.map { Array(repeating: false, count: $0 * drops.count) }
    counts = Array(repeating: (0, 0), count: tree.points.count)
  }

  /// The reports of one slot, of all rows.
  mutating func add(_ slot: ReportedSlot, points: [Int]) {
    var slot = slot
    for point in points {
      slot.drops = isSilent[point].indices
      counts[point].reports += 1
      for row in isSilent[point].indices where !slot.hasEnergy(row) { isSilent[point][row] = true }
      for (metric, place) in zip(tree.metrics[point], places[point]) {
        sums.turn(toPoint: point, row: 0, place: place)
        metric.add(slot, to: &sums)
      }
    }
  }

  /// The downlink of one slot, of the rows from `row` on.
  mutating func add(_ slot: ServedSlot, point: Int, row: Int) {
    if row == 0 { counts[point].served += 1 }
    for drop in slot.drops where !slot.hasEnergy(drop) { isSilent[point][row + drop] = true }
    for (metric, place) in zip(tree.metrics[point], places[point]) {
      sums.turn(toPoint: point, row: row, place: place)
      metric.add(slot, to: &sums)
    }
  }

  /// Makes means of sums over slots, rounds them to single precision, marks what is missing, and refuses any other number that is not finite.
  ///
  /// - Parameter points: the operating points that were walked; the numbers of others mean nothing.
  mutating func finish(_ points: Range<Int>) throws(MetricError) -> BlockMetrics {
    for point in points {
      let (reports, served) = (
        Double(counts[point].reports), 1 / Double(counts[point].served)
      )
      for row in isSilent[point].indices {
        sums.turn(toPoint: point, row: row, place: 0)
        for (place, number) in tree.numbers.enumerated() {
          switch number.averaging {
          case .none: break
          case .reports: sums[0, place] /= reports
          case .servedSlots: sums[0, place] *= served
          }
          let isMissing = isSilent[point][row] || !number.exists(tree.points[point])
          let value = sums[0, place]
          sums[0, place] = isMissing ? .nan : Double(Float(value))
          guard isMissing || sums[0, place].isFinite else {
            throw MetricError(
              number: number, value: value,
              drop: drops.lowerBound + row % drops.count, point: tree.points[point].coordinates)
          }
        }
      }
    }
    return sums.block
  }
}
