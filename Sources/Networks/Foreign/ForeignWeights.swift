import DataFiles

/// Weights of a network from files of another framework: PyTorch checkpoints, Keras HDF5, safetensors with other names.
///
/// Names are matched by the tables of `ForeignNamings` below the level that holds them (`state_dict`, `model_state_dict`, ...);
/// counters beside them are left out, and a tensor without use is an error as a missing one is.
public struct ForeignWeights: Sendable {
  /// A parameter and where it came from.
  public struct Row: Sendable {
    /// Key of the parameter.
    public let key: String
    /// Name in the file, with all levels.
    public let name: String
    /// Shape in the file.
    public let shape: [Int]
    /// What was done to the values; empty for nothing.
    public let change: String

    init(_ pair: ForeignMatch.Pair) {
      key = pair.entry.key
      name = pair.tensor?.saved.name ?? ""
      shape = pair.tensor?.saved.shape ?? []
      change = pair.entry.transform.words
    }
  }

  /// The network that the weights are of.
  public let choice: NetworkChoice
  /// Every parameter.
  public let rows: [Row]
  /// Values by key.
  public let weights: Weights
  /// What was assumed, a sentence each.
  public internal(set) var notes: [String]
  /// Description of the files.
  public let source: String
  /// The file that the first parameter came from.
  let path: String

  /// Reads the weights of a network.
  ///
  /// - Parameters:
  ///   - paths: files, which together hold the sides.
  ///   - choice: network, ratio and image.
  ///   - sides: which halves.
  ///   - options: what the files do not say.
  /// - Throws: `DataFileError` for a damaged file, ``ForeignWeightsError`` for files of another network.
  public init(
    _ paths: [String], _ choice: NetworkChoice,
    sides: [WeightsFile.Side] = WeightsFile.Side.allCases, options: ForeignOptions = .init()
  ) throws {
    try self.init(ForeignFiles(paths), choice, sides, options)
  }

  init(
    _ files: ForeignFiles, _ choice: NetworkChoice, _ sides: [WeightsFile.Side],
    _ options: ForeignOptions
  ) throws {
    try Self.checkLevel(files, choice, options)
    let matches = try Self.matches(files, choice, sides, options)
    let chosen = matches.filter { sides.contains($0.side) }
    if let whole = Self.onlySide(of: matches), sides != [whole] {
      throw ForeignWeightsError(files, choice, problem: .halved(whole))
    }
    try Self.check(files, choice, chosen, all: matches, options)
    self.choice = choice
    rows = chosen.flatMap(\.pairs).map { Row($0) }
    let values = try Self.values(chosen)
    path = files.paths[chosen.first?.group?.file ?? 0]
    try Self.check(values, choice, sides, rows, path)
    weights =
      options.normalizationEpsilon.map {
        NormalizationEpsilon.moved(values, choice.autoencoder, from: $0)
      } ?? values
    notes = Self.notes(files, choice, matches, rowCount: rows.count, options)
    source = files.text
  }

  /// The matches of both sides by name, or by order where that is allowed and names do not do.
  private static func matches(
    _ files: ForeignFiles, _ choice: NetworkChoice, _ sides: [WeightsFile.Side],
    _ options: ForeignOptions
  ) throws(ForeignWeightsError) -> [ForeignMatch] {
    var matches: [ForeignMatch] = []
    for side in WeightsFile.Side.allCases {
      if let match = try ForeignMatch.best(files, choice, side, options) { matches.append(match) }
    }
    let complete = matches.filter(\.isComplete).map(\.side)
    if options.allowsOrder, !sides.allSatisfy(complete.contains) {
      return ForeignMatch.byOrder(files, choice) ?? matches
    }
    return matches
  }

  /// Refuses a level that no tensor stands below.
  static func checkLevel(
    _ files: ForeignFiles, _ choice: NetworkChoice?, _ options: ForeignOptions
  ) throws(ForeignWeightsError) {
    guard let level = options.level, case let levels = files.levels, !levels.contains(level) else {
      return
    }
    throw ForeignWeightsError(files, choice, problem: .unknownLevel(level, levels))
  }

  /// The side that is whole, where the other one has no parameter of its shape.
  static func onlySide(of matches: [ForeignMatch]) -> WeightsFile.Side? {
    guard let whole = matches.first(where: \.isComplete) else { return nil }
    let isAlone = matches.allSatisfy { $0.side == whole.side || $0.score.0 == 0 }
    return isAlone ? whole.side : nil
  }

  private static func values(_ matches: [ForeignMatch]) throws -> Weights {
    var weights = Weights()
    for pair in matches.flatMap(\.pairs) {
      guard let tensor = pair.tensor else { continue }
      weights[pair.entry.key] = pair.entry.transform.applied(
        try tensor.saved.floats(), pair.parameter.shape)
    }
    return weights
  }

