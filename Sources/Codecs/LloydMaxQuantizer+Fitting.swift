import LinkMath
import Parts

extension LloydMaxQuantizer {
  /// Learns `levels` [component, 2^B], ascending.
  ///
  /// - Throws: `SettingsError` for fewer drops than levels.
  public static func fitting(_ settings: Settings, in context: LinkContext) throws -> Fitting? {
    let count = context.codewordLength
    let levelCount = 1 << settings[bits]
    let drops = settings[FitParameters.drops]
    guard drops >= levelCount else {
      throw SettingsError(
        part: settings.part, key: FitParameters.drops.key,
        reason: "must be at least \(levelCount), the number of levels, got \(drops)")
    }
    return FitParameters.fitting(
      settings, signature: "levels=\(levelCount) length=\(count)",
      shapes: ["levels": [count, levelCount]]
    ) {
      ComponentFitter(
        part: schema.name, array: "levels", componentCount: count, minimumDrops: levelCount
      ) { LloydMaxLevels(samples: $0, levelCount: levelCount).converged() }
    }
  }
}

/// One-dimensional k-means on sorted samples, with prefix sums so that a sweep costs O(levels · log samples).
struct LloydMaxLevels {
  private let samples: [Float]
  private let levelCount: Int
  /// Sum of the samples before each index.
  private let sums: [Double]
  private var levels: [Double]

  /// - Parameter samples: ascending, at least one.
  init(samples: [Float], levelCount: Int) {
    self.samples = samples
    self.levelCount = levelCount
    var sums = [0.0]
    sums.reserveCapacity(samples.count + 1)
    for value in samples { sums.append(sums[sums.count - 1] + Double(value)) }
    self.sums = sums
    levels = Self.companded(samples, levelCount)
  }

  /// Quantiles of the density proportional to the cube root of the samples' density, which is how the levels of the best
  /// fine quantiser are spread (Panter and Dite, Proc. IRE 39 (1951) 44).
  ///
  /// Between neighbouring samples the density is proportional to 1/gap, so each gap weighs gap^(2/3).
  private static func companded(_ samples: [Float], _ levelCount: Int) -> [Double] {
    let points = samples.map(Double.init)
    let last = points[points.count - 1]
    var weights = [0.0]
    for (low, high) in zip(points, points.dropFirst()) {
      weights.append(weights[weights.count - 1] + Double.pow(high - low, 2.0 / 3))
    }
    let total = weights[weights.count - 1]
    guard total > 0 else { return [Double](repeating: last, count: levelCount) }
    var point = 0
    return (0..<levelCount).map { level in
      let wanted = total * (Double(level) + 0.5) / Double(levelCount)
      while weights[point + 1] < wanted { point += 1 }
      let share = (wanted - weights[point]) / (weights[point + 1] - weights[point])
      return points[point] + share * (points[point + 1] - points[point])
    }
  }

  /// The levels when no sample changes its cell any more.
  ///
  /// Every sweep lowers the error, and there are finitely many partitions; a thousand sweeps, which fine quantisers of
  /// large samples can reach, end it as well.
  consuming func converged() -> [Float] {
    var cells = partition()
    for _ in 0..<1000 {
      for k in 0..<levelCount where cells[k] < cells[k + 1] {
        levels[k] = (sums[cells[k + 1]] - sums[cells[k]]) / Double(cells[k + 1] - cells[k])
      }
      let next = partition()
      if next == cells { break }
      cells = next
    }
    return levels.map(Float.init)
  }

  /// First sample of each cell, and the sample count.
  private func partition() -> [Int] {
    var starts = [0]
    for (low, high) in zip(levels, levels.dropFirst()) {
      starts.append(firstSample(notBelow: low / 2 + high / 2, from: starts[starts.count - 1]))
    }
    return starts + [samples.count]
  }

  private func firstSample(notBelow threshold: Double, from start: Int) -> Int {
    var (low, high) = (start, samples.count)
    while low < high {
      let middle = (low + high) / 2
      if Double(samples[middle]) < threshold { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
