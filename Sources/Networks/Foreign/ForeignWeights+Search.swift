extension ForeignWeights {
  /// Reads the weights of whatever network the files hold: ratio, and network too, are found by names and shapes.
  ///
  /// - Parameters:
  ///   - paths: files, which together hold both sides.
  ///   - network: as for ``NetworkZoo/variant(_:)``; nil for any of the list.
  ///   - compression: n of ratio 1/n; nil for any.
  ///   - image: `[2, angle, delay]`.
  ///   - options: what the files do not say.
  /// - Throws: ``NetworkError`` for a network that does not exist, otherwise as ``init(_:_:sides:options:)``.
  public init(
    _ paths: [String], network: String?, compression: Int?, image: Shape = .publicImage,
    options: ForeignOptions = .init()
  ) throws {
    if let network, let compression {
      let choice = try NetworkChoice(network, compression: compression, image: image)
      try self.init(paths, choice, options: options)
      return
    }
    let files = try ForeignFiles(paths)
    try Self.checkLevel(files, nil, options)
    let found = try Self.search(
      files, network: network, compression: compression, image: image, options: options)
    if let half = found.half, found.fitting.isEmpty {
      throw ForeignWeightsError(files, half.choice, problem: .halved(half.side))
    }
    guard let choice = found.fitting.first ?? (network == nil ? nil : found.nearest) else {
      throw ForeignWeightsError(
        files, nil,
        problem: .unknownNetwork(
          nearest: found.nearest.map(\.title),
          differences: found.hasMost ? found.nearest.flatMap { Self.differences(files, $0) } : nil))
    }
    try self.init(files, choice, WeightsFile.Side.allCases, options)
    let others = found.fitting.dropFirst().filter {
      $0.autoencoder.decoder.graph.inputShapes.count == 1
    }
    if !others.isEmpty {
      notes.append("also the tensors of " + others.map(\.name).joined(separator: ", "))
    }
  }

  /// What files may be the weights of.
  private struct Findings {
    /// Networks that have all their tensors there.
    var fitting: [NetworkChoice] = []
    /// The network that has most of them.
    var nearest: NetworkChoice?
    /// Whether they have more than half of its tensors.
    var hasMost = false
    /// The same, if one of its sides is whole and of the other one there is nothing.
    var half: (choice: NetworkChoice, side: WeightsFile.Side)?
  }

  /// Tries all networks of the list, or one, at all ratios or one.
  private static func search(
    _ files: ForeignFiles, network: String?, compression: Int?, image: Shape,
    options: ForeignOptions
  ) throws -> Findings {
    let variants =
      try network.map { [try NetworkZoo.standard.variant($0)] } ?? NetworkZoo.standard.variants
    var found = Findings()
    var most = 0
    for variant in variants {
      // A family that cannot compress the image has no weights for it.
      let ratios = (try? variant.compressions(image: image)) ?? []
      for ratio in ratios where compression == nil || ratio == compression {
        let choice = try NetworkChoice(variant, compression: ratio, image: image)
        let matches = try WeightsFile.Side.allCases.compactMap {
          try ForeignMatch.best(files, choice, $0, options)
        }
        if matches.count == 2, matches.allSatisfy(\.isComplete) {
          found.fitting.append(choice)
          break
        }
        let score = matches.reduce(0) { $0 + $1.score.0 }
        if score > most {
          most = score
          found.nearest = choice
          found.hasMost = 2 * score > matches.reduce(0) { $0 + $1.pairs.count }
          found.half = onlySide(of: matches).map { (choice, $0) }
        }
        // Names that do not fit at one ratio fit at none, except where they differ by ratio.
        if matches.allSatisfy({ $0.score.1 == 0 }), !namesDifferByRatio(variant) { break }
      }
    }
    return found
  }

  /// How the tensors of files differ from those of a network; nil if they do not, or differ in another way.
  private static func differences(_ files: ForeignFiles, _ choice: NetworkChoice) -> String? {
    do {
      _ = try ForeignWeights(files, choice, WeightsFile.Side.allCases, ForeignOptions())
      return nil
    } catch {
      return (error as? ForeignWeightsError)?.differences
    }
  }

  /// The network that files which do not fit `choice` have the tensors of, all or most; nil if that is not known.
  static func identity(_ files: ForeignFiles, insteadOf choice: NetworkChoice)
    -> ForeignWeightsError.Identity?
  {
    let found = try? search(
      files, network: nil, compression: nil, image: choice.image, options: ForeignOptions())
    guard let found else { return nil }
    if let whole = found.fitting.first { return .init(choice: whole, isWhole: true) }
    guard found.hasMost, let nearest = found.nearest, nearest.title != choice.title else {
      return nil
    }
    return .init(choice: nearest, isWhole: false)
  }

  private static func namesDifferByRatio(_ variant: NetworkVariant) -> Bool {
    variant.family.schema.name == CLLWCsiNetNames.family
  }
}
