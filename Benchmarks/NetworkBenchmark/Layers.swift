import ArgumentParser
import Foundation
import LinkMath
import Networks

struct Layers: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Arithmetic rate of each convolution on one thread, and of a whole training step.")
  @OptionGroup var common: Common
  @Option(help: "Worker threads of the training step.") var threads = 2

  func run() throws {
    let autoencoder = try common.autoencoder()
    let peak = KernelTiming.peak(seconds: 0.3)
    print(String(format: "\(KernelTiming.level), FMA peak of one thread: %.1f GFLOP/s", peak))
    print("GFLOP/s of the plain sums; % of the peak by the multiply-adds made")
    print("| layer | count | forward | % | backward data | % | backward weights | % |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for layer in KernelTiming.convolutions(of: autoencoder) {
      let rates = layer.rates(seconds: common.seconds / 20)
      let made = layer.multiplications
      let cells = [(rates.forward, made), (rates.backwardData, made), (rates.backwardWeights, 1)]
        .map {
          String(format: "%.1f | %.0f", $0, $0 * $1 / peak * 100)
        }
      print("| \(layer.name) | \(layer.count) | \(cells.joined(separator: " | ")) |")
    }
    let work = Double(KernelTiming.trainingFlops(of: autoencoder))
    let pool = WorkerPool(threadCount: threads)
    let trainer = try AutoencoderTrainer(
      autoencoder, weights: common.weights(autoencoder), capacity: common.batch, pool: pool)
    let adam = Adam(trainer.groups, pool: pool)
    let batch = try common.batches()[0]
    let time = common.time {
      _ = trainer.differentiate(batch, target: batch)
      adam.update(rate: 1e-3)
    }
    let rate = work * Double(common.batch) / time.mean / 1e9
    print(
      String(
        format: "training step: %.2f ms, %.1f GFLOP/s, %.0f %% of the peak of \(threads) threads",
        time.mean * 1e3, rate, rate / peak / Double(threads) * 100))
  }
}
