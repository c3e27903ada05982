/// The best continuations of a decoder's paths through one node.
///
/// A path goes on with the signs of its soft values, or with the bits of some of the smallest values flipped, each flip at the
/// price of the value's size. The flips are tried from the smallest value on, keeping the best L candidates after each: a
/// list of L needs no other than the L - 1 smallest values of a node without frozen inputs, and L of a parity check.
final class PathFork {
  struct Candidate {
    var metric: Float
    /// The path that it continues.
    var source: Int32
    /// Bit k: the k-th smallest value is flipped.
    var flips: UInt32
  }

  private static let largest = PolarListDecoder.largestList

  private let listSize: Int
  /// The paths to be, of which there are ``count``.
  let paths: UnsafeMutablePointer<Candidate>
  private(set) var count = 0
  private let fresh: UnsafeMutablePointer<Candidate>
  /// Of each path: the size and position of its smallest values, ascending [path][rank].
  private let sizes: UnsafeMutablePointer<Float>
  private let positions: UnsafeMutablePointer<Int32>
  private let rankCounts: UnsafeMutablePointer<Int>
  /// Of each path: the sign of a repeated bit.
  private let signs: UnsafeMutablePointer<UInt32>

  init(listSize: Int) {
    self.listSize = listSize
    paths = .allocate(capacity: Self.largest)
    fresh = .allocate(capacity: Self.largest)
    sizes = .allocate(capacity: Self.largest * Self.largest)
    positions = .allocate(capacity: Self.largest * Self.largest)
    rankCounts = .allocate(capacity: Self.largest)
    signs = .allocate(capacity: Self.largest)
  }

  deinit {
    paths.deallocate()
    fresh.deallocate()
    sizes.deallocate()
    positions.deallocate()
    rankCounts.deallocate()
    signs.deallocate()
  }

  /// Every path as it is.
  func start(_ metrics: UnsafeMutablePointer<Float>, _ pathCount: Int) {
    count = pathCount
    for path in 0..<pathCount {
      paths[path] = Candidate(metric: metrics[path], source: Int32(path), flips: 0)
      rankCounts[path] = 0
    }
  }

  /// Whether some path continues another one's place.
  func hasMoved(_ pathCount: Int) -> Bool {
    if count != pathCount { return true }
    for path in 0..<count where paths[path].source != path { return true }
    return false
  }

  // MARK: Kinds of nodes

  /// A repeated bit: one value, the sum.
  func repeated(
    _ path: Int, _ values: UnsafeMutablePointer<Float>, _ size: Int,
    _ penalties: UnsafeMutablePointer<Float>
  ) {
    SoftValue.penalties(values, size, into: penalties)
    let zero = SoftValue.sum(penalties, size)
    for i in 0..<size { penalties[i] = values[i] > 0 ? values[i] : 0 }
    let one = SoftValue.sum(penalties, size)
    paths[path].metric += zero < one ? zero : one
    signs[path] = zero > one ? SoftValue.sign : 0
    sizes[path * Self.largest] = abs(zero - one)
    rankCounts[path] = 1
  }

  /// Bits of a repetition for one of the new paths.
  func repeatedSign(_ path: Int) -> UInt32 {
    signs[Int(paths[path].source)] ^ (paths[path].flips & 1) << 31
  }

  /// Flips of nodes without frozen inputs.
  func rankFree(_ size: Int, _ values: (Int) -> UnsafeMutablePointer<Float>) {
    let ranks = min(listSize - 1, size)
    guard ranks > 0 else { return }
    let limit = count == listSize ? paths[worst].metric : .infinity
    for path in 0..<count {
      rank(path, values(path), size, below: limit - paths[path].metric, first: 0, ranks, skip: -1)
    }
    extend(ranks: ranks, isEven: false)
  }

