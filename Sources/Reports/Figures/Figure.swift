/// A figure as it will be drawn, whatever the program that draws it: axes, panels, curves with intervals, legend.
public struct Figure: Sendable {
  /// How a curve looks: places in the lists of colours, dashes and markers.
  struct Style: Sendable, Hashable {
    var colour = 0
    var dash = 0
    var marker = 0
  }

  /// How the points of a curve are drawn.
  enum Shape: String, Sendable {
    /// Markers joined by a line.
    case line
    /// A line through many points, without markers.
    case smooth
    /// Markers alone.
    case points
    /// A value that does not depend on the axis: a line through the whole panel.
    case across
    /// A bound in the curve's colour, without markers.
    case bound
    /// A bound that all curves of a panel share.
    case commonBound
  }

  /// A value at a place, with its interval; NaN is no value, a lower end of -infinity is drawn down to the axis.
  struct Point: Sendable {
    var x, y: Double
    var interval: ClosedRange<Double>?
  }

  struct Curve: Sendable {
    let label: String
    let style: Style
    let shape: Shape
    var points: [Point]
  }

  struct Panel: Sendable {
    /// What all its points have in common; empty for the only panel.
    let title: String
    var curves: [Curve]
  }

  /// A line of the legend.
  struct Entry: Sendable {
    let label: String
    /// Nil for a heading.
    let style: Style?
    let shape: Shape
  }

  /// Name of its files, without ending.
  public var name: String
  /// Above the panels; nil for none.
  public var title: String?
  /// Below them; nil for none.
  public var footer: String?
  /// Width and height in millimetres; chosen from the content if nil.
  public var millimetres: (width: Double, height: Double)?
  let x: FigureAxis
  let y: FigureAxis
  let panels: [Panel]
  let legend: [Entry]
  /// The same in fewer words where a curve has several keys: colours and dashes by themselves. Empty where there is no such.
  let shortLegend: [Entry]
  /// Points and curves that it leaves out, for the user.
  public let notes: [String]

  /// Where an end of an interval is drawn: what reaches down to zero ends, in dB, at the axis.
  func drawn(_ value: Double) -> Double { value == -.infinity ? y.range.lowerBound : value }
}

extension Figure: CustomStringConvertible {
  /// Everything that is drawn, line by line: for tests and for those who cannot see it.
  public var description: String {
    var lines = [
      "x: \(x.label), \(x.scale), \(numberText(x.range.lowerBound)) to \(numberText(x.range.upperBound))"
    ]
    if x.scale == .categories {
      lines.append("  places: " + x.values.map(\.text).joined(separator: " | "))
    }
    lines.append(
      "y: \(y.label), \(y.scale), \(numberText(y.range.lowerBound)) to \(numberText(y.range.upperBound))"
    )
    for panel in panels {
      lines.append("panel" + (panel.title.isEmpty ? "" : ": \(panel.title)"))
      for curve in panel.curves {
        lines.append("  \(curve.shape.rawValue) \(curve.style.text): \(curve.label)")
        for point in curve.points {
          let ends = point.interval.map {
            " [\(numberText($0.lowerBound)), \(numberText($0.upperBound))]"
          }
          lines.append("    \(numberText(point.x)) \(numberText(point.y))\(ends ?? "")")
        }
      }
    }
    for entry in legend {
      lines.append(
        "legend \(entry.style.map { "\(entry.shape.rawValue) \($0.text)" } ?? "heading"): \(entry.label)"
      )
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension Figure.Style {
  fileprivate var text: String { "\(colour)/\(dash)/\(marker)" }

  /// Okabe and Ito's colours, which the colour-blind can tell apart, with a brown and a grey for their yellow and black.
  static let colours = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c510a", "#666666",
  ]
  /// Kinds of dashes, the first one solid.
  static let dashCount = 5
  /// Kinds of markers, the first half of them filled, the others open.
  static let markerCount = 10

  /// The style of the i-th curve of one key: colours, and after a round of them another dash; markers run at a pace of
  /// their own.
  init(_ index: Int) {
    self.init(
      colour: index % Self.colours.count, dash: index / Self.colours.count % Self.dashCount,
      marker: index % Self.markerCount)
  }

  /// The style of the i-th value of the first key and the j-th of the others: colour, and dash with marker.
  init(_ first: Int, _ second: Int) {
    self.init(
      colour: first % Self.colours.count, dash: second % Self.dashCount,
      marker: (second + 3 * (first / Self.colours.count)) % Self.markerCount)
  }
}

/// Why a figure cannot be drawn, and a way out.
public struct FigureError: Error, Sendable, CustomStringConvertible {
  /// What was expected and found.
  public let message: String
  /// A way out, if one is known.
  public let hint: String?
  /// Message and hint as a terminal shows them.
  public var description: String { "error: \(message)" + (hint.map { "\n  hint: \($0)" } ?? "") }
}
