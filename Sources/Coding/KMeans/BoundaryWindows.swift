import Foundation

/// Where the boundaries of an optimal partition can lie, proved on coarse grids of vertices.
///
/// In an optimal partition each boundary lies at the midpoint μ of two neighbouring means. Moving it to the nearer end of its
/// cell of the grid, with the means kept, costs for each moved point x `2 (gap of the means) |μ - x|`, so at most the
/// cell's *penalty*, weight of half the cell · 2 · gap · width. The cheapest path through a grid vertex, with the penalties of
/// its boundaries taken off, is therefore a lower bound for all partitions whose boundary rounds to that vertex; where it
/// exceeds the error of a partition that is known, no boundary lies. Finer grids have smaller penalties and need to cover
/// only what is left.
///
/// The gap of two means around μ is bounded by the known error U: the N points next to μ on one side either reach
/// beyond that side's mean, or all belong to it and cost at least `N (|mean - μ| - h)²`, h their distance from μ.
struct BoundaryWindows {
  private let points: SortedPoints
  private let levelCount: Int
  /// Error, not divided by the weight, of a partition that is known.
  private var known: Double
  /// Vertices, by boundary 0...K.
  private var windows: [ClosedRange<Int>]
  private var grid: [Int]
  /// Of the cells between neighbours of the grid; 0 where no boundary can lie inside.
  private var penalties: [Double] = []

  /// Windows of the boundaries 0...K, of which the first and the last hold the outermost vertices.
  static func narrowed(_ points: SortedPoints, levelCount: Int) -> [ClosedRange<Int>] {
    var windows = BoundaryWindows(points, levelCount)
    // Below some 32 points for each run the grids would hardly be coarser than the points.
    var penalty = windows.known / Double(4 * levelCount)
    for _ in 0..<6 where points.count >= 32 * levelCount && windows.size > points.count / 4 {
      guard windows.refine(penalty: penalty) else { break }
      windows.narrow()
      penalty /= 16
    }
    return windows.windows
  }

  private init(_ points: SortedPoints, _ levelCount: Int) {
    self.points = points
    self.levelCount = levelCount
    let count = points.count
    windows = [0...0] + [ClosedRange<Int>](repeating: 0...count, count: levelCount)
    windows[levelCount] = count...count
    grid = [0, count]
    known = .infinity
    known = error(points.settled(from: points.companded(levelCount)))
  }

  /// Vertices in all windows.
  private var size: Int { windows.reduce(0) { $0 + $1.count } }

  /// Error of a partition, not divided by the weight.
  private func error(_ boundaries: [Int]) -> Double {
    zip(boundaries, boundaries.dropFirst()).reduce(points.energy) { error, run in
      let weight = points.weights[run.1] - points.weights[run.0]
      let sum = points.sums[run.1] - points.sums[run.0]
      return weight > 0 ? error - sum * sum / weight : error
    }
  }

  /// Upper bound for what moving a boundary from inside a cell to the nearer end costs.
  private func penalty(_ first: Int, _ last: Int) -> Double {
    guard last - first > 1 else { return 0 }
    let (values, weights, count) = (points.points, points.weights, points.count)
    let next = max(1, 2 * count / levelCount)
    var reach = values[count - 1] - values[0]
    if last + next <= count {
      let distance = values[last + next - 1] - values[first]
      let weight = weights[last + next] - weights[last]
      reach = min(reach, 2 * (distance + (known / weight).squareRoot()))
    }
    if first >= next {
      let distance = values[last - 1] - values[first - next]
      let weight = weights[first] - weights[first - next]
      reach = min(reach, 2 * (distance + (known / weight).squareRoot()))
    }
    return (weights[last] - weights[first]) * reach * (values[last - 1] - values[first])
  }

  /// Halves the cells that boundaries may lie in until their penalties are small.
  ///
  /// - Returns: whether the grid is still much coarser than the points.
  private mutating func refine(penalty limit: Double) -> Bool {
    let old = grid
    (grid, penalties) = ([0], [])
    var window = 0
    for (first, last) in zip(old, old.dropFirst()) {
      while window <= levelCount, windows[window].upperBound <= first { window += 1 }
      let isOpen = window <= levelCount && windows[window].lowerBound < last
      if isOpen { halve(first, last, limit) } else { add(last, penalty: 0) }
      if 3 * grid.count > points.count { return false }
    }
    return true
  }

