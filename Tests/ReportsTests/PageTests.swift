import DataFiles
import Foundation
import FoundationXML
import LinkMath
import Reports
import Simulation
import Testing

@Suite struct PageTests {
  private static let execution = Execution(
    startTime: Date(timeIntervalSince1970: 1_700_000_000), wallSeconds: 12.5, threads: 4,
    commandLine: ["csilink", "run", "a b.yaml"])

  /// Writes the page of a result and reads it back.
  private func page(of result: RunResult) throws -> Page {
    try withFolder { folder in
      _ = try ResultFolder.write(result, Self.execution, to: folder)
      let path = "\(folder)/report.html"
      try ResultPage.write(folder, to: path, pool: WorkerPool(threadCount: 1))
      return try Page(String(contentsOfFile: path, encoding: .utf8))
    }
  }

  private static let hostile =
    "<script>alert('x')</script> & \"\u{301}onload=\"x {{title}} {{{title}}} ]]> \u{7}<\u{338}b>"

  /// The page is read as XML, which forgives nothing that HTML would.
  @Test func nothingOfAScenarioBecomesMarkup() throws {
    let text = Self.hostile
    let sample = result(
      axes: [text, "codec"],
      [point(["1", text], nmseInterval: -15...(-14)), point(["2", "pca"])],
      name: text, description: text,
      scenario: "name: x\nlink:\n  codec: {type: pca, '\(text.replacing("'", with: ""))': 1}\n")
    let page = try page(of: sample)
    // Control characters become spaces; all else is what was written.
    let seen = text.replacing("\u{7}", with: " ")
    #expect(page.texts("h1") == [seen])
    #expect(page.texts("title") == [seen])
    #expect(page.texts("th").contains(seen))
    #expect(page.elements.allSatisfy { !["script", "b", "iframe", "object"].contains($0.name) })
    #expect(page.elements.allSatisfy { $0.attributes.keys.allSatisfy { !$0.hasPrefix("on") } })
  }

  @Test func tablesAndPicturesAreAccessible() throws {
    let page = try page(
      of: snrSweep(axes: ["pilots.snr_db", "codec"], codecs: [["pca"], ["csinet"]]))
    for cell in page.elements where cell.name == "th" {
      #expect(["col", "row"].contains(cell.attributes["scope"]))
    }
    let pictures = page.elements.filter { ["svg", "img"].contains($0.name) }
    for picture in pictures {
      let words = picture.attributes["aria-label"] ?? picture.attributes["alt"] ?? ""
      #expect(words.contains("over"), "\(picture)")
    }
    #expect(pictures.isEmpty == (ResultPlots.installedGnuplot == nil))
    let names = page.elements.compactMap { $0.attributes["id"] }
    #expect(Set(names).count == names.count, "identifiers are unique")
    for link in page.elements.compactMap({ $0.attributes["href"] ?? $0.attributes["xlink:href"] }) {
      #expect(link.hasPrefix("#") && names.contains(String(link.dropFirst())), "\(link)")
    }
  }

  /// The table shows the values of the report, rounded.
  @Test func theTableHoldsTheReport() throws {
    let sweep = snrSweep(axes: ["pilots.snr_db", "codec"], codecs: [["pca"]], snrs: [0, 10])
    let page = try page(of: sweep)
    for point in sweep.points {
      let (nmse, ends) = (point[.nmseDB], point.interval(.nmse)!)
      let cell = [nmse, ends.lowerBound, ends.upperBound].map { String(format: "%.2f", $0) }
      #expect(page.texts("td").contains("\(cell[0]) [\(cell[1]), \(cell[2])]"))
    }
    #expect(page.texts("pre").contains("csilink run 'a b.yaml'"))
    #expect(page.texts("dd").contains("9f31c2d45e6f7081"))
  }

  @Test func fiveHundredPointsStayBelowAMegabyte() throws {
    let codecs = (0..<20).map { ["codec \($0 % 5)", "\([2, 4, 8, 16][$0 / 5])"] as [String?] }
    let sweep = snrSweep(
      axes: ["pilots.snr_db", "codec", "codec.compression"], codecs: codecs,
      snrs: (0..<25).map { Double($0) })
    #expect(sweep.points.count == 500)
    let page = try page(of: sweep)
    #expect(page.html.utf8.count < 1_000_000, "\(page.html.utf8.count)")
    #expect(page.elements.count { $0.name == "tr" } > 500)
  }

  /// A browser draws the page; left out where no Chromium is installed.
  @Test(.enabled(if: chromium != nil)) func aBrowserDrawsIt() throws {
    try withFolder { folder in
      let sweep = snrSweep(axes: ["pilots.snr_db", "codec"], codecs: [["pca"], ["csinet"]])
      _ = try ResultFolder.write(sweep, Self.execution, to: folder)
      try ResultPage.write(
        folder, to: "\(folder)/report.html", pool: WorkerPool(threadCount: 1))
      let process = Process()
      process.executableURL = URL(fileURLWithPath: try #require(chromium))
      process.arguments = [
        "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=\(folder)/browser",
        "--window-size=1150,3000", "--screenshot=\(folder)/page.png",
        "file://\(folder)/report.html",
      ]
      process.standardError = FileHandle.nullDevice
      process.standardOutput = FileHandle.nullDevice
      try process.run()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      let picture = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/page.png"))
      // Width and height stand behind the signature; an empty page of this size has some 10 kB.
      #expect(Array(picture[16..<24]) == [0, 0, 0x04, 0x7e, 0, 0, 0x0b, 0xb8])
      #expect(picture.count > 40_000)
    }
  }
}

/// The first Chromium on the search path.
private let chromium: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "")
  .split(separator: ":").flatMap { ["\($0)/chromium", "\($0)/chromium-browser"] }
  .first { FileManager.default.isExecutableFile(atPath: $0) }

/// The elements of a page that is well-formed XML.
private struct Page {
  struct Element {
    let name: String
    let attributes: [String: String]
    /// Of the element and those inside it.
    var text = ""
  }

  struct Malformed: Error { let line: Int }

  let html: String
  let elements: [Element]

  init(_ html: String) throws {
    self.html = html
    let reader = Reader()
    let parser = XMLParser(data: Data(html.utf8))
    parser.delegate = reader
    guard parser.parse() else { throw Malformed(line: parser.lineNumber) }
    elements = reader.elements
  }

  func texts(_ name: String) -> [String] {
    elements.filter { $0.name == name }.map(\.text)
  }

  private final class Reader: NSObject, XMLParserDelegate {
    var elements: [Element] = []
    private var open: [Int] = []

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes: [String: String]
    ) {
      open.append(elements.count)
      elements.append(Element(name: name, attributes: attributes))
    }

    func parser(
      _ parser: XMLParser, didEndElement name: String, namespaceURI: String?,
      qualifiedName: String?
    ) { open.removeLast() }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
      for index in open { elements[index].text += text }
    }
  }
}
