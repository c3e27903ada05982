/// Successive-cancellation list decoding: up to L paths through the inputs of a polar code, the likeliest ones, all taken
/// through the code's tree in step.
///
/// Soft values are log-likelihood ratios, positive for a zero, in single precision. A left child sees
/// `sign(a) sign(b) min(|a|, |b|)` (min-sum), a right child `b ± a`, and a path pays `|a|` for each bit that is decided
/// against the sign of its soft value a. With these rules the metric of a complete path is exactly the sum of the channel's
/// |LLR| where its code word differs from the signs, so complete paths are ordered by their likelihood.
///
/// All paths write the soft values and bits of a node at the same time, each in its own place; a fork copies no arrays: a
/// path notes in whose place its values of each stage lie.
///
/// Reference: I. Tal and A. Vardy, "List decoding of polar codes", IEEE Trans. Inf. Theory 61 (2015) 2213,
/// doi:10.1109/TIT.2015.2410251; A. Balatsoukas-Stimming, M. Bastani Parizi and A. Burg, "LLR-based successive cancellation
/// list decoding of polar codes", IEEE Trans. Signal Process. 63 (2015) 5165, doi:10.1109/TSP.2015.2439211.
///
/// An instance is the memory of one thread; decoding allocates nothing.
public final class PolarListDecoder {
  /// Largest number of paths.
  public static let largestList = 8
  static let stageLimit = 10
  /// Notes of a path, one for each stage.
  private static let noteCount = 16

  /// Number L of paths.
  public let listSize: Int

  /// [stage][place][2^stage]; the channel's values, at the last stage, have one place.
  private let soft: UnsafeMutablePointer<Float>
  /// Decided bits of left and right children as the sign bits of floats, [stage][place][2^stage].
  private let leftBits, rightBits: UnsafeMutablePointer<UInt32>
  /// Where a path's values lie, [path][stage].
  private let softPlaces, leftPlaces: UnsafeMutablePointer<UInt8>
  private let scratch: UnsafeMutablePointer<UInt32>
  private let penalties: UnsafeMutablePointer<Float>
  /// Of each path: what it paid.
  private let metrics: UnsafeMutablePointer<Float>
  /// Of each path: sums of its bits at positions of each remainder modulo five.
  private let sums: UnsafeMutablePointer<UInt8>
  private let fork: PathFork
  private var pathCount = 1

  /// A decoder that keeps up to 8 paths; 1 is successive cancellation.
  public init(listSize: Int) {
    precondition((1...Self.largestList).contains(listSize), "a list of \(listSize)")
    self.listSize = listSize
    let cells = Self.largestList * (2 << Self.stageLimit)
    soft = .allocate(capacity: cells)
    leftBits = .allocate(capacity: cells)
    rightBits = .allocate(capacity: cells)
    scratch = .allocate(capacity: 1 << Self.stageLimit)
    penalties = .allocate(capacity: 1 << Self.stageLimit)
    let notes = 2 * Self.noteCount * Self.largestList
    softPlaces = .allocate(capacity: notes)
    leftPlaces = .allocate(capacity: notes)
    metrics = .allocate(capacity: Self.largestList)
    sums = .allocate(capacity: Self.largestList)
    fork = PathFork(listSize: listSize)
    soft.initialize(repeating: 0, count: cells)
    leftBits.initialize(repeating: 0, count: cells)
    rightBits.initialize(repeating: 0, count: cells)
    softPlaces.initialize(repeating: 0, count: notes)
    leftPlaces.initialize(repeating: 0, count: notes)
  }

  deinit {
    soft.deallocate()
    leftBits.deallocate()
    rightBits.deallocate()
    scratch.deallocate()
    penalties.deallocate()
    softPlaces.deallocate()
    leftPlaces.deallocate()
    metrics.deallocate()
    sums.deallocate()
  }

  /// The likeliest of the kept paths whose block has check bits that fit; the likeliest of all if none has.
  ///
  /// - Parameters:
  ///   - code: of the block.
  ///   - syndromes: of the bits of the block (``CyclicCode/syndromes(length:)``) [K].
  ///   - received: log P(0)/P(1) of each bit on the channel [E]; values that are not numbers count as zero.
  ///   - block: the bits, each 0 or 1 [K].
  /// - Returns: whether the check bits fit.
  /// - Complexity: O(L N log N).
  public func decode(
    _ code: PolarCode, syndromes: [UInt32], received: UnsafeBufferPointer<Float>,
    into block: UnsafeMutableBufferPointer<UInt8>
  ) -> Bool {
    precondition(received.count == code.codedCount && block.count == code.messageCount)
    precondition(syndromes.count == code.messageCount)
    start(code, received)
    for step in code.schedule.steps { take(step, remembers: code.schedule.hasDependent) }
    return select(code, syndromes, block)
  }

