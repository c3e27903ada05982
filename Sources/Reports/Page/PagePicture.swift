import DataFiles
import Foundation
import LinkMath
import Simulation

/// A picture inside a page: SVG that is part of it, or a PNG as a data URI.
struct PagePicture {
  /// Finished HTML.
  let markup: String
  let caption: String

  /// A figure drawn by gnuplot as inline SVG.
  ///
  /// - Parameters:
  ///   - index: a number that no other picture of the page has; names inside the SVG get it.
  /// - Throws: ``FigureError`` if gnuplot is missing or fails.
  init(_ figure: Figure, caption: String, index: Int) throws {
    let svg = try Self.drawn(figure)
    markup = Self.inline(svg, label: Self.spoken(figure), index: index)
    self.caption = caption
  }

  /// A PNG that is part of the page.
  init(png: Data, width: Int, height: Int, alternative: String, caption: String) {
    markup =
      "<img width=\"\(width)\" height=\"\(height)\" alt=\"\(PageText().escapeText(alternative))\" "
      + "src=\"data:image/png;base64,\(png.base64EncodedString())\"/>"
    self.caption = caption
  }

  private static func drawn(_ figure: Figure) throws -> String {
    let path = NSTemporaryDirectory() + "csilink-page-\(UUID().uuidString).svg"
    defer { unlink(path) }
    try FigureFile.write(figure, to: path, version: ProgramIdentity.version)
    return try String(contentsOfFile: path, encoding: .utf8)
  }

  /// The `svg` element alone, with a name for those who cannot see it; identifiers are unique in the page.
  static func inline(_ document: String, label: String, index: Int) -> String {
    var svg = document
    if let start = svg.range(of: "<svg") { svg.removeSubrange(..<start.lowerBound) }
    svg.replace(/(?s)<title>.*?<\/title>/, with: "")
    svg.replace(/(?s)<desc>.*?<\/desc>/, with: "", maxReplacements: 1)
    svg.replace(/\s(id|name)=(['"])([^'"]*)['"]/) { " \($0.1)=\($0.2)p\(index)-\($0.3)\($0.2)" }
    svg.replace(/href=(['"])#/) { "href=\($0.1)#p\(index)-" }
    svg.replace(/url\(#/) { _ in "url(#p\(index)-" }
    svg.replace(/>\s+</) { _ in ">\n<" }
    // gnuplot leaves the end mark of XML's character data in texts.
    svg = svg.replacingOccurrences(of: "]]>", with: "]]&gt;", options: .literal)
    return svg.replacing(
      "<svg", with: "<svg role=\"img\" aria-label=\"\(PageText().escapeText(label))\"",
      maxReplacements: 1
    ).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// What a figure shows, in words.
  private static func spoken(_ figure: Figure) -> String {
    let curves = figure.panels.flatMap(\.curves)
    let heights = curves.flatMap(\.points).map(\.y).filter(\.isFinite)
    let panels = figure.panels.count > 1 ? " in \(figure.panels.count) panels" : ""
    let ends =
      heights.isEmpty
      ? "" : ", from \(short(heights.min()!)) to \(short(heights.max()!))"
    return "\(figure.y.label) over \(figure.x.label): \(curves.count) curves\(panels)\(ends); "
      + "the numbers stand in the tables"
  }

  private static func short(_ value: Double) -> String { String(format: "%.3g", value) }
}