  private static func check(
    _ weights: Weights, _ choice: NetworkChoice, _ sides: [WeightsFile.Side], _ rows: [Row],
    _ path: String
  ) throws {
    for side in sides {
      do throws(NetworkError) {
        try weights.check(side.network(of: choice.autoencoder))
      } catch {
        guard case .unexpectedValue(let key, let expected) = error else { throw error }
        throw DataFileError(
          file: path, variable: rows.first { $0.key == key }?.name, expected: expected,
          found: "a value that is not")
      }
    }
  }

  private static func notes(
    _ files: ForeignFiles, _ choice: NetworkChoice, _ matches: [ForeignMatch], rowCount: Int,
    _ options: ForeignOptions
  ) -> [String] {
    var notes: [String] = []
    if matches.contains(where: \.isByOrder) {
      notes.append("names are unknown: matched by their order and shapes alone")
    }
    if files.isKeras, choice.familyName == CsiNetKerasNames.family {
      let isLast = CsiNetKerasNames.isChannelsLast(choice, options)
      notes.append(
        "images were flattened with channels \(isLast ? "last" : "first")"
          + (options.flattening == nil ? ", as Keras does with such normalisations" : ""))
    }
    if let epsilon = options.normalizationEpsilon {
      notes.append(
        "normalisations were trained with the epsilon \(epsilon): their scales are changed to do the same"
      )
    } else if let note = NormalizationEpsilon.note(choice.autoencoder, isKeras: files.isKeras) {
      notes.append(note)
    }
    if choice.name == CLLWCsiNetNames.family {
      notes.append(
        "if they were trained without noise, name the network 'cllwcsinet {noise_wiring: none}' in the link: its denoiser has learned nothing"
      )
    }
    if files.counterCount > 0 { notes.append("\(files.counterCount) counters left out") }
    let outside = files.tensors.count - rowCount
    if outside > 0 { notes.append("\(outside) other tensors left out") }
    return notes
  }

  /// Refuses missing and misshapen parameters, and tensors beside those of the network that have no use.
  private static func check(
    _ files: ForeignFiles, _ choice: NetworkChoice, _ chosen: [ForeignMatch], all: [ForeignMatch],
    _ options: ForeignOptions
  ) throws(ForeignWeightsError) {
    var missing: [ForeignWeightsError.Item] = []
    var misshapen: [(ForeignWeightsError.Item, found: [Int])] = []
    for pair in chosen.flatMap(\.pairs) where !pair.fits {
      let item = ForeignWeightsError.Item(
        name: pair.entry.names[0], shape: pair.entry.transform.foreignShape(pair.parameter.shape))
      if let tensor = pair.tensor {
        misshapen.append((item, found: tensor.saved.shape))
      } else {
        missing.append(item)
      }
    }
    let known = Set(all.flatMap(\.pairs).compactMap { $0.tensor?.saved.name })
    let leftOut = all.flatMap { $0.naming.leftOut(choice) } + options.ignored
    var unmatched: [ForeignWeightsError.Item] = []
    var seen: Set<String> = []
    for group in Set(chosen.compactMap(\.group)).sorted() {
      let found = files.tensors(of: group)
      for (name, tensor) in found.sorted(by: { $0.key < $1.key })
      where !known.contains(tensor.saved.name)
        && !leftOut.contains(where: { name.hasPrefix($0) || tensor.saved.name.hasPrefix($0) })
        && seen.insert(tensor.saved.name).inserted
      {
        unmatched.append(.init(name: name, shape: tensor.saved.shape))
      }
    }
    if chosen.allSatisfy({ $0.group == nil && !$0.isByOrder }) {
      unmatched = files.tensors.map { .init(name: $0.name, shape: $0.saved.shape) }
    }
    guard missing.isEmpty, misshapen.isEmpty, unmatched.isEmpty else {
      let hasAll = missing.isEmpty && misshapen.isEmpty
      throw ForeignWeightsError(
        files, choice,
        problem: .unfit(missing: missing, misshapen: misshapen, unmatched: unmatched),
        triedOrder: options.allowsOrder,
        identity: hasAll ? nil : identity(files, insteadOf: choice))
    }
  }

  /// Table of what was matched, then what was assumed.
  public var text: String {
    let table = TextTable(
      header: ["key", "tensor", "shape", "change"],
      rows: rows.map { row in
        [
          row.key, row.name.onOneLine,
          row.shape.isEmpty ? "scalar" : row.shape.map(String.init).joined(separator: "x"),
          row.change,
        ]
      }
    ).text
    return (["# \(choice.title) from \(source)", table] + notes.map { "# \($0)" })
      .joined(separator: "\n")
  }

  /// Writes both sides below a folder as training does (``WeightsFile``).
  ///
  /// - Parameters:
  ///   - folder: made if missing.
  ///   - label: word that tells several weights of one network apart.
  ///   - normaliser: rule of the data that the network was trained on.
  /// - Returns: paths of the encoder's and the decoder's file.
  public func write(
    in folder: String, label: String? = nil, normaliser: String
  ) throws -> [String] {
    try WeightsFile.write(
      weights, choice, label: label, metadata: ["normaliser": normaliser, "source": source],
      in: folder)
  }
}
