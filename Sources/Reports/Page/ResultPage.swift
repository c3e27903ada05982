import DataFiles
import Foundation
import LinkMath
import Scenarios
import Simulation

/// A result or a training as one HTML file that needs nothing beside it: no script, pictures inside.
///
/// What a section needs and the folder does not have (a journal, gnuplot, weights) is told in the section in its place.
public struct ResultPage {
  /// Name of the file in the folder of results.
  public static let fileName = "report.html"

  let recorded: RecordedResult
  /// Read from the manifest; nil for results of builds whose scenarios this one does not understand.
  let scenario: Scenario?
  let pool: WorkerPool
  /// Told what is fitted for drops that are run again.
  let progress: @Sendable (String) -> Void
  private var nextPicture = 0

  /// Writes the page of a folder, as a whole or not at all.
  ///
  /// - Parameters:
  ///   - folder: of a result of `csilink run`, or of a training.
  ///   - path: the page.
  ///   - pool: threads that stages are made on.
  ///   - showsDrops: whether drops are run again to show their CSI.
  ///   - progress: told what is fitted for that.
  /// - Throws: `DataFileError` for a folder with neither, and for a page that cannot be written.
  public static func write(
    _ folder: String, to path: String, pool: WorkerPool, showsDrops: Bool = true,
    progress: @escaping @Sendable (String) -> Void = { _ in }
  ) throws {
    let isTraining =
      !FileManager.default.fileExists(atPath: "\(folder)/\(ReportCSV.fileName)")
      && FileManager.default.fileExists(atPath: "\(folder)/\(TrainingFolder.reportName)")
    let content: PageContent
    if isTraining {
      content = try TrainingPage(folder, pool: pool).content()
    } else {
      var page = try ResultPage(folder, pool: pool, progress: progress)
      content = page.content(showsDrops: showsDrops)
    }
    for text in content.sections.flatMap(\.texts) where text.hasPrefix(PageContent.missing) {
      progress(text)
    }
    try AtomicFile.write(content.html(), to: path)
  }

  init(_ folder: String, pool: WorkerPool, progress: @escaping @Sendable (String) -> Void) throws {
    recorded = try RecordedResult(reading: folder)
    (self.pool, self.progress) = (pool, progress)
    scenario = recorded.manifest.flatMap { manifest in
      let place = "\(manifest.startFolder)/\(manifest.name).yaml"
      return try? ScenarioReader.standard.read(text: manifest.scenario, path: place).scenario
    }
  }

  mutating func content(showsDrops: Bool) -> PageContent {
    let sections = [
      whatWasRun(), curves(), table(), bits(), distribution(), showsDrops ? drops() : nil,
      training(), costs(), definitions(),
      provenance(),
    ].compactMap { $0 }
    return PageContent(
      title: recorded.name, description: recorded.manifest?.description ?? "",
      version: ProgramIdentity.version, sections: sections)
  }

  /// Draws figures; one that cannot be drawn leaves a sentence.
  mutating func draw(
    _ requests: [(FigureRequest, caption: String)], of result: RecordedResult,
    into section: inout PageContent.Section
  ) {
    for (request, caption) in requests {
      do {
        let figure = try Figure(request, of: [result])
        nextPicture += 1
        section.pictures.append(try PagePicture(figure, caption: caption, index: nextPicture))
        section.texts += figure.notes
      } catch let error as FigureError {
        section.texts.append("No figure of \(request.y): \(error.message).")
      } catch {
        section.texts.append("No figure of \(request.y): \(error)")
      }
    }
  }

  private func whatWasRun() -> PageContent.Section {
    var section = PageContent.Section(id: "run", heading: "What was run")
    let drops = recorded.rows.indices.compactMap { recorded.number($0, Column.drops.name) }
    let (least, most) = (drops.min() ?? 0, drops.max() ?? 0)
    let count = least == most ? "\(Int(most))" : "\(Int(least)) to \(Int(most))"
    section.texts.append(
      "\(recorded.rows.count) operating points of \(count) drops each, seed \(recorded.seed.isEmpty ? "unknown" : recorded.seed)."
        + " All points draw from the same random numbers, so that differences between them are paired."
    )
    let stages = PageStages.of(recorded)
    if !stages.isEmpty {
      section.tables.append(
        PageContent.Table(
          caption: "The link, stage by stage", keys: ["stage"], columns: ["part", "settings"],
          rows: stages, isText: true))
    }
    if !recorded.axes.isEmpty {
      let rows = recorded.axes.map { axis in
        let values = recorded.rows.indices.compactMap { recorded.field($0, axis) }.uniqued
        return PageContent.Row(heads: [axis], cells: [values.joined(separator: ", ")])
      }
      section.tables.append(
        PageContent.Table(
          caption: "What is swept", keys: ["key"], columns: ["values"], rows: rows, isText: true))
    }
    if let command = recorded.manifest?.commandLine, !command.isEmpty {
      section.listings.append(
        PageContent.Listing(
          caption: "Command", text: command.map(\.shellWord).joined(separator: " "), isOpen: true))
    }
    if let text = recorded.manifest?.scenario, !text.isEmpty {
      section.listings.append(
        PageContent.Listing(caption: "Scenario with all defaults", text: text))
    }
    return section
  }

