import Parts

/// A published table or figure that a scenario repeats: what its `paper` section says.
///
/// ```yaml
/// paper:
///   source: Z. Lu, J. Wang, J. Song, Multi-resolution CSI Feedback with Deep Learning in Massive MIMO System, 2020
///   table: Table II, indoor
///   setting: 100 000 samples, 2500 epochs
///   passes: 250e6                       # samples of all epochs
///   tolerance: 1.5
///   keys: [codec, codec.compression]
///   published: [[csinet, 4, -17.36], [crnet, 4, -26.99], [crnet, 12, null]]    # null: drawn as a curve, no number
///   quoted: [[DS-NLCsiNet, 4, -24.99]]  # nothing here to compare it with
///   budgets: {hour: {training.epochs: 20}}
///   variants: {one_hidden: {codec.network: 'dnnet {base: csinet}'}}
///   orderings: [{key: codec, better: crnet, worse: csinet, claim: several resolutions help}]
/// ```
///
/// Its mapping is inherited through `extends`, key by key.
public struct PaperTable: Sendable, Hashable {
  /// A figure of the paper.
  public struct Cell: Sendable, Hashable {
    /// A value for each of ``PaperTable/keys``.
    public let values: [String]
    /// What the paper prints; nil if it draws a curve and prints no number.
    public let published: Double?
  }

  /// Values of the scenario under a name; overrides as `path=value`, in their order.
  public struct Variation: Sendable, Hashable {
    /// A word.
    public let name: String
    /// As of `--set`.
    public let overrides: [String]
    /// What a variant has besides with a budget of this name, as in `crnet: {hour: {training.epochs: 24}}`.
    public let byBudget: [String: [String]]
    /// Whether figures obtained with it are held against the published ones: `judged: false` says no.
    public let isJudged: Bool

    /// Values under a name; the parameters are the properties.
    public init(
      name: String, overrides: [String] = [], byBudget: [String: [String]] = [:],
      isJudged: Bool = true
    ) {
      (self.name, self.overrides, self.isJudged) = (name, overrides, isJudged)
      self.byBudget = byBudget
    }
  }

  /// A claim of the paper: one value of a key gives better figures than another.
  public struct Ordering: Sendable, Hashable {
    /// One of ``PaperTable/keys``.
    public let key: String
    /// The value that the paper finds better, and the one it is compared with.
    public let better, worse: String
    /// The claim in words.
    public let claim: String
  }

  /// Stands among ``keys`` for the name of a variant.
  public static let variantKey = "variant"

  /// Authors, title, year.
  public let source: String
  /// Which table or figure.
  public let table: String
  /// How the paper trained, in words; empty if not said.
  public let setting: String
  /// Samples that the paper's trainings saw, over all epochs; nil if not said.
  public let passes: Double?
  /// What else a reader should know, such as why a miss is expected; empty if nothing.
  public let note: String
  /// Column of the report that is compared.
  public let column: String
  /// Largest difference to the worse, in the column's unit.
  public let tolerance: Double
  /// Swept paths, and `variant`, that tell the cells apart.
  public let keys: [String]
  /// What is compared, in the order of the file.
  public let cells: [Cell]
  /// Figures of things that cannot be computed.
  public let quoted: [Cell]
  /// How much may be spent, the usual one first.
  public let budgets: [Variation]
  /// What is trained and run for itself; one without a name if the file has none.
  public let variants: [Variation]
  /// What the paper claims.
  public let orderings: [Ordering]
}

/// Reads the `paper` section of a scenario.
struct PaperTableReader {
  let log: DiagnosticLog

  private static let keys = [
    "source", "table", "setting", "passes", "note", "column", "tolerance", "keys", "published",
    "quoted",
    "budgets", "variants", "orderings",
  ]

  /// - Returns: nil without figures, as in a file that others extend, and after a complaint.
  func table(_ entry: YAMLEntry) -> PaperTable? {
    guard let paper = entry.value.mapping else {
      log.error(entry.value.position, "'paper' must be a mapping, got \(entry.value.summary)")
      return nil
    }
    for entry in paper.entries where !Self.keys.contains(entry.key) {
      log.error(
        entry.keyPosition, "'paper' has no key '\(entry.key)'",
        hint: nearestWord(to: entry.key, among: Self.keys).didYouMean
          ?? "known keys: \(Self.keys.joined(separator: ", "))")
    }
    guard paper["published"] != nil else { return nil }
    let keys = (paper["keys"]?.value.list ?? []).compactMap(\.scalar)
    if keys.isEmpty || Set(keys).count != keys.count {
      log.error(
        paper["keys"]?.value.position ?? entry.keyPosition,
        "'paper' needs 'keys', a list of different swept paths",
        hint: "for example 'keys: [codec, codec.compression]'")
    }
    let budgets = variations(paper["budgets"])
    return PaperTable(
      source: text(paper, "source", entry), table: text(paper, "table", entry),
      setting: text(paper, "setting"), passes: number(paper["passes"]), note: text(paper, "note"),
      column: paper["column"] == nil ? "nmse_db" : text(paper, "column"),
      tolerance: number(paper["tolerance"]) ?? 1.5, keys: keys,
      cells: cells(paper["published"], keys), quoted: cells(paper["quoted"], keys),
      budgets: budgets, variants: variations(paper["variants"], budgets: budgets.map(\.name)),
      orderings: orderings(paper["orderings"], keys))
  }

