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
    let variants =
      try network.map { [try NetworkZoo.standard.variant($0)] } ?? NetworkZoo.standard.variants
    var fitting: [NetworkChoice] = []
    var half: (choice: NetworkChoice, side: WeightsFile.Side)?
    var nearest: (choice: NetworkChoice, score: Int)?
    for variant in variants {
      // A family that cannot compress the image has no weights for it.
      let ratios = (try? variant.compressions(image: image)) ?? []
      for ratio in ratios where compression == nil || ratio == compression {
        let choice = try NetworkChoice(variant, compression: ratio, image: image)
        let matches = try WeightsFile.Side.allCases.compactMap {
          try ForeignMatch.best(files, choice, $0, options)
        }
        if matches.count == 2, matches.allSatisfy(\.isComplete) {
          fitting.append(choice)
          break
        }
        let score = matches.reduce(0) { $0 + $1.score.0 }
        if nearest.map({ score > $0.score }) ?? (score > 0) {
          nearest = (choice, score)
          half = Self.onlySide(of: matches).map { (choice, $0) }
        }
        // Names that do not fit at one ratio fit at none, except where they differ by ratio.
        if matches.allSatisfy({ $0.score.1 == 0 }), !Self.namesDifferByRatio(variant) { break }
      }
    }
    if let half, fitting.isEmpty {
      throw ForeignWeightsError(files, half.choice, problem: .halved(half.side))
    }
    guard let choice = fitting.first ?? (network == nil ? nil : nearest?.choice) else {
      throw ForeignWeightsError(
        files, nil, problem: .unknownNetwork(nearest: nearest.map(\.choice.title)))
    }
    try self.init(files, choice, WeightsFile.Side.allCases, options)
    if fitting.count > 1 {
      notes.append("also the tensors of " + fitting.dropFirst().map(\.name).joined(separator: ", "))
    }
  }

  private static func namesDifferByRatio(_ variant: NetworkVariant) -> Bool {
    variant.family.schema.name == CLLWCsiNetNames.family
  }
}