  // MARK: Places

  @inline(__always)
  private func place(_ stage: Int, _ path: Int) -> Int {
    Self.largestList * (1 << stage - 1) + path << stage
  }

  @inline(__always)
  private func softRow(_ stage: Int, _ path: Int) -> UnsafeMutablePointer<Float> {
    soft + place(stage, Int(softPlaces[path * Self.noteCount + stage]))
  }

  @inline(__always)
  private func leftRow(_ stage: Int, _ path: Int) -> UnsafeMutablePointer<UInt32> {
    leftBits + place(stage, Int(leftPlaces[path * Self.noteCount + stage]))
  }

  /// Where a path is to write its soft values; all paths write in the same step.
  @inline(__always)
  private func newSoftRow(_ stage: Int, _ path: Int) -> UnsafeMutablePointer<Float> {
    softPlaces[path * Self.noteCount + stage] = UInt8(truncatingIfNeeded: path)
    return soft + place(stage, path)
  }

  @inline(__always)
  private func newBits(_ step: PolarSchedule.Step, _ path: Int) -> UnsafeMutablePointer<UInt32> {
    guard step.isLeft else { return rightBits + place(step.stage, path) }
    leftPlaces[path * Self.noteCount + step.stage] = UInt8(truncatingIfNeeded: path)
    return leftBits + place(step.stage, path)
  }

  // MARK: Steps

  /// One path, and the channel's values by output of the transform.
  private func start(_ code: PolarCode, _ received: UnsafeBufferPointer<Float>) {
    pathCount = 1
    metrics[0] = 0
    sums[0] = 0
    for path in 0..<Self.largestList {
      softPlaces[path * Self.noteCount + code.stageCount] = 0
    }
    let channel = softRow(code.stageCount, 0)
    channel.update(repeating: 0, count: code.length)
    for output in code.zeroOutputs { channel[output] = SoftValue.certain }
    code.sentOutputs.withUnsafeBufferPointer { outputs in
      for i in outputs.indices { channel[outputs[i]] += SoftValue.finite(received[i]) }
    }
  }

  private func take(_ step: PolarSchedule.Step, remembers: Bool) {
    let count = 1 << step.stage
    switch step.action {
    case .left:
      for path in 0..<pathCount {
        SoftValue.left(softRow(step.stage + 1, path), count, into: newSoftRow(step.stage, path))
      }
    case .right:
      for path in 0..<pathCount {
        SoftValue.right(
          softRow(step.stage + 1, path), leftRow(step.stage, path), count,
          into: newSoftRow(step.stage, path))
      }
    case .rightOfFrozen:
      for path in 0..<pathCount {
        let node = softRow(step.stage + 1, path)
        SoftValue.leftPenalties(node, count, into: penalties)
        metrics[path] += SoftValue.sum(penalties, count)
        SoftValue.sums(node, count, into: newSoftRow(step.stage, path))
      }
    case .combine: combine(step, count / 2, behindFrozen: false)
    case .combineFrozen: combine(step, count / 2, behindFrozen: true)
    case .frozen:
      for path in 0..<pathCount {
        SoftValue.penalties(softRow(step.stage, path), count, into: penalties)
        metrics[path] += SoftValue.sum(penalties, count)
        newBits(step, path).update(repeating: 0, count: count)
      }
    case .dependent: depend(step)
    case .repetition, .parityCheck, .free:
      decide(step, count)
      if remembers { remember(step, count) }
    }
  }

  private func combine(_ step: PolarSchedule.Step, _ half: Int, behindFrozen: Bool) {
    for path in 0..<pathCount {
      let right = rightBits + place(step.stage - 1, path)
      let bits = newBits(step, path)
      if behindFrozen {
        bits.update(from: right, count: half)
      } else {
        let left = leftRow(step.stage - 1, path)
        for i in 0..<half { bits[i] = left[i] ^ right[i] }
      }
      (bits + half).update(from: right, count: half)
    }
  }

