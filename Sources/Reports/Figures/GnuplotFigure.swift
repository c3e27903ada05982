import Foundation

/// The gnuplot program that draws figures, with their numbers inside: for redrawing and as a start for own figures.
struct GnuplotFigure {
  /// What a program writes.
  enum Format: String, CaseIterable {
    case svg, png, pdf
  }

  let figure: Figure
  /// Tells the data of the figure from those of others in one program.
  let index: Int

  private func size(_ points: Double) -> String { numberText(points * layout.scale) }
  /// Type of that many pixels, in the terminal's unit.
  private func font(_ pixels: Double) -> String { "sprintf(',%g', point * \(size(pixels)))" }
  private var layout: FigureLayout { FigureLayout(figure) }
  private var data: String { "$data\(index)" }

  /// A program for several figures, each in all formats.
  ///
  /// - Parameters:
  ///   - formats: the endings of the files.
  ///   - file: what the program is called where it lies; for its first line.
  static func program(_ figures: [Figure], _ formats: [Format], version: String, file: String)
    -> String
  {
    let plots = figures.enumerated().map { GnuplotFigure(figure: $1, index: $0 + 1) }
    let heading = """
      # Written by csilink \(version.onOneLine). To draw the plots again: gnuplot \(file)
      # Each block of the data is a curve: x, value, ends of the 95 % interval; NaN: no finite value.
      set encoding utf8
      set datafile missing 'NaN'
      set style line 100 linecolor rgb '#000000' linewidth 1.5 dashtype (10,6)
      set errorbars 0.7
      set grid xtics ytics linetype 1 linecolor rgb '#dddddd' linewidth 0.8
      """
    return heading + "\n\n" + plots.map { $0.text(formats) }.joined(separator: "\n")
  }

  private func text(_ formats: [Format]) -> String {
    """
    \(data) << EOD
    \(blocks)EOD
    do for [format in '\(formats.map(\.rawValue).joined(separator: " "))'] {
    \(terminals)
    \(lineStyles)
      set output \(GnuplotText.quoted(figure.name + ".")).format
      set multiplot
    \(decoration)
    \(panels)
    \(legend)
      unset multiplot
      unset output
      unset label
    }

    """
  }

  /// Sizes are in pixels of 1/96 inch, as SVG has them; type of 15 pixels is 11.25 points.
  private var terminals: String {
    let (width, height) = (layout.width, layout.height)
    let inches = { (pixels: Double) in numberText(pixels / 96) }
    return """
        if (format eq 'svg') {
          point = 1
          set terminal svg noenhanced rounded size \(numberText(width)),\(numberText(height)) \
      font 'Arial,\(size(15))' linewidth 1 background '#ffffff'
        }
        if (format eq 'png') {
          point = 1
          set terminal pngcairo noenhanced rounded size \(numberText(2 * width)),\(numberText(2 * height)) \
      font 'Arial,\(size(15))' fontscale 1.55 linewidth 2 pointscale 2 background '#ffffff'
        }
        if (format eq 'pdf') {
          point = 0.75
          set terminal pdfcairo noenhanced rounded size \(inches(width)),\(inches(height)) \
      font 'Arial,\(size(11.25))' fontscale 0.775 linewidth 1.5 pointscale 0.6 background '#ffffff'
        }
      """
  }
}

extension GnuplotFigure {
  private static let styleNames: [Figure.Shape: String] = [
    .line: "linespoints", .points: "points",
  ]
  private static let pointTypes = [7, 5, 9, 13, 11, 6, 4, 8, 12, 10]

  /// Every look of a curve or of the legend.
  private var styles: [Figure.Style] {
    (figure.panels.flatMap(\.curves).map(\.style) + layout.legend.compactMap(\.style)).uniqued
  }

  private var lineStyles: String {
    styles.enumerated().map { index, style in
      let colour = style.colour < 0 ? "#222222" : Figure.Style.colours[style.colour]
      return "  set style line \(index + 1) linecolor rgb '\(colour)' linewidth 2 "
        + "dashtype \(style.dash + 1) pointtype \(Self.pointTypes[style.marker]) pointsize \(size(0.9))"
    }.joined(separator: "\n")
  }

