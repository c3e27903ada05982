import Foundation
import Simulation
import Synchronization
import Training

/// Rate, losses and time left of a training on standard error.
final class TrainingDisplay: Sendable {
  private let line: ProgressLine
  /// Tells the time left of a queue that the training belongs to.
  let queue: QueueClock?

  init(isQuiet: Bool, queue: QueueClock? = nil) {
    line = ProgressLine(isQuiet: isQuiet)
    self.queue = queue
  }

  func show(_ event: TrainingEvent) {
    if case .leftOut(let set, let count, let total) = event {
      line.finish()
      printError("# \(count) of the \(total) \(set) samples have no energy and are left out")
      return
    }
    // The clock of a queue sees every event, shown or not.
    let whole =
      if case .training(let progress) = event { queue?.secondsLeft(progress) } else {
        nil as Double?
      }
    line.show {
      switch event {
      case .drawing(let set, let done, let total): "# drawing \(set) samples: \(done) of \(total)"
      case .training(let progress): text(progress) + (queue.map { text($0, whole) } ?? "")
      case .leftOut: ""
      }
    }
  }

  func finish() { line.finish() }

  private func text(_ queue: QueueClock, _ secondsLeft: Double?) -> String {
    let left = secondsLeft.map { ", all at most \(ProgressLine.clock($0))" } ?? ""
    return "; \(queue.position) of \(queue.count)\(left)"
  }

  private func text(_ progress: TrainingProgress) -> String {
    let rate = Double(progress.samples) / max(progress.elapsed.seconds, 1e-9)
    let left = Double(progress.samplesLeft) / max(rate, 1e-9)
    let level = { (value: Double?) in value.map { String(format: "%.2f dB", $0) } ?? "-" }
    return """
      # \(progress.network): epoch \(progress.epoch) of \(progress.epochs), \
      \(String(format: "%.0f", rate)) samples/s, loss \(String(format: "%.3e", progress.loss)), \
      validation \(level(progress.lastNMSEDB)) (best \(level(progress.bestNMSEDB))), \
      at most \(ProgressLine.clock(left)) left
      """
  }
}
