import DataFiles
import Foundation

/// Files of figures: the ending of the name decides what is written.
public enum FigureFile {
  /// Endings: pictures that gnuplot draws, its program, and LaTeX.
  public static let endings = ["pdf", "svg", "png", "tex", "tikz", "gp", "txt"]

  /// Writes a figure to a file.
  ///
  /// `.pdf`, `.svg` and `.png` are drawn by gnuplot; `.tex` and `.tikz` are a picture of pgfplots, `.gp` the program of gnuplot
  /// with its numbers, `.txt` the numbers as they are drawn.
  ///
  /// - Throws: ``FigureError`` for another ending, or if gnuplot is missing or fails; `DataFileError` if nothing can be written
  ///   there. A file that was there stays as it was then.
  public static func write(_ figure: Figure, to path: String, version: String) throws {
    let url = URL(fileURLWithPath: path)
    let ending = url.pathExtension.lowercased()
    let name = url.deletingPathExtension().lastPathComponent
    var figure = figure
    figure.name = name
    switch ending {
    case "tex", "tikz":
      try requireRoom(figure, path, needed: PGFFigure(figure: figure).neededMillimetres)
      try AtomicFile.write(PGFFigure(figure: figure).text(version: version), to: path)
    case "txt": try AtomicFile.write(figure.description, to: path)
    case "gp":
      try requireRoom(figure, path, needed: FigureLayout(figure).neededMillimetres)
      let text = GnuplotFigure.program(
        [figure], GnuplotFigure.Format.allCases, version: version, file: url.lastPathComponent)
      try AtomicFile.write(text, to: path)
    default:
      try requireRoom(figure, path, needed: FigureLayout(figure).neededMillimetres)
      guard let format = GnuplotFigure.Format(rawValue: ending) else {
        throw FigureError(
          message: "a figure cannot be written to '\(path)'",
          hint: "the name ends in .\(endings.joined(separator: ", ."))")
      }
      try draw(figure, format, to: path, version: version)
    }
  }

  /// - Throws: for panels that are too small to be read, with the size that they need.
  private static func requireRoom(
    _ figure: Figure, _ path: String, needed: (width: Int, height: Int)?
  ) throws(FigureError) {
    guard let needed else { return }
    let panels = figure.panels.count > 1 ? "\(figure.panels.count) panels" : "the panel"
    throw FigureError(
      message: "\(path): \(panels) and the legend have no room",
      hint:
        "write --size \(needed.width)x\(needed.height) or more, or choose fewer curves with --where, --series "
        + "and --facet")
  }

  /// Draws in a folder of its own, so that a picture appears as a whole or not at all.
  private static func draw(
    _ figure: Figure, _ format: GnuplotFigure.Format, to path: String, version: String
  ) throws {
    let folder = NSTemporaryDirectory() + "csilink-figure-\(UUID().uuidString)"
    try AtomicFile.createFolder(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var plain = figure
    plain.name = "figure"
    let script = "figure.gp"
    try AtomicFile.write(
      GnuplotFigure.program([plain], [format], version: version, file: script),
      to: "\(folder)/\(script)")
    do throws(Gnuplot.Failure) {
      try Gnuplot.run(
        Gnuplot.find(), script: script, inFolder: folder, outputs: ["figure.\(format.rawValue)"])
    } catch {
      throw FigureError(
        message: "\(path) was not drawn: \(error.reason)",
        hint: "install gnuplot, or write to a name that ends in .gp, .tex or .txt")
    }
    let picture = try Data(
      contentsOf: URL(fileURLWithPath: "\(folder)/figure.\(format.rawValue)"))
    try AtomicFile.write(picture, to: path)
  }
}