  private func style(_ style: Figure.Style) -> String {
    "linestyle \(styles.firstIndex(of: style)! + 1)"
  }

  /// One block for each curve, divided by two empty lines, as gnuplot's `index` counts them.
  private var blocks: String {
    let curves = figure.panels.flatMap { panel in panel.curves.map { (panel.title, $0) } }
    return curves.enumerated().map { index, member in
      let (title, curve) = member
      let name = [curve.label, title].filter { !$0.isEmpty }.joined(separator: "; ")
      let lines = curve.points.map { point in
        let ends = point.interval.map {
          [figure.drawn($0.lowerBound), figure.drawn($0.upperBound)]
        }
        return ([point.x, point.y] + (ends ?? [.nan, .nan])).map(field).joined(separator: " ")
      }
      return (["# index \(index): \(name.onOneLine)"] + lines).joined(separator: "\n") + "\n"
    }.joined(separator: "\n\n")
  }

  private func field(_ value: Double) -> String { value.isFinite ? numberText(value) : "NaN" }

  /// Title and footer.
  private var decoration: String {
    var lines = ["  set border 3 linecolor rgb '#444444' linewidth 1"]
    lines.append("  set tics nomirror out scale 0.6 textcolor rgb '#222222'")
    if let title = figure.title {
      lines.append(
        "  set label 1 \(GnuplotText.quoted(title)) at screen \(screen(layout.titlePlace)) left font \(font(17))"
      )
    }
    if let footer = figure.footer {
      lines.append(
        "  set label 2 \(GnuplotText.quoted(footer)) at screen 0.99,\(numberText(14 / layout.height)) "
          + "right font \(font(11)) textcolor rgb '#777777'")
    }
    return lines.joined(separator: "\n")
  }

  private func screen(_ place: (x: Double, y: Double)) -> String {
    "\(numberText(place.x / layout.width)),\(numberText(place.y / layout.height))"
  }

  private var panels: String {
    var first = 0
    return figure.panels.indices.map { index in
      let panel = figure.panels[index]
      defer { first += panel.curves.count }
      return self.panel(panel, layout.frames[index], first: first)
        + (index == 0 ? "\n  unset label" : "")
    }.joined(separator: "\n")
  }

  private func panel(_ panel: Figure.Panel, _ frame: FigureLayout.Frame, first: Int) -> String {
    let items = panel.curves.indices.flatMap { self.items(panel.curves[$0], first + $0) }
    var lines = [
      "  set lmargin at screen \(numberText(frame.left / layout.width))",
      "  set rmargin at screen \(numberText(frame.right / layout.width))",
      "  set bmargin at screen \(numberText(frame.bottom / layout.height))",
      "  set tmargin at screen \(numberText(frame.top / layout.height))",
      "  unset key",
      panel.title.isEmpty
        ? "  unset title"
        : "  set title \(GnuplotText.quoted(panel.title)) font \(font(15)) offset 0,-0.4",
      axis("x", figure.x, isLabelled: frame.hasHorizontalLabels, length: frame.right - frame.left),
      axis(
        "y", figure.y, isLabelled: frame.hasVerticalLabels, length: frame.top - frame.bottom),
    ]
    lines.append("  plot \\\n    " + items.joined(separator: ", \\\n    "))
    return lines.joined(separator: "\n")
  }

  /// A label that is longer than its axis, with the unit on a line of its own.
  private func text(_ label: String, _ length: Double) -> String {
    guard Double(label.count) * FigureLayout.letter * layout.scale > length,
      let unit = label.range(of: " (", options: .backwards)
    else { return GnuplotText.quoted(label) }
    return GnuplotText.quoted(String(label[..<unit.lowerBound])) + ".\"\\n\"."
      + GnuplotText.quoted("(" + label[unit.upperBound...])
  }

