import ArgumentParser
import DataFiles
import Foundation
import LinkMath
import Networks

extension CalibrationRule: ExpressibleByArgument {}

struct QuantizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "quantize",
    abstract: "Make weights of 8-bit layers from trained real ones and a file of samples.",
    discussion: """
      The network is named with its 8-bit layers, as in 'csinet {int8: both}'; the weights are those of the same network without. \
      Samples, as 'forward' takes them, tell the ranges of the activations; the NMSE of both networks on them is printed, \
      0.5 subtracted.
      """)

  @Argument(help: "Network with 8-bit layers, as in 'csinet {int8: both}'.")
  var network: String

  @Option(name: .shortAndLong, help: ArgumentHelp("Compression ratio 1/n.", valueName: "n"))
  var compression: Int

  @OptionGroup var image: ImageOption

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Folder or .safetensors file of real weights; may be repeated, the first that has a side is used.",
      valueName: "path"))
  var weights: [String]

  @Option(
    help: ArgumentHelp(
      "Samples: .npy, .npz, .mat, .csv or .safetensors.", valueName: "file[:variable]"))
  var input: String

  @Option(help: "Samples that are read at most.")
  var samples = 1000

  @Option(help: "Ranges by min_max or moving_average.")
  var calibration = CalibrationRule.extremes

  @Option(help: ArgumentHelp("Folder of the new weights, made if missing.", valueName: "folder"))
  var output: String

  @Option(help: "Word that the names of the files get.")
  var label: String?

  @OptionGroup var threads: ThreadOption

  func validate() throws {
    if weights.isEmpty { throw ValidationError("--weights is needed at least once") }
    if samples < 1 { throw ValidationError("--samples is at least 1") }
  }

  func run() throws {
    let quantization = try namingNetworks {
      try Quantization(
        NetworkChoice(network, compression: compression, image: image.image), weights: weights)
    }
    let summary = try quantization.write(
      ArrayFile.open(naming: input), limit: samples, by: calibration, in: output, label: label,
      pool: WorkerPool(threadCount: threads.count))
    for file in summary.files { print("# weights: \(file)") }
    print("samples              \(summary.sampleCount)")
    print("bytes of weights     \(summary.bytes.real) real, \(summary.bytes.quantised) quantised")
    for (name, error) in [("real", summary.real), ("quantised", summary.quantised)] {
      let text = error.nmse.map { String(format: "%.4f dB", 10 * log10($0)) } ?? "none"
      print("NMSE \(name)".padding(toLength: 21, withPad: " ", startingAt: 0) + text)
    }
  }
}
