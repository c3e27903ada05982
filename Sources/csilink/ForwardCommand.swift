import ArgumentParser
import DataFiles
import Foundation
import LinkMath
import Networks

extension ForwardRun.Part: ExpressibleByArgument {}

struct ForwardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "forward", abstract: "Run a network with given weights over a file of samples.",
    discussion: """
      Input: a real array [samples, 2, angles, taps] or [samples, 2 angles taps] with values in [0, 1] around 0.5; for \
      '--part decoder' [samples, M], or [samples, K, 1, taps] if the codeword has channels. Files are read in blocks of \
      samples and may be larger than the memory. With the whole autoencoder the NMSE is printed, 0.5 subtracted from both; \
      samples without energy are counted and left out.
      """)

  @Argument(help: "Network; 'csilink inspect' lists all.")
  var network: String

  @Option(name: .shortAndLong, help: ArgumentHelp("Compression ratio 1/n.", valueName: "n"))
  var compression: Int

  @OptionGroup var image: ImageOption

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Folder or .safetensors file of weights; may be repeated, the first that has a side is used.",
      valueName: "path"))
  var weights: [String]

  @Option(
    help: ArgumentHelp(
      "Samples: .npy, .npz, .mat, .csv or .safetensors.", valueName: "file[:variable]"))
  var input: String

  @Option(help: ArgumentHelp("Result, a .npy file.", valueName: "file"))
  var output: String

  @Option(help: "autoencoder, encoder or decoder.")
  var part = ForwardRun.Part.autoencoder

  @OptionGroup var threads: ThreadOption

  func validate() throws {
    if weights.isEmpty { throw ValidationError("--weights is needed at least once") }
  }

  func run() throws {
    let run = try namingNetworks {
      try ForwardRun(
        NetworkChoice(network, compression: compression, image: image.image), part: part,
        weights: weights)
    }
    let interrupt = InterruptFlag()
    let clock = ContinuousClock()
    let began = clock.now
    let summary: ForwardRun.Summary
    do {
      summary = try run.run(
        ArrayFile.open(naming: input), output: output, pool: WorkerPool(threadCount: threads.count),
        shouldStop: { interrupt.isRaised })
    } catch is ForwardRun.Stopped {
      printError("# interrupted; nothing was written")
      throw ExitCode(130)
    }
    let seconds = (clock.now - began) / .seconds(1)
    for path in run.weightPaths { print("# weights: \(path)") }
    print("# output: \(output)")
    print(summary.text)
    print(String(format: "samples/s            %.0f", Double(summary.sampleCount) / seconds))
  }
}