  private func text(_ paper: YAMLMapping, _ key: String, _ needed: YAMLEntry? = nil) -> String {
    if let text = paper[key]?.value.scalar, !text.isEmpty { return text }
    if let place = paper[key]?.value.position ?? needed?.keyPosition {
      log.error(place, "'paper.\(key)' must be a text")
    }
    return ""
  }

  /// A number that is not negative.
  private func number(_ entry: YAMLEntry?) -> Double? {
    guard let entry else { return nil }
    if let number = entry.value.scalar.flatMap(Double.init), number.isFinite, number >= 0 {
      return number
    }
    log.error(
      entry.value.position,
      "'paper.\(entry.key)' must be a number of 0 or more, got \(entry.value.summary)")
    return nil
  }

  private func cells(_ entry: YAMLEntry?, _ keys: [String]) -> [PaperTable.Cell] {
    guard let entry else { return [] }
    let rows = entry.value.list ?? []
    if rows.isEmpty {
      log.error(
        entry.value.position,
        "'paper.\(entry.key)' must be a list of rows, got \(entry.value.summary)")
    }
    return rows.compactMap { row in
      let values = (row.list ?? []).dropLast().compactMap(\.scalar)
      let last = row.list?.last
      let figure = last?.scalar.flatMap(Double.init)
      guard values.count == keys.count, row.list?.count == keys.count + 1,
        figure?.isFinite ?? (last!.isNull && entry.key == "published")
      else {
        log.error(
          row.position,
          "a row of 'paper.\(entry.key)' must be \(keys.count) values and a figure, got \(row.flowText)",
          hint:
            "for example [\((keys.map { "VALUE OF \($0)" } + ["-17.36"]).joined(separator: ", "))]")
        return nil
      }
      return PaperTable.Cell(values: values, published: figure)
    }
  }

  /// Entries under the name of a budget are those of a variant for that budget alone.
  private func variations(_ entry: YAMLEntry?, budgets: [String] = []) -> [PaperTable.Variation] {
    guard let entry else { return [] }
    guard let mapping = entry.value.mapping else {
      log.error(
        entry.value.position,
        "'paper.\(entry.key)' must be a mapping of names to values of the scenario, got \(entry.value.summary)",
        hint: "for example '\(entry.key): {short: {training.epochs: 20}}'")
      return []
    }
    return mapping.entries.compactMap { variation in
      guard variation.value.mapping != nil || variation.value.isNull,
        variation.key.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) }
        )
      else {
        log.error(
          variation.keyPosition,
          "'paper.\(entry.key)' must have words that name values of the scenario, got '\(variation.key)' with \(variation.value.summary)"
        )
        return nil
      }
      let values = variation.value.mapping?.entries ?? []
      let (own, plain) = (
        values.filter { budgets.contains($0.key) },
        values.filter { !budgets.contains($0.key) && $0.key != "judged" }
      )
      for entry in own where entry.value.mapping == nil {
        log.error(
          entry.value.position,
          "what variant '\(variation.key)' has with budget '\(entry.key)' must be a mapping, got \(entry.value.summary)",
          hint: "for example '\(entry.key): {training.epochs: 20}'")
      }
      return PaperTable.Variation(
        name: variation.key, overrides: Self.overrides(plain),
        byBudget: Dictionary(
          uniqueKeysWithValues: own.map {
            ($0.key, Self.overrides($0.value.mapping?.entries ?? []))
          }),
        isJudged: values.first { $0.key == "judged" }?.value.scalar != "false")
    }
  }

  private static func overrides(_ entries: [YAMLEntry]) -> [String] {
    entries.map { "\($0.key)=\($0.value.overrideText)" }
  }

  private func orderings(_ entry: YAMLEntry?, _ keys: [String]) -> [PaperTable.Ordering] {
    (entry?.value.list ?? []).compactMap { row in
      let words = ["key", "better", "worse", "claim"].map { row.mapping?[$0]?.value.scalar }
      guard let key = words[0], let better = words[1], let worse = words[2], keys.contains(key)
      else {
        log.error(
          row.position,
          "an entry of 'paper.orderings' must have key, better, worse, claim; the key one of \(keys.joined(separator: ", "))",
          hint:
            "for example {key: codec, better: crnet, worse: csinet, claim: several resolutions help}"
        )
        return nil
      }
      return PaperTable.Ordering(
        key: key, better: better, worse: worse,
        claim: words[3] ?? "\(better) is better than \(worse)")
    }
  }
}
