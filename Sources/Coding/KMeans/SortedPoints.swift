/// Points on a line in ascending order, with the running sums that give the squared error of any run of neighbours in O(1).
public struct SortedPoints: Sendable {
  /// The points, ascending.
  public let points: [Double]
  /// Weight of the points before each vertex; vertex v has v points on its left.
  let weights: [Double]
  /// Of weight times distance from the mean, before each vertex.
  let sums: [Double]
  /// Mean of the points, by weight.
  let mean: Double
  /// Sum of weight times squared distance from the mean.
  let energy: Double

  /// Number of points.
  public var count: Int { points.count }

  /// Points in any order, all of weight 1.
  ///
  /// - Precondition: at least one, all finite.
  /// - Complexity: O(n): three passes of a radix sort.
  public init(_ samples: [Float]) {
    self.init(ascending: Self.sorted(samples).map(Double.init), weights: nil)
  }

  /// Points in any order; without weights each counts once.
  ///
  /// - Precondition: at least one, all finite; as many weights as points, all positive.
  /// - Complexity: O(n log n).
  public init(_ samples: [Double], weights: [Double]? = nil) {
    guard let weights else {
      self.init(ascending: samples.sorted(), weights: nil)
      return
    }
    precondition(weights.count == samples.count && weights.allSatisfy { $0 > 0 })
    let order = samples.indices.sorted { samples[$0] < samples[$1] }
    self.init(ascending: order.map { samples[$0] }, weights: order.map { weights[$0] })
  }

  private init(ascending points: [Double], weights given: [Double]?) {
    precondition(!points.isEmpty && points[0].isFinite && points[points.count - 1].isFinite)
    self.points = points
    let count = points.count
    var total = 0.0
    var mean = 0.0
    for i in 0..<count {
      let weight = given?[i] ?? 1
      total += weight
      mean += weight * (points[i] - points[0])
    }
    mean = points[0] + mean / total
    self.mean = mean
    var energy = 0.0
    var weights = [Double](repeating: 0, count: count + 1)
    sums = [Double](unsafeUninitializedCapacity: count + 1) { sums, filled in
      var sum = 0.0
      var before = 0.0
      sums[0] = 0
      for i in 0..<count {
        let weight = given?[i] ?? 1
        let distance = points[i] - mean
        before += weight
        sum += weight * distance
        energy += weight * distance * distance
        weights[i + 1] = before
        sums[i + 1] = sum
      }
      filled = count + 1
    }
    self.weights = weights
    self.energy = energy
  }

  /// Ascending floats: least significant digit first, digits of 11 bits.
  private static func sorted(_ samples: [Float]) -> [Float] {
    guard samples.count >= 512 else { return samples.sorted() }
    let digits = [0, 11, 22]
    var counts = [Int](repeating: 0, count: 3 << 11)
    // Bit patterns in the order of the numbers: negative ones inverted, the others above them.
    var keys = samples.map { sample in
      let bits = sample.bitPattern
      return bits ^ (bits >> 31 == 0 ? 1 << 31 : .max)
    }
    for key in keys {
      for (digit, shift) in digits.enumerated() {
        counts[digit << 11 + Int(key >> shift & 0x7ff)] += 1
      }
    }
    var other = keys
    for (digit, shift) in digits.enumerated() {
      var start = 0
      for value in digit << 11..<(digit + 1) << 11 {
        (counts[value], start) = (start, start + counts[value])
      }
      keys.withUnsafeBufferPointer { keys in
        other.withUnsafeMutableBufferPointer { other in
          counts.withUnsafeMutableBufferPointer { counts in
            for key in keys {
              let place = digit << 11 + Int(key >> shift & 0x7ff)
              other[counts[place]] = key
              counts[place] += 1
            }
          }
        }
      }
      swap(&keys, &other)
    }
    return keys.map { Float(bitPattern: $0 ^ ($0 >> 31 == 0 ? .max : 1 << 31)) }
  }

  /// Number of points below a threshold, from a vertex on at which none further left is missing.
  func vertex(below threshold: Double, from start: Int = 0) -> Int {
    var (low, high) = (start, points.count)
    while low < high {
      let middle = (low + high) / 2
      if points[middle] < threshold { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
