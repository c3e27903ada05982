/// Where the panels and the legend of a figure stand, in pixels from the lower left corner.
struct FigureLayout {
  struct Frame {
    let left, right, bottom, top: Double
    let hasHorizontalLabels, hasVerticalLabels: Bool
  }

  /// Longer texts in the legend and below the axis are cut.
  static let legendLimit = 80
  private static let markLimit = 30
  /// At 15 pixels.
  private static let letter = 9.2
  private static let line = 22.0

  let width, height: Double
  let frames: [Frame]
  let titlePlace: (x: Double, y: Double)
  /// The upper left corner of the legend.
  let legendPlace: (x: Double, y: Double)
  /// Long names of categories are written aslant.
  let isRotated: Bool

  init(_ figure: Figure) {
    let count = figure.panels.count
    let columns = Self.columns(count)
    let rows = (count + columns - 1) / columns
    let longestMark = figure.x.marks?.map { Self.shortened($0.text).count }.max() ?? 0
    let panelMarks = figure.x.values.count
    isRotated = !figure.x.isNumeric && longestMark * panelMarks > (count == 1 ? 70 : 34)
    let longest = figure.legend.map { Self.shortened($0.label, to: Self.legendLimit).count }.max()
    let legendWidth = longest.map { 76 + Self.letter * Double(max($0, 6)) } ?? 0
    let legendHeight = Self.line * Double(figure.legend.count + 1)
    let (left, top) = (82.0, figure.title == nil ? 16.0 : 52.0)
    let bottom = 62 + (isRotated ? Double(longestMark) * 7.4 : 0) + (figure.footer == nil ? 0 : 24)
    let gap = (x: 26.0, y: count == 1 ? 0 : 42.0)
    let titles = count == 1 && figure.panels[0].title.isEmpty ? 0 : 26.0
    let natural = (
      width: left + Double(columns) * (count == 1 ? 700 : 330) + gap.x * Double(columns - 1) + 24
        + legendWidth,
      height: max(
        bottom + Double(rows) * (count == 1 ? 460 : 250) + gap.y * Double(rows - 1) + top + titles,
        legendHeight + top)
    )
    let asked = figure.millimetres.map {
      (width: $0.width * 96 / 25.4, height: $0.height * 96 / 25.4)
    }
    let size = asked ?? natural
    (width, height) = (size.width.rounded(), size.height.rounded())
    let panelWidth =
      (size.width - left - 24 - legendWidth - gap.x * Double(columns - 1)) / Double(columns)
    let panelHeight =
      (size.height - bottom - top - titles - gap.y * Double(rows - 1)) / Double(rows)
    let ceiling = size.height - top - titles
    frames = (0..<count).map { index in
      let (row, column) = (index / columns, index % columns)
      let x = left + Double(column) * (panelWidth + gap.x)
      let y = ceiling - Double(row) * (panelHeight + gap.y)
      return Frame(
        left: x, right: x + max(panelWidth, 20), bottom: y - max(panelHeight, 20), top: y,
        hasHorizontalLabels: index + columns >= count, hasVerticalLabels: column == 0)
    }
    titlePlace = (left, size.height - 26)
    legendPlace = (size.width - legendWidth + 4, ceiling + 4)
  }

  /// Panels that stand side by side.
  static func columns(_ count: Int) -> Int { count == 1 ? 1 : count <= 4 ? 2 : count <= 9 ? 3 : 4 }

  static func shortened(_ text: String, to limit: Int = markLimit) -> String {
    text.count > limit ? text.prefix(limit - 1) + "…" : text
  }
}
