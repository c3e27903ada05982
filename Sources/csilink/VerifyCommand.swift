import ArgumentParser
import Foundation
import LinkMath
import Networks

struct VerifyCommand: ParsableCommand {
  /// What `--path` takes.
  enum Choice: String, ExpressibleByArgument, CaseIterable {
    case training, inference, both

    var paths: [GoldenVector.Path] {
      GoldenVector.Path(rawValue: rawValue).map { [$0] } ?? GoldenVector.Path.allCases
    }
  }

  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check networks against files of expected results.",
    discussion: """
      A file is .safetensors with all parameters under the keys that 'csilink inspect' shows, 'input' \
      [samples, 2, 32, 32], 'codeword' and 'output', and metadata 'network', 'cr' (the n of 1/n) and 'mode': 'eval' with \
      running statistics, or 'train' with 'loss' (mean square), 'grad_input', 'grad.<key>' and 'after.<statistic>'. \
      README.md has the whole format. Exit codes: 0 all within tolerance, 1 not all, 2 a file cannot be used.
      """)

  @Argument(help: "Files of expected results (.safetensors).")
  var files: [String]

  @Option(
    help: "training, inference, or both, as far as the file's mode has them.")
  var path = Choice.both

  @OptionGroup var threads: ThreadOption

  func run() throws {
    let pool = WorkerPool(threadCount: threads.count)
    var (failed, unusable) = (false, false)
    for file in files {
      do {
        for report in try GoldenVector.verify(file, by: path.paths, pool: pool) {
          print("# \(file): \(report.title)\n\(report.text)")
          failed = failed || !report.passes
        }
      } catch {
        let text = "\(error)"
        printError(text.hasPrefix(file) ? text : "\(file): \(text)")
        unusable = true
      }
    }
    if unusable { throw ExitCode(2) }
    if failed { throw ExitCode(1) }
  }
}
