import CKernels
import Foundation
import Synchronization

/// A fixed set of threads that run the iterations of a loop.
///
/// Results must not depend on which worker runs an iteration: callers write to disjoint places, or fold afterwards in
/// index order. Loops are not nested: a loop started from inside a worker of the same pool runs on that worker alone.
public final class WorkerPool: Sendable {
  /// Workers that share a loop, the calling thread included.
  public let threadCount: Int
  private let shared: Shared

  /// - Parameter threadCount: workers including the calling thread, at least 1.
  public init(threadCount: Int) {
    precondition(threadCount >= 1)
    self.threadCount = threadCount
    let shared = Shared()
    self.shared = shared
    for worker in 1..<max(threadCount, 1) {
      let thread = Thread { shared.work(as: worker) }
      thread.stackSize = 8 << 20
      thread.name = "csilink worker \(worker)"
      thread.start()
    }
  }

  deinit { shared.stop() }

  /// Runs `body(index, worker)` for every index in 0..<count; indices are handed out in ascending order.
  ///
  /// - Parameters:
  ///   - count: number of iterations.
  ///   - body: `worker` is below ``threadCount`` and no two concurrent calls share it, so it may select scratch memory.
  /// - Throws: the error of the lowest failing index; indices handed out later may be skipped.
  public func forEach(_ count: Int, _ body: @escaping @Sendable (Int, Int) throws -> Void) throws {
    let failure = FirstFailure()
    forEach(count) { index, worker in
      if failure.happened.load(ordering: .relaxed) { return }
      do {
        try body(index, worker)
      } catch {
        failure.record(index, error)
      }
    }
    if let error = failure.error { throw error }
  }

  /// Runs `body(index, worker)` for every index in 0..<count, for bodies that do not throw.
  public func forEach(_ count: Int, _ body: @escaping @Sendable (Int, Int) -> Void) {
    guard count > 0 else { return }
    if threadCount == 1 || count == 1 || !shared.claim() {
      for index in 0..<count { body(index, 0) }
      return
    }
    shared.run(Loop(count: count, helpers: threadCount - 1, body: body))
    shared.release()
  }
}

extension WorkerPool {
  /// The results of `body(index, worker)` for every index in 0..<count, in the order of the indices.
  ///
  /// - Throws: the error of the lowest failing index.
  public func map<Value: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int, Int) throws -> Value
  ) throws -> [Value] {
    let results = Mutex([Value?](repeating: nil, count: count))
    try forEach(count) { index, worker in
      let value = try body(index, worker)
      results.withLock { $0[index] = value }
    }
    return results.withLock { $0.map { $0! } }
  }

  /// The results of `body(index, worker)` for every index in 0..<count, in the order of the indices, for bodies that do not throw.
  public func map<Value: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int, Int) -> Value
  ) -> [Value] {
    let results = Mutex([Value?](repeating: nil, count: count))
    forEach(count) { index, worker in
      let value = body(index, worker)
      results.withLock { $0[index] = value }
    }
    return results.withLock { $0.map { $0! } }
  }
}

/// The error of the lowest index of a loop.
private final class FirstFailure: Sendable {
  let happened = Atomic(false)
  private let first = Mutex<(index: Int, error: any Error)?>(nil)

  var error: (any Error)? { first.withLock { $0?.error } }

  func record(_ index: Int, _ error: any Error) {
    happened.store(true, ordering: .relaxed)
    first.withLock { if $0 == nil || index < $0!.index { $0 = (index, error) } }
  }
}

/// One parallel loop: a counter of indices handed out and one of workers still inside.
private final class Loop: Sendable {
  let count: Int
  let body: @Sendable (Int, Int) -> Void
  let next = Atomic(0)
  let inside: Atomic<Int>

  init(count: Int, helpers: Int, body: @escaping @Sendable (Int, Int) -> Void) {
    self.count = count
    self.body = body
    inside = Atomic(helpers)
  }

  func run(as worker: Int) {
    while true {
      let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard index < count else { return }
      body(index, worker)
    }
  }
}

/// What the pool's threads wait on: a generation number that rises with each loop, watched for a bounded time and then
/// slept on.
private final class Shared: @unchecked Sendable {
  // Sendable: `loop` and `stopped` are read and written under `condition`'s lock.
  private let condition = NSCondition()
  private let generation = Atomic(0)
  private let busy = Atomic(false)
  private var loop: Loop?
  private var stopped = false
  /// Pauses of some 20 ns: longer than the serial work between the loops of a training step, shorter than what going to
  /// sleep and being woken costs several times over.
  private static let spins = 2500

  func claim() -> Bool {
    busy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
  }

  func release() { busy.store(false, ordering: .releasing) }

  func run(_ loop: Loop) {
    condition.lock()
    self.loop = loop
    generation.wrappingAdd(1, ordering: .releasing)
    condition.broadcast()
    condition.unlock()
    loop.run(as: 0)
    for _ in 0..<Shared.spins where loop.inside.load(ordering: .acquiring) > 0 { csk_pause() }
    condition.lock()
    while loop.inside.load(ordering: .acquiring) > 0 { condition.wait() }
    self.loop = nil
    condition.unlock()
  }

  func work(as worker: Int) {
    var seen = 0
    while true {
      for _ in 0..<Shared.spins where generation.load(ordering: .acquiring) == seen { csk_pause() }
      condition.lock()
      while generation.load(ordering: .acquiring) == seen && !stopped { condition.wait() }
      let (current, end) = (loop, stopped)
      seen = generation.load(ordering: .acquiring)
      condition.unlock()
      if end { return }
      guard let current else { continue }
      current.run(as: worker)
      if current.inside.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
        condition.lock()
        condition.broadcast()
        condition.unlock()
      }
    }
  }

  func stop() {
    condition.lock()
    stopped = true
    condition.broadcast()
    condition.unlock()
  }
}
