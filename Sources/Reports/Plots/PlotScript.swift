import Simulation

/// `plots.gp`: the gnuplot program that draws the plots, for redrawing and as a start for own figures.
struct PlotScript {
  static let fileName = "plots.gp"

  let result: RunResult
  let data: PlotData

  private var curves: PlotCurves { data.curves }

  /// The plots that have something to show.
  var quantities: [PlotQuantity] {
    data.quantities.filter { $0.range(of: result.points) != nil }
  }

  var text: String {
    let plots = quantities.map { plot($0) }.joined(separator: "\n")
    return """
      # Written by csilink \(result.provenance.version.onOneLine). To draw the plots again: gnuplot \(Self.fileName)
      set encoding utf8
      data = \(GnuplotText.quoted(PlotData.fileName))
      set datafile missing 'NaN'

      \(lineStyles)

      set title \(GnuplotText.quoted(result.scenarioName)) font ',17'
      set label 1 \(GnuplotText.quoted(caption)) at screen 0.99,0.025 right font ',11' textcolor rgb '#777777'
      set border 3 linecolor rgb '#444444' linewidth 1
      set tics nomirror out scale 0.6 textcolor rgb '#222222'
      set grid xtics ytics linetype 1 linecolor rgb '#dddddd' linewidth 0.8
      set errorbars 0.7
      set bmargin \(bottomLines)
      set key outside right top vertical Left reverse samplen 3 spacing 1.15 noautotitle
      \(horizontalAxis)

      do for [format in 'svg png'] {
        if (format eq 'svg') {
          set terminal svg noenhanced rounded size \(size.width),\(size.height) \
      font 'Arial,15' linewidth 1 background '#ffffff'
        } else {
          set terminal pngcairo noenhanced rounded size \(2 * size.width),\(2 * size.height) \
      font 'Arial,15' fontscale 1.55 linewidth 2 pointscale 2 background '#ffffff'
        }
      \(plots)
      }
      """ + "\n"
  }

  private var caption: String {
    let provenance = result.provenance
    return "csilink \(provenance.version)   scenario \(provenance.scenarioDigest)"
      + "   seed \(result.seed)   bars: 95 % intervals"
  }
}

extension PlotScript {
  /// Okabe and Ito's colours, which the colour-blind can tell apart, with a brown and a grey for their yellow and black.
  static let colours = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c510a", "#666666",
  ]
  /// Longer texts in the legend and below the axis are cut.
  private static let labelLimit = 80
  private static let markLimit = 30
  private static let pointTypes = [7, 5, 9, 13, 11, 6, 4, 8, 12, 10]

  private var lineStyles: String {
    let styles = curves.curves.indices.map { i in
      let colour = Self.colours[i % Self.colours.count]
      // One dash type per round of colours; ten point types run at a different pace than eight colours.
      let dash = i / Self.colours.count % 5 + 1
      let point = Self.pointTypes[i % Self.pointTypes.count]
      return "set style line \(i + 1) linecolor rgb '\(colour)' linewidth 2 dashtype \(dash) "
        + "pointtype \(point) pointsize 0.9"
    }
    let bound = "set style line \(boundStyle) linecolor rgb '#000000' linewidth 1.5 dashtype (10,6)"
    return (styles + [bound]).joined(separator: "\n")
  }

  private var boundStyle: Int { curves.curves.count + 1 }

  private var horizontalAxis: String {
    var lines = [
      "set xlabel \(GnuplotText.quoted(curves.axis.label))",
      "set xrange [\(numberText(curves.axis.range.lowerBound)):\(numberText(curves.axis.range.upperBound))]",
    ]
    if curves.axis.scale == .logarithmic { lines.append("set logscale x") }
    if let marks = curves.axis.marks {
      let list = marks.map {
        "\(GnuplotText.tic(shortened($0.text, to: Self.markLimit))) \(numberText($0.position))"
      }
      lines.append(
        "set xtics \(isRotated ? "rotate by 60 right " : "")(\(list.joined(separator: ", ")))")
      lines.append("unset mxtics")
    }
    return lines.joined(separator: "\n")
  }

  /// Long names of categories are written aslant.
  private var isRotated: Bool {
    !curves.axis.isNumeric && longestMark * curves.axis.values.count > 70
  }

  private var longestMark: Int {
    curves.axis.values.map { shortened($0.text, to: Self.markLimit).count }.max() ?? 0
  }

  /// Height below the axis in lines: at 60 degrees a letter takes about 0.4 lines.
  private var bottomLines: Int { 5 + (isRotated ? longestMark * 2 / 5 : 0) }

  /// In pixels: nine for a letter and 22 for a line, at 15 points.
  private var size: (width: Int, height: Int) {
    let longest = curves.curves.map { shortened($0.label, to: Self.labelLimit).count }.max() ?? 0
    return (
      860 + 9 * max(longest, 12), max(580, 22 * (curves.curves.count + 6)) + 22 * (bottomLines - 5)
    )
  }
}

