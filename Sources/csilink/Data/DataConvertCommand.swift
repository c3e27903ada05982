import ArgumentParser
import DataFiles
import Datasets
import Foundation

extension DatasetConversion.Scale: ExpressibleByArgument {}

struct DataConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Copy arrays to another format, or channels to another layout.",
    discussion: """
      Formats go by the extension: .npy, .npz, .mat, .csv, .safetensors; the input may also be a folder that 'data generate' \
      made. Files may be larger than the memory. A .mat file is v5, or v7.3 from 2 GiB on. .csv holds rows: later axes lie side \
      by side, complex numbers as re, im; --shape and --complex bring them back. With --layout-out channels change their layout: \
      csinet, real [drop, 2, angle, delay] as 0.5 + 0.5 h; delay, complex [drop, delay, angle]; frequency, complex \
      [drop, tone, port].
      """)

  @Argument(help: "File, or folder of a generated data set.") var input: String
  @Argument(help: "File that is written.") var output: String
  @OptionGroup var record: RecordOptionGroup

  @Option(help: "Layout of the input: csinet, frequency or delay.")
  var layoutIn: RecordOptions.Layout?
  @Option(help: "Layout of the output.") var layoutOut: RecordOptions.Layout?
  @Option(help: "To csinet: one factor for the file, one for each sample, or none.")
  var scale = DatasetConversion.Scale.file
  @Option(help: "Name of the array in the output.") var name: String?
  @Option(help: "5 or 7.3.") var matVersion: String?
  @Option(help: "Axes of a row of a table, such as 2,32,32.") var shape: String?
  @Flag(help: "Columns of a table are real and imaginary parts in turn.") var complex = false
  @Flag(help: "Write double precision as single.") var single = false

  private var outputSuffix: String? { ArrayFormat.suffix(of: output) }

  private var format: ArrayFormat? {
    matVersion.map { $0 == "5" ? .mat5 : .mat73 }
  }

  func validate() throws {
    if let matVersion, !["5", "7.3"].contains(matVersion) || outputSuffix != "mat" {
      throw ValidationError("--mat-version is 5 or 7.3, and needs a .mat file as output")
    }
    if let shape, axes(shape) == nil {
      throw ValidationError("--shape must be positive numbers such as 2,32,32, got \(shape)")
    }
    if layoutOut == nil && layoutIn != nil {
      throw ValidationError("--layout-in needs --layout-out")
    }
    if layoutOut != nil && (shape != nil || complex) {
      throw ValidationError("--shape and --complex do not go with --layout-out")
    }
  }

  private func axes(_ text: String) -> [Int]? {
    let axes = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    return axes.allSatisfy { $0.map { $0 > 0 } ?? false } ? axes.map { $0! } : nil
  }

  func run() throws {
    let line = ProgressLine()
    let interrupt = InterruptFlag()
    let conversion = DatasetConversion(
      output: output, format: format,
      progress: { done, all in line.show { "# \(done) of \(all) rows" } },
      shouldStop: { interrupt.isRaised })
    let outcome: DatasetConversion.Outcome
    do {
      outcome = try namingOptions { try convert(conversion) }
    } catch is DatasetConversion.Stopped {
      line.finish()
      printError("# interrupted; nothing was written")
      throw ExitCode(130)
    }
    line.finish()
    for array in outcome.arrays { print(array) }
    if let factor = outcome.factor { print("scale  \(factor)") }
    print("# output: \(output) (\(outcome.format.rawValue))")
  }

  private func convert(_ conversion: DatasetConversion) throws -> DatasetConversion.Outcome {
    guard let layoutOut else {
      guard record.axes.isEmpty else {
        throw ValidationError("--axes needs --layout-out: frequency, delay or csinet")
      }
      let table =
        shape != nil || complex
        ? try self.table() : nil
      return try conversion.copy(
        try sources(), name: name, table: table, single: single)
    }
    let source = try RecordSource(input, variable: record.variable)
    warn([source])
    let options = record.options(layoutIn).completed(by: source.manifest)
    guard let layout = try RecordReading.guess(source, options) else {
      throw ValidationError("--layout-in is needed: csinet, frequency or delay")
    }
    return try conversion.convert(
      RecordReading(source, layout, options), to: layoutOut, scale: scale, name: name)
  }

  private func table() throws -> DatasetConversion.TableShape {
    if let shape, let axes = axes(shape) { return .init(axes: axes, isComplex: complex) }
    let columns = try RecordSource(input, variable: record.variable).info.valuesPerRow
    guard columns % 2 == 0 else {
      throw ValidationError("--complex needs an even number of columns, got \(columns)")
    }
    return .init(axes: [columns / 2], isComplex: true)
  }

  /// All arrays of a file or data set if none is named and the output holds several.
  private func sources() throws -> [RecordSource] {
    let holdsSeveral = !["npy", "csv"].contains(outputSuffix)
    var sources: [RecordSource]
    if record.variable == nil, holdsSeveral, let names = names() {
      sources = try names.map { try RecordSource(input, variable: $0) }
    } else {
      sources = [try RecordSource(input, variable: record.variable)]
    }
    warn(sources)
    return sources
  }

  /// Names of several arrays that the input itself holds.
  private func names() -> [String?]? {
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: input, isDirectory: &isFolder), isFolder.boolValue {
      return (try? RecordSource(input))?.manifest?.arrays.map(\.name)
    }
    guard let list = try? ArrayFile.list(input), list.count > 1 else { return nil }
    return list.map(\.name)
  }

  /// Tells what was not used of a manifest, and which arrays of the data set are left out.
  private func warn(_ sources: [RecordSource]) {
    if let warning = sources[0].warning { printError("warning: \(warning)") }
    guard record.variable == nil, let manifest = sources[0].manifest else { return }
    let left = manifest.arrays.map(\.name).dropFirst(sources.count)
    guard !left.isEmpty else { return }
    printError("# left out: \(left.joined(separator: ", "))")
  }
}