  /// Makes the sum of the bits even by a flip of the smallest value, which has rank 0.
  func even(_ path: Int, _ values: UnsafeMutablePointer<Float>, _ size: Int) {
    var (least, position, parity) = (abs(values[0]), 0, values[0].bitPattern)
    for i in 1..<size {
      parity ^= values[i].bitPattern
      if abs(values[i]) < least { (least, position) = (abs(values[i]), i) }
    }
    sizes[path * Self.largest] = least
    positions[path * Self.largest] = Int32(truncatingIfNeeded: position)
    rankCounts[path] = 1
    paths[path].flips = parity >> 31
    if parity >> 31 == 1 { paths[path].metric += least }
  }

  /// Flips of parity checks, each together with one of the smallest value.
  func rankEven(_ size: Int, _ values: (Int) -> UnsafeMutablePointer<Float>) {
    let ranks = min(listSize, size)
    guard ranks > 1 else { return }
    let limit = count == listSize ? paths[worst].metric : .infinity
    for path in 0..<count {
      let first = path * Self.largest
      rank(
        path, values(path), size, below: limit - paths[path].metric + sizes[first], first: 1,
        ranks, skip: Int(positions[first]))
    }
    extend(ranks: ranks, isEven: true)
  }

  /// Finds the smallest values of a path, from one rank on, among those that can still enter the list.
  @inline(__always)
  private func rank(
    _ path: Int, _ values: UnsafeMutablePointer<Float>, _ size: Int, below limit: Float,
    first: Int, _ ranks: Int, skip: Int
  ) {
    let (sizes, positions) = (sizes + path * Self.largest, positions + path * Self.largest)
    var found = first
    var bound = limit
    for i in 0..<size {
      let value = abs(values[i])
      guard value < bound, i != skip else { continue }
      var k = found < ranks ? found : ranks - 1
      while k > first, sizes[k - 1] > value {
        sizes[k] = sizes[k - 1]
        positions[k] = positions[k - 1]
        k -= 1
      }
      sizes[k] = value
      positions[k] = Int32(truncatingIfNeeded: i)
      if found < ranks { found += 1 }
      if found == ranks { bound = min(bound, sizes[ranks - 1]) }
    }
    rankCounts[path] = found
  }

  // MARK: Candidates

  /// Tries the flips of each rank in turn.
  func extend(ranks: Int, isEven: Bool) {
    for rank in (isEven ? 1 : 0)..<ranks {
      var freshCount = 0
      for path in 0..<count {
        var candidate = paths[path]
        let source = Int(candidate.source)
        guard rank < rankCounts[source] else { continue }
        candidate.metric += sizes[source * Self.largest + rank]
        candidate.flips ^= 1 << UInt32(rank)
        if isEven {
          let least = sizes[source * Self.largest]
          candidate.metric += candidate.flips & 1 == 1 ? -least : least
          candidate.flips ^= 1
        }
        fresh[freshCount] = candidate
        freshCount += 1
      }
      var isTaken = false
      for i in 0..<freshCount where take(fresh[i]) { isTaken = true }
      if !isTaken { return }
    }
  }

  /// Puts a candidate in the list, if there is room or it is better than the worst.
  private func take(_ candidate: Candidate) -> Bool {
    var place = count
    if count < listSize {
      count += 1
    } else {
      place = worst
      guard candidate.metric < paths[place].metric else { return false }
    }
    paths[place] = candidate
    return true
  }

  private var worst: Int {
    var place = 0
    for path in 1..<max(count, 1) where paths[path].metric > paths[place].metric { place = path }
    return place
  }

  /// Flips the bits of a new path.
  func flip(_ path: Int, _ bits: UnsafeMutablePointer<UInt32>) {
    var flips = paths[path].flips
    let positions = positions + Int(paths[path].source) * Self.largest
    while flips != 0 {
      bits[Int(positions[flips.trailingZeroBitCount])] ^= SoftValue.sign
      flips &= flips - 1
    }
  }
}