extension PlotScript {
  private func plot(_ quantity: PlotQuantity) -> String {
    let range = quantity.range(of: result.points) ?? 0...1
    let curveItems = curves.curves.indices.flatMap { items($0, quantity) }
    let all = (quantity.hasBound ? boundItems : []) + curveItems
    return """
        set output '\(quantity.name).'.format
        set ylabel '\(quantity.label)'
        floor_y = \(numberText(range.lowerBound))
        set yrange [floor_y:\(numberText(range.upperBound))]
        plot \\
          \(all.joined(separator: ", \\\n    "))
        unset output
      """
  }

  /// The error bars, then the line with its legend: gnuplot leaves out points without a bar if it draws both at once.
  private func items(_ index: Int, _ quantity: PlotQuantity) -> [String] {
    let value = data.place(of: quantity.value)
    let curve = curves.curves[index]
    let block = "data index \(index)"
    let style = "linestyle \(index + 1)"
    let isAcross = curves.axis.isNumeric && !curve.dependsOnAxis
    let interval = quantity.ends.map { ends -> String in
      let (low, high) = (data.place(of: ends.low), data.place(of: ends.high))
      // A lower end of -inf is drawn down to the axis.
      let lower = "(strcol(\(low)) eq '-inf' ? floor_y : $\(low))"
      return isAcross
        ? "\(block) using 1:\(lower):\(high) with filledcurves \(style) "
          + "fillstyle transparent solid 0.15 noborder"
        : "\(block) using 1:\(value):\(lower):\(high) with yerrorbars \(style) "
          + "dashtype 1 linewidth 1.2"
    }
    let shape = !curves.axis.isNumeric ? "points" : isAcross ? "lines" : "linespoints"
    let isOnlyCurve = curves.curves.count == 1 && !quantity.hasBound
    let legend = isOnlyCurve ? "" : shortened(curve.label, to: Self.labelLimit)
    let title = legend.isEmpty ? "notitle" : "title \(GnuplotText.quoted(legend))"
    let line = "\(block) using 1:\(value) with \(shape) \(style) \(title)"
    return [interval, line].compactMap(\.self)
  }

  private func shortened(_ text: String, to limit: Int) -> String {
    text.count > limit ? text.prefix(limit - 1) + "…" : text
  }

  private var boundItems: [String] {
    if curves.commonBound != nil {
      let block = "data index \(data.boundIndex)"
      return [
        curves.axis.isNumeric
          ? "\(block) using 1:2 with linespoints linestyle \(boundStyle) pointtype -1 title 'perfect CSI'"
          : "\(block) using ($1-0.45):2:(0.9):(0) with vectors nohead "
            + "linestyle \(boundStyle) title 'perfect CSI'"
      ]
    }
    let own = curves.curves.indices.map { index in
      let block = "data index \(index)"
      let style = "linestyle \(index + 1) linewidth 1.2 dashtype (10,6)"
      let half = numberText(0.45 * data.dodgeStep)
      let place = data.place(of: .perfectRate)
      return curves.axis.isNumeric
        ? "\(block) using 1:\(place) with lines \(style)"
        : "\(block) using ($1-\(half)):\(place):(2*\(half)):(0) with vectors nohead \(style)"
    }
    return own + ["NaN with lines linestyle \(boundStyle) title 'perfect CSI (dashed)'"]
  }
}
