import Foundation

/// A figure as a LaTeX picture of pgfplots, in the fonts of the document that includes it.
///
/// The document loads `pgfplots` with the library `groupplots` and says `\input{figure.tex}`.
struct PGFFigure {
  let figure: Figure

  /// Marks of pgfplots' own library, in the order of the markers.
  private static let marks = [
    "*", "square*", "triangle*", "diamond*", "pentagon*", "o", "square", "triangle", "diamond",
    "pentagon",
  ]
  private static let dashes = [
    "solid", "dashed", "dotted", "dash pattern=on 5pt off 2pt on 1pt off 2pt", "densely dashed",
  ]

  func text(version: String) -> String {
    let plots = figure.panels.indices.map {
      self.panel(figure.panels[$0], isFirst: $0 == 0, hasLegend: $0 == legendPanel)
    }
    return """
      % Written by csilink \(version.onOneLine). Needs \\usepackage{pgfplots}, \\usepgfplotslibrary{groupplots} and
      % \\pgfplotsset{compat=1.16} or later.
      \(colours)
      \\begin{tikzpicture}
      \\begin{groupplot}[
        group style={group size=\(columns) by \(rowCount), horizontal sep=9mm, vertical sep=\(numberText(16 + slantedMillimetres))mm, xlabels at=edge bottom, ylabels at=edge left},
        scale only axis, width=\(numberText(panel.width))mm, height=\(numberText(panel.height))mm,
        xlabel={\(Self.escaped(figure.x.label))}, ylabel={\(Self.escaped(figure.y.label))},
        xmin=\(numberText(figure.x.range.lowerBound)), xmax=\(numberText(figure.x.range.upperBound)),
        ymin=\(numberText(figure.y.range.lowerBound)), ymax=\(numberText(figure.y.range.upperBound)),
        \(scales)grid=major, grid style={black!12},
        legend cell align=left, \(legendShape(size.width)), legend style={font=\\footnotesize, draw=black!30, \(isBelow ? "at={(0,0)}, yshift=-\(numberText(12 + slantedMillimetres))mm" : "at={(1.03,1)}"), anchor=north west},
        every axis plot/.append style={thick, mark size=1.5pt, mark options={solid}},
      ]
      \(plots.joined(separator: "\n"))
      \\end{groupplot}\(footer)
      \\end{tikzpicture}

      """
  }

  private var columns: Int { FigureLayout.columns(figure.panels.count) }
  private var rowCount: Int { (figure.panels.count + columns - 1) / columns }

  /// Of the whole picture, in millimetres.
  private var size: (width: Double, height: Double) {
    figure.millimetres.map { ($0.width, $0.height) }
      ?? (columns == 1 ? (88, 66) : (160, 60 * Double(rowCount)))
  }

  /// Sides of the inside of a panel, below which nothing can be read in it, and what its axis and the gap take.
  private static let leastPanel = (width: 20.0, height: 15.0)
  private static let aroundPanel = 18.0

  /// Millimetres that a figure whose size is given needs at least; nil if it has them.
  var neededMillimetres: (width: Int, height: Int)? {
    let needed = (
      width: Double(columns) * (Self.leastPanel.width + Self.aroundPanel),
      height: Double(rowCount) * (Self.leastPanel.height + Self.aroundPanel)
    )
    guard needed.width > size.width || needed.height > size.height else { return nil }
    return (
      Int(max(needed.width, size.width).rounded(.up)),
      Int(max(needed.height, size.height).rounded(.up))
    )
  }

  /// Of the inside of a panel, in millimetres.
  private var panel: (width: Double, height: Double) {
    (
      max(size.width / Double(columns) - Self.aroundPanel, Self.leastPanel.width),
      max(size.height / Double(rowCount) - Self.aroundPanel, Self.leastPanel.height)
    )
  }

  /// Whether names of categories are written aslant: where they have no room side by side, 2 mm a letter.
  private var isSlanted: Bool {
    !figure.x.isNumeric
      && 2 * Double(FigureLayout(figure).longestMark * figure.x.values.count) > panel.width
  }

  /// Whether the legend stands below the panels; beside a single one whose names are written aslant.
  private var isBelow: Bool { figure.panels.count > 1 || !isSlanted }

  /// The panel that the legend belongs to: the lowest one on the left, so that it covers none.
  private var legendPanel: Int {
    isBelow ? (figure.panels.count - 1) / columns * columns : 0
  }

  /// Room for names that are written aslant below a panel, 1.5 mm a letter.
  private var slantedMillimetres: Double {
    isSlanted ? 1.5 * Double(FigureLayout(figure).longestMark) : 0
  }

