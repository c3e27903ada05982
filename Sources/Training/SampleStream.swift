import Foundation
import LinkMath

/// Samples that are drawn when they are wanted, new ones in every epoch: a training set without end in the memory of a few
/// batches.
///
/// Epoch e of `count` samples consists of the samples `e count ..< (e + 1) count`, in that order: they are independent, so another one
/// would change nothing. A thread of its own draws ahead of what was asked for last; a batch that is not drawn yet is
/// shared with it by the pool that asks. Which thread draws a sample changes nothing, as a sample is a function of its number.
public final class SampleStream: SampleSource, Sendable {
  /// Inputs and targets of samples that follow each other, `[sample, 2, angle, delay]`; targets are nil if the inputs are the targets.
  public typealias Drawn = (inputs: [Float], targets: [Float]?)
  /// Draws the samples of a range of numbers; called from several threads at once.
  public typealias Draw = @Sendable (_ samples: Range<Int>) throws -> Drawn

  public let sampleSize: Int
  public let count: Int
  public let targetsAreInputs: Bool
  private let window: Window

  /// Samples that are drawn together.
  static let block = 16

  /// - Parameters:
  ///   - count: samples of an epoch.
  ///   - shape: of a sample.
  ///   - hasTargets: whether targets differ from inputs.
  ///   - ahead: samples that are drawn ahead at most; none for drawing when they are wanted only, without another thread.
  ///   - draw: gives the samples.
  public init(
    count: Int, shape: [Int], hasTargets: Bool = false, ahead: Int, draw: @escaping Draw
  ) {
    precondition(count > 0 && ahead >= 0)
    self.count = count
    sampleSize = shape.reduce(1, *)
    targetsAreInputs = !hasTargets
    let size = sampleSize
    window = Window(ahead: (ahead + Self.block - 1) / Self.block) { number in
      let samples = number * Self.block..<(number + 1) * Self.block
      let drawn = try draw(samples)
      for values in [drawn.inputs] + [drawn.targets].compactMap({ $0 }) {
        precondition(values.count == samples.count * size, "a draw gave too few samples")
        guard values.allSatisfy(\.isFinite) else {
          throw TrainingError(
            description:
              "a value is not finite in the drawn samples \(samples.lowerBound) to \(samples.upperBound - 1)"
          )
        }
      }
      return drawn
    }
    if ahead > 0 {
      let window = window
      let thread = Thread { window.work() }
      thread.stackSize = 8 << 20
      thread.name = "csilink samples"
      thread.start()
    }
  }

  deinit { window.stop() }

  public func order(ofEpoch epoch: Int, seed: UInt64) -> [Int] {
    Array(epoch * count..<(epoch + 1) * count)
  }

  public func load(
    _ samples: ArraySlice<Int>, inputs: SampleMemory, targets: SampleMemory, pool: WorkerPool
  ) throws {
    guard let first = samples.first else { return }
    precondition(samples.last == first + samples.count - 1, "samples that are no neighbours")
    let range = first..<first + samples.count
    let blocks = range.lowerBound / Self.block..<(range.upperBound - 1) / Self.block + 1
    for (number, drawn) in zip(blocks, try window.blocks(blocks, pool)) {
      let start = number * Self.block
      let kept = range.clamped(to: start..<start + Self.block)
      let place = (kept.lowerBound - range.lowerBound) * sampleSize
      func copy(_ values: [Float], to memory: SampleMemory) {
        values.withUnsafeBufferPointer {
          (memory.start + place).update(
            from: $0.baseAddress! + (kept.lowerBound - start) * sampleSize,
            count: kept.count * sampleSize)
        }
      }
      copy(drawn.inputs, to: inputs)
      if let values = drawn.targets { copy(values, to: targets) }
    }
  }
}

/// The blocks of samples around the place where a training is.
private final class Window: @unchecked Sendable {
  // Sendable: everything that changes is read and written under `condition`'s lock.
  private enum Block {
    /// Some thread draws it.
    case inWork
    case drawn(Result<SampleStream.Drawn, any Error>)
  }

  private let ahead: Int
  private let draw: @Sendable (Int) throws -> SampleStream.Drawn
  private let condition = NSCondition()
  private var blocks: [Int: Block] = [:]
  private var range = 0..<0
  private var isStopped = false

  init(ahead: Int, draw: @escaping @Sendable (Int) throws -> SampleStream.Drawn) {
    self.ahead = ahead
    self.draw = draw
  }

  private func locked<R>(_ body: () throws -> R) rethrows -> R {
    condition.lock()
    defer { condition.unlock() }
    return try body()
  }

  /// The wanted blocks; those behind them are forgotten, those ahead of them may be drawn from now on.
  func blocks(_ wanted: Range<Int>, _ pool: WorkerPool) throws -> [SampleStream.Drawn] {
    let missing = locked {
      range = wanted.lowerBound..<wanted.upperBound + ahead
      blocks = blocks.filter { range.contains($0.key) }
      let missing = wanted.filter { blocks[$0] == nil }
      for number in missing { blocks[number] = .inWork }
      condition.broadcast()
      return missing
    }
    pool.forEach(missing.count) { index, _ in self.fill(missing[index]) }
    return try locked {
      try wanted.map { number in
        while true {
          if case .drawn(let result) = blocks[number] { return try result.get() }
          condition.wait()
        }
      }
    }
  }

  private func fill(_ number: Int) {
    let result = Result { try draw(number) }
    locked {
      // The training may have gone elsewhere meanwhile.
      if range.contains(number) { blocks[number] = .drawn(result) }
      condition.broadcast()
    }
  }

  /// Draws ahead until stopped.
  func work() {
    while let number = next() { fill(number) }
  }

  /// The next block ahead, when there is room for one; nil if stopped.
  private func next() -> Int? {
    locked {
      while !isStopped {
        if let number = range.first(where: { blocks[$0] == nil }) {
          blocks[number] = .inWork
          return number
        }
        condition.wait()
      }
      return nil
    }
  }

  func stop() {
    locked {
      isStopped = true
      condition.broadcast()
    }
  }
}
