import Foundation
import Simulation
import Synchronization
import Training

/// Rate, losses and time left of a training on standard error.
final class TrainingDisplay: Sendable {
  private let line: ProgressLine

  init(isQuiet: Bool) { line = ProgressLine(isQuiet: isQuiet) }

  func show(_ event: TrainingEvent) {
    if case .leftOut(let set, let count, let total) = event {
      line.finish()
      printError("# \(count) of the \(total) \(set) samples have no energy and are left out")
      return
    }
    line.show {
      switch event {
      case .drawing(let set, let done, let total): "# drawing \(set) samples: \(done) of \(total)"
      case .training(let progress): text(progress)
      case .leftOut: ""
      }
    }
  }

  func finish() { line.finish() }

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