  /// At the lower right of all.
  private var footer: String {
    figure.footer.map { text in
      "\n\\node[anchor=north east, font=\\scriptsize, text=black!50] at (current bounding box.south east) {\(Self.escaped(text))};"
    } ?? ""
  }

  /// Below the panels as many entries stand side by side as the width has room for, 2 mm a letter; beside them one.
  ///
  /// pgfplots fills the columns of a legend one after the other if it is transposed, and then takes the number of rows.
  private func legendShape(_ width: Double) -> String {
    let legend = FigureLayout(figure).legend
    let longest = legend.map(\.label.count).max() ?? 0
    let columns = isBelow ? max(1, Int(width / (12 + 2 * Double(longest)))) : 1
    let rows = (legend.count + columns - 1) / columns
    if columns == 1 { return "legend columns=1" }
    return rows <= 1 ? "legend columns=-1" : "transpose legend, legend columns=\(rows)"
  }

  private var colours: String {
    Figure.Style.colours.enumerated().map {
      "\\definecolor{csilink\($0)}{HTML}{\($1.dropFirst().uppercased())}%"
    }.joined(separator: "\n")
  }

  private var scales: String {
    var options = ""
    if figure.x.scale == .logarithmic { options += "xmode=log, log basis x=10, " }
    if figure.y.scale == .logarithmic { options += "ymode=log, " }
    if let marks = figure.x.marks {
      options += "xtick={\(marks.map { numberText($0.position) }.joined(separator: ","))}, "
      let texts = FigureLayout.shortened(marks.map(\.text)).map { "{\(Self.escaped($0))}" }
      options += "xticklabels={\(texts.joined(separator: ","))}, "
      if isSlanted {
        options += "x tick label style={rotate=60, anchor=east}, "
      }
    }
    return options
  }

  private func panel(_ panel: Figure.Panel, isFirst: Bool, hasLegend: Bool) -> String {
    let title = panel.title.isEmpty ? (isFirst ? figure.title ?? "" : "") : panel.title
    var lines = ["\\nextgroupplot[\(title.isEmpty ? "" : "title={\(Self.escaped(title))}")]"]
    for curve in panel.curves { lines.append(self.curve(curve)) }
    if hasLegend {
      for entry in FigureLayout(figure).legend { lines.append(self.entry(entry)) }
    }
    return lines.joined(separator: "\n")
  }

  private func look(_ style: Figure.Style, _ shape: Figure.Shape) -> String {
    let colour = style.colour < 0 ? "black" : "csilink\(style.colour)"
    switch shape {
    case .line: return "\(colour), mark=\(Self.marks[style.marker]), \(Self.dashes[style.dash])"
    case .points: return "\(colour), only marks, mark=\(Self.marks[style.marker])"
    case .across, .smooth: return "\(colour), no marks, \(Self.dashes[style.dash])"
    case .bound: return "\(colour), no marks, densely dashed, thin"
    case .commonBound: return "black, no marks, densely dashed"
    }
  }

  private func curve(_ curve: Figure.Curve) -> String {
    let hasInterval = curve.points.contains { $0.interval != nil }
    // Behind '.cd' all keys are those of error bars.
    let bars =
      hasInterval
      ? ", error bars/.cd, y dir=both, y explicit, error bar style={solid, thin}" : ""
    let columns = hasInterval ? "x y above below" : "x y"
    let source = hasInterval ? "table[y error plus=above, y error minus=below]" : "table"
    let rows = curve.points.map { point -> String in
      let ends = point.interval.map {
        [figure.drawn($0.upperBound) - point.y, point.y - figure.drawn($0.lowerBound)]
      }
      return ([point.x, point.y] + (hasInterval ? ends ?? [0, 0] : []))
        .map { $0.isFinite ? numberText($0) : "nan" }.joined(separator: " ")
    }
    return """
      % \(curve.label.onOneLine)
      \\addplot[\(look(curve.style, curve.shape)), forget plot, unbounded coords=jump\(bars)] \(source) {
      \(columns)
      \(rows.joined(separator: "\n"))
      };
      """
  }

  private func entry(_ entry: Figure.Entry) -> String {
    guard let style = entry.style else {
      return "\\addlegendimage{empty legend}\n\\addlegendentry{\(Self.escaped(entry.label))}"
    }
    return
      "\\addlegendimage{\(look(style, entry.shape))}\n\\addlegendentry{\(Self.escaped(entry.label))}"
  }

  /// A text in which every character stands for itself.
  static func escaped(_ text: String) -> String {
    let special: [Character: String] = [
      "\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "$": "\\$", "&": "\\&", "#": "\\#",
      "%": "\\%", "_": "\\_", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}",
      "<": "\\textless{}", ">": "\\textgreater{}",
    ]
    return text.onOneLine.map { special[$0] ?? String($0) }.joined()
  }
}
