import Parts

/// A scenario that was read and checked: what to run at every operating point.
public struct Scenario: Sendable {
  /// `name:` of the scenario, or its file name without the extension: what its results are called.
  public let name: String
  /// `description:` of the scenario; empty if it has none.
  public let description: String
  /// The file as it was given, and the folder that relative file names start from (`.` for the working directory).
  public let path: String
  /// The folder that relative file names start from.
  public let directory: String
  /// The `run` section; nil if the catalogue has no part for it.
  public let run: Settings?
  /// The `report` section; nil if the catalogue has no part for it.
  public let report: Settings?
  /// How its networks are trained; nil if it does not say.
  public let training: Settings?
  /// The published table that it repeats; nil if it is none.
  public let paper: PaperTable?
  /// The swept paths in the order of the scenario; empty if it sweeps nothing.
  public let axes: [SweepAxis]
  /// In the order of the sweep, the first axis varying slowest.
  public let points: [OperatingPoint]
  /// The parts that it was read against.
  public let registry: PartRegistry
  let sources: ScenarioSources
}

/// A swept path, such as `pilots.snr_db`, with the texts of its values in the order of the scenario.
public struct SweepAxis: Sendable, Hashable {
  /// The key or section that is swept.
  public let path: String
  /// The texts of its values, in the order of the scenario.
  public let values: [String]

  /// A swept path with the texts of its values.
  public init(path: String, values: [String]) {
    self.path = path
    self.values = values
  }
}

/// One combination of swept values.
public struct OperatingPoint: Sendable, Hashable {
  /// Position among the points of the scenario, from 0.
  public let index: Int
  /// One text per axis, for the result table; nil where the part at this point does not have the swept key.
  public let coordinates: [String?]
  /// The settings of every section of the link.
  public let settings: [Section: Settings]

  /// The same point with other settings of one section.
  package func replacing(_ other: Settings) -> OperatingPoint {
    OperatingPoint(
      index: index, coordinates: coordinates,
      settings: settings.merging([other.section: other]) { $1 })
  }

  /// The same settings at another place in the order of points.
  package func numbered(_ index: Int) -> OperatingPoint {
    OperatingPoint(index: index, coordinates: coordinates, settings: settings)
  }
}

/// What is kept of the reading, to place later complaints and to write the scenario down again.
struct ScenarioSources: Sendable {
  /// Every distinct reading of a section, in the order in which the points meet them.
  var readings: [Section: [SectionReading]]
  /// For every point the index of each section's reading; sections in the order of the link.
  var variants: [[Int]]
  var axes: [Axis]
  /// Where the link is written.
  var place: SourcePosition
}

extension Scenario {
  /// The same with one value of a key wherever a part has it and the value is to be changed; it still counts as not written.
  ///
  /// - Parameters:
  ///   - key: of the parts of a section.
  ///   - section: of the link, or `run`.
  ///   - value: the new value.
  ///   - isChanged: told the settings that have the key.
  package func setting(
    _ key: String, of section: Section, to value: Setting, where isChanged: (Settings) -> Bool
  ) -> Scenario {
    func changed(_ settings: Settings) -> Settings {
      settings.values[key] != nil && isChanged(settings)
        ? settings.replacing(key, with: value) : settings
    }
    var sources = sources
    sources.readings[section] = sources.readings[section]?.map { reading in
      SectionReading(
        part: reading.part, settings: reading.settings.map(changed), place: reading.place,
        places: reading.places, elements: reading.elements, appliedKeys: reading.appliedKeys)
    }
    return Scenario(
      name: name, description: description, path: path, directory: directory,
      run: section == .run ? run.map(changed) : run, report: report, training: training,
      paper: paper, axes: axes,
      points: points.map { point in
        point.settings[section].map { point.replacing(changed($0)) } ?? point
      }, registry: registry, sources: sources)
  }

  /// Places a complaint that a part made when it was constructed.
  ///
  /// - Parameters:
  ///   - error: the complaint.
  ///   - section: the section of the part that complained.
  ///   - point: index of the operating point; nil for `run` and `report`.
  ///   - severity: whether it keeps the scenario from being run.
  /// - Returns: a diagnostic at the value of the key if the scenario gives it, else at the section.
  public func diagnostic(
    for error: SettingsError, section: Section, point: Int? = nil,
    severity: Diagnostic.Severity = .error
  ) -> Diagnostic {
    let reading = reading(of: section, point)
    let place = reading?.place(of: error.key, error.element) ?? sources.place
    let subject = error.key.isEmpty ? section.rawValue : "\(section).\(error.key)"
    return Diagnostic(
      severity, at: place, "\(subject) \(error.reason)\(circumstances(point))", hint: error.hint)
  }

  /// Places complaints about a section of the scenario as a whole, such as `report`, in the order of their lines.
  public func diagnostics(for errors: [SettingsError], section: Section) -> [Diagnostic] {
    errors.map { diagnostic(for: $0, section: section) }.sorted {
      ($0.position.line, $0.position.column) < ($1.position.line, $1.position.column)
    }
  }

  /// Places a complaint about a file that a part reads.
  ///
  /// - Parameters:
  ///   - file: its path, if it is known.
  ///   - section: the section of the part.
  ///   - point: index of the operating point.
  ///   - message: what is wrong with the file.
  ///   - hint: a way out.
  /// - Returns: an error at the value of the key that names the file, or its folder, else at the section.
  public func diagnostic(
    forFile file: String?, section: Section, point: Int, _ message: String, hint: String?
  ) -> Diagnostic {
    let reading = reading(of: section, point)
    let key = reading?.places.keys.sorted().first { key in
      guard let file, let reading else { return false }
      return reading.files(of: key).contains { "\(file)/".contains("\($0)/") }
    }
    let element = key.flatMap { key in
      file.flatMap { file in reading?.files(of: key).firstIndex { "\(file)/".contains("\($0)/") } }
    }
    let place = reading?.place(of: key ?? "", element) ?? sources.place
    let subject = key.map { "\(section).\($0)" } ?? section.rawValue
    return Diagnostic(
      .error, at: place, "\(subject): \(message)\(circumstances(point))", hint: hint)
  }

  /// Whether a key has a value that is written in the scenario or overridden, in place of its default.
  public func isWritten(_ key: String, _ section: Section, point: Int? = nil) -> Bool {
    reading(of: section, point)?.places[key] != nil
  }

  private func reading(of section: Section, _ point: Int?) -> SectionReading? {
    let settings =
      switch section {
      case .run: run
      case .report: report
      case .training: training
      default: point.flatMap { points.indices.contains($0) ? points[$0].settings[section] : nil }
      }
    let readings = sources.readings[section] ?? []
    return readings.first { $0.settings == settings } ?? readings.first
  }

  /// A complaint about the scenario as a whole.
  public func diagnostic(_ message: String, hint: String) -> Diagnostic {
    Diagnostic(.error, at: sources.place, message, hint: hint)
  }

  /// The swept values of a point, in parentheses.
  private func circumstances(_ point: Int?) -> String {
    guard let point, points.indices.contains(point), !axes.isEmpty else { return "" }
    let values = zip(axes, points[point].coordinates).compactMap { axis, value in
      value.map { "\(axis.path) = \($0)" }
    }
    return " (at \(values.joined(separator: ", ")))"
  }
}
