import ArgumentParser
import Foundation
import LinkMath
import Reports
import Simulation

extension FigureRequest.Scale: ExpressibleByArgument {}

struct PlotCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot", abstract: "Draw a figure of one or several results, without computing.",
    discussion: """
      Reads report.csv and the manifest beside it. A key is a swept path (pilots.snr_db), a column of the report, another \
      path of the link whose value differs between results, or 'result', the results themselves. One curve is drawn for \
      each combination of the series' values: the first key tells the colour, the others dash and marker. The ending of the \
      output decides: .pdf, .svg, .png (drawn by gnuplot), .tex or .tikz (pgfplots), .gp (program for gnuplot), .txt (numbers).
      """)

  @Argument(help: "Result folders or report.csv files; LABEL=FOLDER gives one another name.")
  var results: [String]

  @Option(help: "Key or column to the right; the first swept key if left out.")
  var x: String?

  @Option(help: "Column upwards.")
  var y = Column.nmseDB.name

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Keys of the curves, divided by commas; all others that vary if left out.", valueName: "keys")
  )
  var series: [String] = []

  @Option(help: "Key of the panels.")
  var facet: String?

  @Option(
    name: .customLong("where"), parsing: .singleValue,
    help: ArgumentHelp(
      "Only points with this value, or with one of several: key=0,10; may be repeated with other keys.",
      valueName: "key=value"))
  var conditions: [String] = []

  @Flag(help: "Draw the distribution of the column of --y over drops, read from the journals.")
  var cdf = false

  @Option(help: "linear or log; chosen from the values if left out.")
  var xScale: FigureRequest.Scale?

  @Option(help: "linear or log.")
  var yScale: FigureRequest.Scale?

  @Option(help: "Text above the figure.")
  var title: String?

  @Flag(help: "Print digest and seed below the figure.")
  var footer = false

  @Option(
    help: ArgumentHelp(
      "Width and height in millimetres; of pgfplots 88x66 if left out, and 160 wide with several panels.",
      valueName: "WxH"))
  var size: String?

  @Option(name: .shortAndLong, help: ArgumentHelp("File of the figure.", valueName: "file"))
  var output: String

  func validate() throws {
    if cdf, x != nil { throw ValidationError("--cdf has the values of --y to the right, not --x") }
    if results.isEmpty { throw ValidationError("name the folder of a result") }
    if let facet, facet.contains(",") {
      throw ValidationError("--facet takes one key, got '\(facet)'; others go to --series")
    }
    if let size, Self.millimetres(size) == nil {
      throw ValidationError(
        "--size must be width x height in millimetres, such as 88x66, got '\(size)'")
    }
    _ = try request()
  }

  func run() throws {
    let recorded = try results.map { path in
      let result = try RecordedResult(reading: path)
      return cdf ? try result.distribution(of: y) : result
    }
    var figure = try Figure(request(), of: recorded.distinguished)
    figure.title = title
    figure.millimetres = size.flatMap(Self.millimetres)
    if footer { figure.footer = recorded.footer }
    try FigureFile.write(figure, to: output, version: ProgramIdentity.version)
    for note in figure.notes { printError("# \(note)") }
    print("# plot: \(output)")
  }

  private func request() throws -> FigureRequest {
    var request = FigureRequest(y: y)
    request.x = x
    let keys = series.flatMap(FigureRequest.list)
    request.series = series.isEmpty ? nil : keys
    request.facet = facet
    if cdf { (request.x, request.y) = (y, RecordedResult.shareKey) }
    (request.xScale, request.yScale) = (xScale ?? (cdf ? .linear : nil), yScale)
    do {
      request.conditions = try FigureRequest.Condition.list(parsing: conditions)
    } catch {
      throw ValidationError("--where: \(error)")
    }
    return request
  }

  private static func millimetres(_ text: String) -> (width: Double, height: Double)? {
    let parts = text.split(separator: "x").compactMap { Double($0) }
    guard parts.count == 2, parts.allSatisfy({ (20...2000).contains($0) }) else { return nil }
    return (parts[0], parts[1])
  }
}
