/// The partition of points on a line into K runs of least squared error, and their means: one-dimensional k-means, solved
/// exactly.
///
/// The best runs are found by dynamic programming over the vertices between neighbouring points,
/// `D_k(v) = min over u of D_{k-1}(u) + error of the points from u to v`, whose minimisers ascend with v, so that a layer
/// takes O(n log n) by halving. Two thirds of the work are never done: `BoundaryWindows` proves on coarse grids where the
/// k-th boundary of an optimal partition cannot lie.
///
/// Reference: H. Wang and M. Song, The R Journal 3/2 (2011) 29, doi:10.32614/RJ-2011-015; A. Aggarwal, M. M. Klawe,
/// S. Moran, P. Shor and R. Wilber, Algorithmica 2 (1987) 195, doi:10.1007/BF01840359.
public enum ExactKMeans {
  /// Runs of points and their means.
  public struct Clusters: Sendable, Hashable {
    /// Mean of each run, ascending; if there are fewer distinct points than runs, the last one is repeated.
    public let levels: [Double]
    /// Mean squared distance of a point from the mean of its run, by weight.
    public let error: Double
  }

  /// The K runs of least error.
  ///
  /// - Precondition: `levelCount >= 1`.
  /// - Complexity: O(n) for the sums, and O(K m log m) for m the size of what is left of a window; a window is a few
  ///   percent of n for K up to some dozen and samples without gaps, and never more than n.
  public static func clusters(of points: SortedPoints, levelCount: Int) -> Clusters {
    precondition(levelCount >= 1)
    if let distinct = points.distinct(upTo: levelCount) {
      let last = distinct[distinct.count - 1]
      return Clusters(
        levels: distinct + [Double](repeating: last, count: levelCount - distinct.count), error: 0)
    }
    let windows = BoundaryWindows.narrowed(points, levelCount: levelCount)
    let table = points.withVertices { SplitTable($0, windows: windows, penalties: nil) }
    return points.clusters(boundaries: table.boundaries())
  }

  /// The least errors of 1, 2, ..., `levelCount` runs, from one table.
  ///
  /// - Complexity: O(K n log n).
  public static func errors(of points: SortedPoints, upTo levelCount: Int) -> [Double] {
    precondition(levelCount >= 1)
    let all = 0...points.count
    let windows = [0...0] + [ClosedRange<Int>](repeating: all, count: levelCount)
    let table = points.withVertices { SplitTable($0, windows: windows, penalties: nil) }
    let total = points.weights[points.count]
    return (1...levelCount).map {
      max(0, points.energy + table.value(layer: $0, vertex: points.count)) / total
    }
  }
}

extension SortedPoints {
  /// The distinct points, if there are no more of them than `count`.
  func distinct(upTo count: Int) -> [Double]? {
    var values = [points[0]]
    for point in points where point != values[values.count - 1] {
      if values.count == count { return nil }
      values.append(point)
    }
    return values
  }

  /// All vertices, for ``SplitTable``.
  func withVertices<R>(_ body: (Vertices) -> R) -> R {
    sums.withUnsafeBufferPointer { sums in
      weights.withUnsafeBufferPointer { weights in
        body(Vertices(sums: sums, weights: weights))
      }
    }
  }

  /// Means and error of the runs between boundaries, in two passes, so that no digits cancel.
  func clusters(boundaries: [Int]) -> ExactKMeans.Clusters {
    var levels: [Double] = []
    var error = 0.0
    for (start, end) in zip(boundaries, boundaries.dropFirst()) {
      guard end > start else {
        levels.append(levels.last ?? points[0])
        continue
      }
      let weight = weights[end] - weights[start]
      var mean = 0.0
      for i in start..<end { mean += (weights[i + 1] - weights[i]) * (points[i] - points[start]) }
      mean = points[start] + mean / weight
      for i in start..<end {
        let distance = points[i] - mean
        error += (weights[i + 1] - weights[i]) * distance * distance
      }
      levels.append(mean)
    }
    return ExactKMeans.Clusters(levels: levels, error: error / weights[points.count])
  }
}
