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
    let columns = FigureLayout.columns(figure.panels.count)
    let rows = (figure.panels.count + columns - 1) / columns
    let size =
      figure.millimetres.map { ($0.width, $0.height) }
      ?? (columns == 1 ? (88, 66) : (170, 60 * Double(rows)))
    let panel = (width: size.0 / Double(columns), height: size.1 / Double(rows))
    let plots = figure.panels.enumerated().map { self.panel($1, isFirst: $0 == 0) }
    return """
      % Written by csilink \(version.onOneLine). Needs \\usepackage{pgfplots}, \\usepgfplotslibrary{groupplots} and
      % \\pgfplotsset{compat=1.16} or later.
      \(colours)
      \\begin{tikzpicture}
      \\begin{groupplot}[
        group style={group size=\(columns) by \(rows), horizontal sep=9mm, vertical sep=16mm, xlabels at=edge bottom, ylabels at=edge left},
        scale only axis, width=\(numberText(max(panel.width - 18, 20)))mm, height=\(numberText(max(panel.height - 18, 15)))mm,
        xlabel={\(Self.escaped(figure.x.label))}, ylabel={\(Self.escaped(figure.y.label))},
        xmin=\(numberText(figure.x.range.lowerBound)), xmax=\(numberText(figure.x.range.upperBound)),
        ymin=\(numberText(figure.y.range.lowerBound)), ymax=\(numberText(figure.y.range.upperBound)),
        \(scales)grid=major, grid style={black!12},
        legend cell align=left, \(legendShape(size.0)), legend style={font=\\footnotesize, draw=black!30, \(isBelow ? "at={(0,0)}, yshift=-12mm" : "at={(1.03,1)}"), anchor=north west},
        every axis plot/.append style={thick, mark size=1.5pt, mark options={solid}},
      ]
      \(plots.joined(separator: "\n"))
      \\end{groupplot}
      \\end{tikzpicture}

      """
  }

  /// Whether the legend stands below the panels: not under another row of them, nor under names that are written aslant.
  private var isBelow: Bool {
    figure.panels.count <= FigureLayout.columns(figure.panels.count)
      && !FigureLayout(figure).isRotated
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
      "\\definecolor{csilink\($0)}{HTML}{\($1.dropFirst().uppercased())}"
    }.joined(separator: "\n")
  }

  private var scales: String {
    var options = ""
    if figure.x.scale == .logarithmic { options += "xmode=log, log basis x=10, " }
    if figure.y.scale == .logarithmic { options += "ymode=log, " }
    if let marks = figure.x.marks {
      options += "xtick={\(marks.map { numberText($0.position) }.joined(separator: ","))}, "
      options +=
        "xticklabels={\(marks.map { "{\(Self.escaped($0.text))}" }.joined(separator: ","))}, "
      if !figure.x.isNumeric, FigureLayout(figure).isRotated {
        options += "x tick label style={rotate=60, anchor=east}, "
      }
    }
    return options
  }

  private func panel(_ panel: Figure.Panel, isFirst: Bool) -> String {
    let title = panel.title.isEmpty ? (isFirst ? figure.title ?? "" : "") : panel.title
    var lines = ["\\nextgroupplot[\(title.isEmpty ? "" : "title={\(Self.escaped(title))}")]"]
    for curve in panel.curves { lines.append(self.curve(curve)) }
    if isFirst {
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
