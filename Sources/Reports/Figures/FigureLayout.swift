/// Where the panels and the legend of a figure stand, in pixels from the lower left corner.
struct FigureLayout {
  struct Frame {
    let left, right, bottom, top: Double
    let hasHorizontalLabels, hasVerticalLabels: Bool
  }

  /// Longer texts in the legend and below the axis are cut.
  private static let legendLimit = 80
  private static let markLimit = 30
  /// At 15 pixels, of the widest type that takes Arial's place.
  static let letter = 9.6
  private static let line = 22.0

  /// Left of the panels.
  private static let margin = 92.0

  /// Figures that are narrower have smaller type, and their legend below the panels.
  private static let narrow = 640.0

  let width, height: Double
  /// Size of type and markers, 1 where type is 15 pixels high.
  let scale: Double
  let frames: [Frame]
  let titlePlace: (x: Double, y: Double)
  /// The upper left corner of the legend, and the entries of one column.
  let legendPlace: (x: Double, y: Double)
  let legendRows: Int
  /// What the legend says, with long texts shortened.
  let legend: [Figure.Entry]
  /// Letters of the longest mark below the panels.
  let longestMark: Int
  /// Long names of categories are written aslant.
  let isRotated: Bool
  /// Millimetres that a figure whose size is given needs at least; nil if it has them.
  let neededMillimetres: (width: Int, height: Int)?

  /// Sides of a panel, below which nothing can be read in it.
  private static let leastPanel = (width: 80.0, height: 40.0)

  init(_ figure: Figure) {
    let asked = figure.millimetres.map {
      (width: $0.width * 96 / 25.4, height: $0.height * 96 / 25.4)
    }
    let isNarrow = asked.map { $0.width < Self.narrow } ?? false
    scale = isNarrow ? 0.72 : 1
    let count = figure.panels.count
    let columns = Self.columns(count)
    let rows = (count + columns - 1) / columns
    longestMark = Self.shortened((figure.x.marks ?? []).map(\.text)).map(\.count).max() ?? 0
    isRotated =
      !figure.x.isNumeric
      && longestMark * figure.x.values.count > (count == 1 && !isNarrow ? 70 : 34)
    let legend = Self.legend(figure, asked, isBelow: isNarrow, scale)
    (legendRows, self.legend) = (legend.rows, legend.entries)
    let footer = figure.footer == nil ? 0 : 24 * scale
    let (left, right) = (Self.margin * scale, 24 * scale + (isNarrow ? 0 : legend.width))
    let top = (figure.title == nil ? 16 : 52) * scale
    let bottom =
      (74 + (isRotated ? Double(longestMark) * 0.87 * Self.letter : 0)) * scale + footer
      + (isNarrow ? legend.height : 0)
    let gap = (x: 26 * scale, y: count == 1 ? 0 : 42 * scale)
    let titles = (count == 1 && figure.panels[0].title.isEmpty ? 0 : 26) * scale
    let natural = (
      width: left + Double(columns) * (count == 1 ? 700 : 330) + gap.x * Double(columns - 1)
        + right,
      height: max(
        bottom + Double(rows) * (count == 1 ? 460 : 250) + gap.y * Double(rows - 1) + top + titles,
        legend.height + top)
    )
    let size = asked ?? natural
    (width, height) = (size.width.rounded(), size.height.rounded())
    let panelWidth = (size.width - left - right - gap.x * Double(columns - 1)) / Double(columns)
    let panelHeight =
      (size.height - bottom - top - titles - gap.y * Double(rows - 1)) / Double(rows)
    let lack = (
      width: Double(columns) * (Self.leastPanel.width * scale - panelWidth),
      height: Double(rows) * (Self.leastPanel.height * scale - panelHeight)
    )
    neededMillimetres =
      lack.width > 0 || lack.height > 0
      ? (
        Int(((size.width + max(0, lack.width)) * 25.4 / 96).rounded(.up)),
        Int(((size.height + max(0, lack.height)) * 25.4 / 96).rounded(.up))
      ) : nil
    let ceiling = size.height - top - titles
    frames = (0..<count).map { index in
      let (row, column) = (index / columns, index % columns)
      let x = left + Double(column) * (panelWidth + gap.x)
      let y = ceiling - Double(row) * (panelHeight + gap.y)
      return Frame(
        left: x, right: x + max(panelWidth, 20), bottom: y - max(panelHeight, 20), top: y,
        hasHorizontalLabels: index + columns >= count, hasVerticalLabels: column == 0)
    }
    titlePlace = (left, size.height - 26 * scale)
    legendPlace =
      isNarrow
      ? (0.4 * left, footer + legend.height) : (size.width - legend.width + 4, ceiling + 4)
  }

  /// The legend, in its short form where the usual one takes more than a third of a figure whose size is given.
  private static func legend(
    _ figure: Figure, _ asked: (width: Double, height: Double)?, isBelow: Bool, _ scale: Double
  ) -> Legend {
    let usual = Legend(figure.legend, isBelow: isBelow, width: asked?.width ?? 0, scale: scale)
    guard let asked, !figure.shortLegend.isEmpty,
      isBelow ? usual.height > asked.height / 3 : usual.width > asked.width / 3
    else { return usual }
    return Legend(figure.shortLegend, isBelow: isBelow, width: asked.width, scale: scale)
  }

  /// Room for the entries of a legend, beside the panels or below them.
  private struct Legend {
    let entries: [Figure.Entry]
    let rows: Int
    let width, height: Double

    init(_ entries: [Figure.Entry], isBelow: Bool, width: Double, scale: Double) {
      self.entries = zip(entries, shortened(entries.map(\.label), to: legendLimit)).map {
        Figure.Entry(label: $1, style: $0.style, shape: $0.shape)
      }
      let longest = self.entries.map(\.label.count).max()
      let entry = longest.map { (76 + letter * Double(max($0, 6))) * scale } ?? 0
      let count = entries.count
      let columns = isBelow && entry > 0 ? max(1, Int((width - 0.4 * margin * scale) / entry)) : 1
      rows = max(1, (count + columns - 1) / columns)
      self.width = entry
      height = count == 0 ? 0 : line * scale * (Double(rows) + (isBelow ? 0.6 : 1))
    }
  }

  /// Texts with the ends of long ones left out; the middle where they would be alike, and nothing where that does not help.
  static func shortened(_ texts: [String], to limit: Int = markLimit) -> [String] {
    let cut = texts.map { $0.count > limit ? $0.prefix(limit - 1) + "…" : $0 }
    let inner = texts.map {
      $0.count > limit ? $0.prefix(limit / 2) + "…" + $0.suffix(limit - limit / 2 - 1) : $0
    }
    func isAlone(_ index: Int, among short: [String]) -> Bool {
      texts.indices.allSatisfy { short[$0] != short[index] || texts[$0] == texts[index] }
    }
    return texts.indices.map { index in
      isAlone(index, among: cut)
        ? cut[index] : isAlone(index, among: inner) ? inner[index] : texts[index]
    }
  }

  /// Panels that stand side by side.
  static func columns(_ count: Int) -> Int { count == 1 ? 1 : count <= 4 ? 2 : count <= 9 ? 3 : 4 }
}