  private mutating func curves() -> PageContent.Section? {
    guard let first = recorded.axes.first else { return nil }
    let requests =
      scenario.flatMap(ReportSettings.plots)
      ?? ResultPlots.usual(over: first, of: Set(recorded.columns))
    var section = PageContent.Section(id: "curves", heading: "Curves")
    draw(
      requests.map { ($0, "\(FigureKey.caption($0, recorded)). Bars are 95 % intervals.") },
      of: recorded, into: &section)
    return section
  }

  /// What a report costs against what it leaves, with the bound of ideal coding where the report has it.
  private mutating func bits() -> PageContent.Section? {
    let bits = recorded.rows.indices.compactMap {
      recorded.number($0, Column.payloadBits.name)
    }
    guard Set(bits).count > 1 else { return nil }
    var request = FigureRequest(y: Column.nmseRatioOfSumsDB.name)
    request.x = Column.payloadBits.name
    request.facet = panelKey
    let floor = Column.gaussianFloorDB.name
    let bound =
      recorded.columns.contains(floor)
      ? "Dashed: what ideal coding in so many bits would leave of Gaussian CSI with the same second moments (\(floor)); real CSI is not Gaussian and may be coded better."
      : "The floor of ideal coding is drawn with 'report: {columns: [\(floor)]}' in the scenario."
    var section = PageContent.Section(id: "bits", heading: "Bits against NMSE")
    draw(
      [(request, "\(FigureKey.caption(request, recorded)). \(bound)")], of: recorded,
      into: &section)
    return section
  }

  /// The first swept key that changes errors but no bits, if its values are few enough for panels.
  private var panelKey: String? {
    recorded.axes.first { axis in
      let values = recorded.rows.indices.compactMap { recorded.field($0, axis) }.uniqued
      guard (2...9).contains(values.count) else { return false }
      let others = recorded.axes.filter { $0 != axis }
      var bits: [[String?]: String?] = [:]
      return recorded.rows.indices.allSatisfy { row in
        let place = others.map { recorded.field(row, $0) }
        let own = recorded.field(row, Column.payloadBits.name)
        defer { bits[place] = own }
        return bits[place].map { $0 == own } ?? true
      }
    }
  }

  /// At most twelve points: with more than that, those in the middle of the first keys.
  private mutating func distribution() -> PageContent.Section {
    var section = PageContent.Section(id: "drops", heading: "Distribution over drops")
    let (points, conditions) = PageSelection.few(recorded, limit: 12)
    let name = Column.nmseDB.name
    do {
      let drops = try recorded.distribution(of: name, points: points)
      var request = FigureRequest(y: RecordedResult.shareKey)
      request.x = name
      request.xScale = .linear
      let which =
        conditions.isEmpty ? "" : " Shown: \(conditions.joined(separator: ", "))."
      draw(
        [(request, "Share of drops whose NMSE does not exceed a value.\(which)")], of: drops,
        into: &section)
    } catch let error as JournalError {
      section.texts.append("\(PageContent.missing): \(error.path) \(error.problem).")
    } catch {
      section.texts.append("\(PageContent.missing): \(error)")
    }
    return section
  }
}

extension String {
  /// The text as one word of a shell, quoted where it has to be.
  var shellWord: String {
    let isPlain = unicodeScalars.allSatisfy {
      $0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil)
        || "-_./=:,+%".unicodeScalars.contains($0)
    }
    return isPlain && !isEmpty ? self : "'\(replacing("'", with: "'\\''"))'"
  }
}

extension FigureKey {
  /// What a figure shows: `NMSE over pilot SNR`.
  static func caption(_ request: FigureRequest, _ result: RecordedResult) -> String {
    let names = [request.y, request.x ?? result.axes.first].compactMap { $0 }
    let keys = keys(names.uniqued, columns: Set(result.columns))
    return names.map { keys[$0]?.label() ?? $0 }.joined(separator: " over ")
  }
}
