import Synchronization
import Training

/// Time left of a queue of trainings, from the multiply-accumulates per second of what this process has trained.
public final class QueueClock: Sendable {
  private struct State {
    /// Which of the queue is in work.
    var number = 0
    /// Multiply-accumulates and seconds of trainings that are over.
    var (work, seconds) = (0.0, 0.0)
    /// Network in work: multiply-accumulates and seconds so far.
    var current: (network: String, work: Double, seconds: Double)?
  }

  private let workloads: [[TrainingWork]]
  private let state = Mutex(State())

  /// - Parameter workloads: of each training, in their order; empty if that is not known.
  public init(_ workloads: [[TrainingWork]]) { self.workloads = workloads }

  /// A training is in work.
  ///
  /// - Parameter number: its place in the queue, from 0.
  public func begin(_ number: Int) {
    state.withLock { state in
      state.number = number
      Self.conclude(&state)
    }
  }

  private static func conclude(_ state: inout State) {
    state.work += state.current?.work ?? 0
    state.seconds += state.current?.seconds ?? 0
    state.current = nil
  }

  /// Seconds until all are trained, without early stops: what is left of the multiply-accumulates over those done per second.
  ///
  /// - Parameter progress: of the training in work.
  /// - Returns: nil as long as there is no speed to tell it from, and for a network whose work is not known.
  public func secondsLeft(_ progress: TrainingProgress) -> Double? {
    state.withLock { state in
      let mine = workloads[state.number]
      guard let place = mine.firstIndex(where: { $0.network == progress.network }) else {
        return nil
      }
      if state.current?.network != progress.network { Self.conclude(&state) }
      let products = mine[place].products
      let done = (
        progress.network, Double(progress.samples) * products, progress.elapsed.seconds
      )
      state.current = done
      let rate = (state.work + done.1) / (state.seconds + done.2)
      guard rate > 0, rate.isFinite else { return nil }
      let later = mine[(place + 1)...] + workloads[(state.number + 1)...].joined()
      let rest = later.reduce(Double(progress.samplesLeft) * products) { $0 + $1.total }
      return rest / rate
    }
  }

  /// How many there are.
  public var count: Int { workloads.count }

  /// Which one is in work, from 1.
  public var position: Int { state.withLock { $0.number + 1 } }
}
