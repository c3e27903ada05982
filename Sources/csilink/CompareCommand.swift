import ArgumentParser
import Reports
import Simulation

extension Comparison.Format: ExpressibleByArgument {}

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare results: changed settings, and differences that the same drops tell.",
    discussion: """
      Points of equal swept values are compared with those of the first result. Drops are paired with the help of the journals, \
      so that small differences show; without a journal the intervals of the reports are put together. A difference is \
      undecided if its 95 % interval contains zero, or if the drops do not determine it, and equal if all drops have the same numbers. Columns that are no means over drops, such as \
      payload_bits, have no interval, so that they are equal or different. With '--across codec' the points of \
      one result are compared with its first codec.
      """)

  @Argument(help: "Result folders, the reference first; LABEL=FOLDER gives one another name.")
  var results: [String]

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp("Keys whose values are compared with each other.", valueName: "keys"))
  var across: [String] = []

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Values that the reference has of these keys; the first if left out.", valueName: "key=value")
  )
  var reference: [String] = []

  @Option(
    name: .customLong("where"), parsing: .singleValue,
    help: ArgumentHelp(
      "Only points with this value, or with one of several: key=0,10; may be repeated with other keys.",
      valueName: "key=value"))
  var conditions: [String] = []

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Columns of numbers, divided by commas; may be repeated.", valueName: "names"))
  var column: [String] = []

  @Option(help: "table, json or markdown.")
  var format = Comparison.Format.table

  func validate() throws {
    if results.isEmpty { throw ValidationError("name the folders of results") }
    for (option, texts) in [("--reference", reference), ("--where", conditions)] {
      _ = try Self.parsed(texts, option)
    }
  }

  func run() throws {
    let recorded = try results.map { try RecordedResult(reading: $0) }.distinguished
    let columns = column.flatMap(FigureRequest.list)
    let comparison = try Comparison(
      recorded, across: across.flatMap(FigureRequest.list),
      reference: Self.parsed(reference, "--reference"), where: Self.parsed(conditions, "--where"),
      columns: columns.isEmpty ? Comparison.usualColumns : columns)
    print(try comparison.text(format))
    for note in comparison.notes { printError("# \(note)") }
  }

  private static func parsed(_ texts: [String], _ option: String) throws
    -> [FigureRequest.Condition]
  {
    do {
      return try FigureRequest.Condition.list(parsing: texts)
    } catch {
      throw ValidationError("\(option): \(error)")
    }
  }
}