  private mutating func halve(_ first: Int, _ last: Int, _ limit: Double) {
    let penalty = penalty(first, last)
    guard penalty > limit else { return add(last, penalty: penalty) }
    halve(first, (first + last) / 2, limit)
    halve((first + last) / 2, last, limit)
  }

  private mutating func add(_ vertex: Int, penalty: Double) {
    grid.append(vertex)
    penalties.append(penalty)
  }

  /// Narrows the windows to the cells around vertices whose lower bound does not exceed the known error.
  private mutating func narrow() {
    let sums = grid.map { points.sums[$0] }
    let weights = grid.map { points.weights[$0] }
    // Boundaries come to a vertex from the cells on both sides.
    let earned = zip([0] + penalties, penalties + [0]).map { max($0, $1) }
    let coarse = windows.map { gridPlace($0.lowerBound)...gridPlace($0.upperBound) }
    let (forward, backward) = sums.withUnsafeBufferPointer { sums in
      weights.withUnsafeBufferPointer { weights in
        let vertices = Vertices(sums: sums, weights: weights)
        return (
          SplitTable(vertices, windows: coarse, penalties: earned),
          SplitTable.backward(vertices, windows: coarse, penalties: earned)
        )
      }
    }
    known = min(known, error(points.settled(from: forward.boundaries().map { grid[$0] })))
    let limit = known - points.energy + 1e-11 * points.energy
    for k in 1..<levelCount {
      let open = coarse[k].filter { place in
        forward.value(layer: k, vertex: place) + backward[k][place - coarse[k].lowerBound]
          + earned[place] <= limit
      }
      guard let first = open.first, let last = open.last else { continue }
      windows[k] =
        max(
          windows[k].lowerBound, grid[max(first - 1, 0)])...min(
          windows[k].upperBound, grid[min(last + 1, grid.count - 1)])
    }
    ascend()
  }

  /// The place of a vertex of the grid, which ends of windows are.
  private func gridPlace(_ vertex: Int) -> Int {
    var (low, high) = (0, grid.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if grid[middle] < vertex { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// A boundary lies behind the one before.
  private mutating func ascend() {
    for k in 1...levelCount {
      let low = max(windows[k].lowerBound, windows[k - 1].lowerBound)
      windows[k] = low...max(low, windows[k].upperBound)
    }
    for k in stride(from: levelCount - 1, through: 0, by: -1) {
      let high = min(windows[k].upperBound, windows[k + 1].upperBound)
      windows[k] = min(high, windows[k].lowerBound)...high
    }
  }
}

extension SortedPoints {
  /// Boundaries that split the cube root of the density evenly, as those of fine quantisers do (P. F. Panter and W. Dite,
  /// Proc. IRE 39 (1951) 44).
  fileprivate func companded(_ levelCount: Int) -> [Int] {
    let step = max(1, count / 4096)
    let vertices = Array(stride(from: 0, to: count - 1, by: step)) + [count - 1]
    var shares = [0.0]
    for (first, last) in zip(vertices, vertices.dropFirst()) {
      let width = points[last] - points[first]
      let weight = weights[last] - weights[first]
      shares.append(shares[shares.count - 1] + cbrt(weight * width * width))
    }
    var place = 0
    let inner = (1..<max(levelCount, 1)).map { k in
      let wanted = shares[shares.count - 1] * Double(k) / Double(levelCount)
      while place < vertices.count - 1, shares[place] < wanted { place += 1 }
      return vertices[place]
    }
    return [0] + inner + [count]
  }

  /// Boundaries at the midpoints of the means of their runs: Lloyd's iteration, until a sweep gains less than 0.1 %.
  fileprivate func settled(from boundaries: [Int]) -> [Int] {
    var boundaries = boundaries
    var last = Double.infinity
    for _ in 0..<100 {
      var gain = 0.0
      var means: [Double] = []
      for (first, end) in zip(boundaries, boundaries.dropFirst()) where end > first {
        let (weight, sum) = (weights[end] - weights[first], sums[end] - sums[first])
        gain += sum * sum / weight
        means.append(sum / weight)
      }
      let error = energy - gain
      if !(error < 0.999 * last) { break }
      last = error
      var next = [0]
      for (low, high) in zip(means, means.dropFirst()) {
        next.append(vertex(below: mean + low / 2 + high / 2, from: next[next.count - 1]))
      }
      next += [Int](repeating: count, count: boundaries.count - next.count)
      boundaries = next
    }
    return boundaries
  }
}