  /// A parity-check bit: what the path's earlier bits say.
  private func depend(_ step: PolarSchedule.Step) {
    for path in 0..<pathCount {
      let value = softRow(0, path)[0]
      let isOne = sums[path] >> UInt8(step.first % 5) & 1 == 1
      if isOne ? value > 0 : value < 0 { metrics[path] += abs(value) }
      newBits(step, path)[0] = isOne ? SoftValue.sign : 0
    }
  }

  /// Adds the inputs behind the bits of a node to the sums that parity-check bits are.
  private func remember(_ step: PolarSchedule.Step, _ count: Int) {
    for path in 0..<pathCount {
      scratch.update(
        from: (step.isLeft ? leftBits : rightBits) + place(step.stage, path), count: count)
      PolarCode.transform(scratch, count: count)
      for i in 0..<count {
        sums[path] ^= UInt8(scratch[i] >> 31) << UInt8((step.first + i) % 5)
      }
    }
  }

  /// A node that is decided as a whole: the best paths among all continuations.
  private func decide(_ step: PolarSchedule.Step, _ count: Int) {
    fork.start(metrics, pathCount)
    switch step.action {
    case .repetition:
      for path in 0..<pathCount { fork.repeated(path, softRow(step.stage, path), count, penalties) }
      fork.extend(ranks: 1, isEven: false)
    case .parityCheck:
      for path in 0..<pathCount { fork.even(path, softRow(step.stage, path), count) }
      fork.rankEven(count) { softRow(step.stage, $0) }
    default: fork.rankFree(count) { softRow(step.stage, $0) }
    }
    if fork.hasMoved(pathCount) { move() }
    pathCount = fork.count
    for path in 0..<pathCount {
      metrics[path] = fork.paths[path].metric
      let bits = newBits(step, path)
      if step.action == .repetition {
        bits.update(repeating: fork.repeatedSign(path), count: count)
      } else {
        SoftValue.signs(softRow(step.stage, path), count, into: bits)
        fork.flip(path, bits)
      }
    }
  }

  /// Gives each path the notes of the one that it continues.
  private func move() {
    let size = Self.noteCount * Self.largestList
    (softPlaces + size).update(from: softPlaces, count: size)
    (leftPlaces + size).update(from: leftPlaces, count: size)
    var old: UInt64 = 0
    for path in 0..<pathCount { old |= UInt64(sums[path]) << UInt64(8 * path) }
    for path in 0..<fork.count {
      let source = Int(fork.paths[path].source)
      guard source != path else { continue }
      let (to, from) = (path * Self.noteCount, size + source * Self.noteCount)
      (softPlaces + to).update(from: softPlaces + from, count: Self.noteCount)
      (leftPlaces + to).update(from: leftPlaces + from, count: Self.noteCount)
      sums[path] = UInt8(truncatingIfNeeded: old >> UInt64(8 * source))
    }
  }

  // MARK: Result

  private func select(
    _ code: PolarCode, _ syndromes: [UInt32], _ block: UnsafeMutableBufferPointer<UInt8>
  ) -> Bool {
    var left = (1 << pathCount) - 1
    var best = -1
    while left != 0 {
      var next = left.trailingZeroBitCount
      for path in next..<pathCount where left >> path & 1 == 1 && metrics[path] < metrics[next] {
        next = path
      }
      left &= ~(1 << next)
      if best < 0 { best = next }
      if read(code, path: next, block, syndromes) == 0 { return true }
    }
    _ = read(code, path: best, block, syndromes)
    return false
  }

  /// The bits of a path's block, and its syndrome.
  private func read(
    _ code: PolarCode, path: Int, _ block: UnsafeMutableBufferPointer<UInt8>,
    _ syndromes: [UInt32]
  ) -> UInt32 {
    scratch.update(from: rightBits + place(code.stageCount, path), count: code.length)
    PolarCode.transform(scratch, count: code.length)
    var syndrome: UInt32 = 0
    code.messagePositions.withUnsafeBufferPointer { positions in
      syndromes.withUnsafeBufferPointer { syndromes in
        for k in positions.indices {
          let bit = scratch[positions[k]] >> 31
          block[k] = UInt8(truncatingIfNeeded: bit)
          syndrome ^= syndromes[k] & (0 &- bit)
        }
      }
    }
    return syndrome
  }
}