  private func axis(_ name: String, _ axis: FigureAxis, isLabelled: Bool, length: Double) -> String
  {
    var lines = [
      isLabelled
        ? "  set \(name)label \(text(axis.label, length))"
        : "  unset \(name)label",
      "  set \(name)range [\(numberText(axis.range.lowerBound)):\(numberText(axis.range.upperBound))]",
      axis.scale == .logarithmic ? "  set logscale \(name)" : "  unset logscale \(name)",
      "  set format \(name) \(isLabelled ? (axis.scale == .logarithmic ? "'%g'" : "'% h'") : "''")",
    ]
    if let marks = axis.marks {
      // Numbers that have no room beside each other are written at every second mark, every third, ...
      let letters = Double(marks.map { $0.text.count + 1 }.reduce(0, +))
      let room = name == "x" ? FigureLayout.letter * layout.scale * letters / length : 1
      let step = axis.isNumeric ? max(1, Int(room.rounded(.up))) : 1
      let texts = FigureLayout.shortened(marks.map(\.text))
      let list = marks.indices.map { index in
        let text = isLabelled && index % step == 0 ? texts[index] : ""
        return "\(GnuplotText.tic(text)) \(numberText(marks[index].position))"
      }
      lines.append("  unset m\(name)tics")
      lines.append(
        "  set \(name)tics \(layout.isRotated ? "rotate by 60 right " : "norotate ")"
          + "(\(list.joined(separator: ", ")))")
    } else if name == "y", axis.scale == .linear,
      let step = FigureAxis.step(axis.range, most: Int(length / (30 * layout.scale)))
    {
      lines.append("  set ytics \(numberText(step)) norotate")
    } else {
      lines.append("  set \(name)tics autofreq norotate")
    }
    return lines.joined(separator: "\n")
  }

  /// The error bars, then the line: gnuplot leaves out points without a bar if it draws both at once.
  private func items(_ curve: Figure.Curve, _ block: Int) -> [String] {
    let source = "\(data) index \(block) using"
    let look = style(curve.style)
    let hasInterval = curve.points.contains { $0.interval != nil }
    switch curve.shape {
    case .line, .points, .smooth:
      let bars = "\(source) 1:2:3:4 with yerrorbars \(look) dashtype 1 linewidth 1.2 notitle"
      let line =
        "\(source) 1:2 with \(Self.styleNames[curve.shape, default: "lines"]) \(look) notitle"
      return hasInterval ? [bars, line] : [line]
    case .across:
      let band =
        "\(source) 1:3:4 with filledcurves \(look) fillstyle transparent solid 0.15 noborder notitle"
      let line = "\(source) 1:2 with lines \(look) notitle"
      return hasInterval ? [band, line] : [line]
    case .bound, .commonBound:
      let look = curve.shape == .bound ? look + " linewidth 1.2 dashtype (10,6)" : "linestyle 100"
      guard !figure.x.isNumeric else { return ["\(source) 1:2 with lines \(look) notitle"] }
      let half = curve.shape == .bound ? 0.05 : 0.45
      return [
        "\(source) ($1-\(numberText(half))):2:(\(numberText(2 * half))):(0) with vectors nohead \(look) notitle"
      ]
    }
  }

  /// The legend is a panel of its own, without axes.
  private var legend: String {
    guard !layout.legend.isEmpty else { return "  # one curve needs no legend" }
    let items = layout.legend.map { entry -> String in
      let title = "title \(GnuplotText.quoted(entry.label))"
      guard let style = entry.style else {
        return "NaN with lines linecolor rgb '#ffffff' \(title)"
      }
      switch entry.shape {
      case .commonBound, .bound: return "NaN with lines linestyle 100 \(title)"
      case .line: return "NaN with linespoints \(self.style(style)) \(title)"
      case .points: return "NaN with points \(self.style(style)) \(title)"
      case .across, .smooth: return "NaN with lines \(self.style(style)) \(title)"
      }
    }
    return """
        unset border
        unset title
        unset xlabel
        unset ylabel
        unset xtics
        unset ytics
        unset logscale
        set lmargin at screen 0
        set rmargin at screen 1
        set bmargin at screen 0
        set tmargin at screen 1
        set key at screen \(screen(layout.legendPlace)) left top vertical maxrows \(layout.legendRows) Left reverse samplen 3 spacing 1.15 noautotitle
        plot [0:1][0:1] \\
          \(items.joined(separator: ", \\\n    "))
        unset key
      """
  }
}
