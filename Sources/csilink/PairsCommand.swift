import ArgumentParser
import LinkMath
import Simulation

struct PairsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pairs",
    abstract: "Write the CSI of a scenario's training with the codewords of its encoder.",
    discussion: """
      The file is all that two vendors exchange: 'training.method: {type: encoder_from_pairs, pairs: FILE}' trains an encoder that \
      gives the same codewords, 'decoder_from_pairs' a decoder that understands them; no weights cross. The encoder is that of \
      codec.weights; size and SHA-256 of the file are printed.
      """)

  @OptionGroup var scenario: ScenarioOptions
  @OptionGroup var compute: ComputeOptions

  @Option(help: ArgumentHelp("The file, ending in .safetensors.", valueName: "file"))
  var file: String

  @Option(
    help:
      "Bits of each real of a codeword, 1 to 16, between its extremes; single precision if left out."
  )
  var bits: Int?

  func validate() throws {
    if let bits, !(1...16).contains(bits) {
      throw ValidationError("--bits must be in 1...16, got \(bits)")
    }
    guard file.hasSuffix(".safetensors") else {
      throw ValidationError("--file must end in .safetensors, got \(file)")
    }
  }

  func run() throws {
    let scenario = try scenario.read()
    let pool = WorkerPool(threadCount: compute.threadCount)
    let export = try PairsExport(scenario, pool: pool, progress: compute.note)
    let display = TrainingDisplay(isQuiet: compute.quiet)
    let interrupt = InterruptFlag()
    let summary = try export.write(
      to: file, in: compute.folder(scenario), bits: bits, progress: { display.show($0) },
      shouldStop: { interrupt.isRaised })
    display.finish()
    guard let summary else {
      printError("# interrupted; the same command starts the file over")
      throw ExitCode(130)
    }
    print("# pairs: \(summary.path)")
    print("encoder    \(summary.network)")
    print("samples    \(summary.counts.map(String.init).joined(separator: " + "))")
    print("bytes      \(summary.bytes)")
    print("sha256     \(summary.sha256)")
  }
}
