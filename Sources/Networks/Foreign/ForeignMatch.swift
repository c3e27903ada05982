import DataFiles

/// What of one side was found in foreign files under the names of one table.
struct ForeignMatch {
  /// A parameter with the tensor that was found for it.
  struct Pair {
    let entry: ForeignEntry
    let parameter: NetworkParameter
    /// Nil if there is none.
    let tensor: ForeignFiles.Tensor?

    /// Whether the tensor has the shape that the table says.
    var fits: Bool {
      guard let tensor else { return false }
      return Self.isSame(tensor.saved.shape, entry.transform.foreignShape(parameter.shape))
    }

    /// Equal but for axes of length one at the end: a scalar may be a vector, a kernel of one point a dense layer.
    static func isSame(_ a: [Int], _ b: [Int]) -> Bool {
      func core(_ shape: [Int]) -> [Int] { Array(shape.reversed().drop { $0 == 1 }.reversed()) }
      return core(a) == core(b)
    }
  }

  let naming: any ForeignNaming.Type
  let side: WeightsFile.Side
  let group: ForeignFiles.Group?
  let pairs: [Pair]
  /// Whether names had no part in it.
  let isByOrder: Bool

  var isComplete: Bool { pairs.allSatisfy(\.fits) }
  /// Parameters found with their shape, then those found at all.
  var score: (Int, Int) { (pairs.count { $0.fits }, pairs.count { $0.tensor != nil }) }

  /// Looks below the level that has most of the names.
  ///
  /// - Throws: ``ForeignWeightsError`` if several levels have all of them.
  init?(
    _ files: ForeignFiles, _ choice: NetworkChoice, _ side: WeightsFile.Side,
    _ naming: any ForeignNaming.Type, _ options: ForeignOptions
  ) throws(ForeignWeightsError) {
    guard let entries = naming.entries(choice, side, options) else { return nil }
    self.naming = naming
    self.side = side
    isByOrder = false
    var counts = files.groups(of: Set(entries.flatMap(\.names)))
    if let level = options.level {
      counts = counts.filter { $0.key.prefix.split(separator: ".").contains(Substring(level)) }
    }
    let most = counts.values.max() ?? 0
    let best = counts.filter { $0.value == most }.keys.sorted()
    group = best.first
    let parameters = side.network(of: choice.autoencoder).parameters
    let found = best.first.map { files.tensors(of: $0) } ?? [:]
    pairs = zip(entries, parameters).map { entry, parameter in
      Pair(
        entry: entry, parameter: parameter.parameter,
        tensor: entry.names.lazy.compactMap { found[$0] }.first)
    }
    // At another ratio the names are there, but not the shapes.
    if best.count > 1, most >= entries.count, isComplete {
      throw ForeignWeightsError(
        files, choice,
        problem: .ambiguous(
          side,
          best.map { "\(files.paths[$0.file]): \($0.prefix.isEmpty ? "no level" : $0.prefix)" }
        ))
    }
  }

  /// Pairs of tensors in their order.
  private init(order pairs: ArraySlice<Pair>, _ side: WeightsFile.Side) {
    self.pairs = Array(pairs)
    self.side = side
    group = nil
    naming = PublicNames.self
    isByOrder = true
  }

  /// The match of the table that finds most; nil if no table has the network.
  static func best(
    _ files: ForeignFiles, _ choice: NetworkChoice, _ side: WeightsFile.Side,
    _ options: ForeignOptions
  ) throws(ForeignWeightsError) -> ForeignMatch? {
    var best: ForeignMatch?
    for naming in ForeignNamings.of(choice, isKeras: files.isKeras) {
      guard let match = try ForeignMatch(files, choice, side, naming, options) else { continue }
      if best.map({ match.score > $0.score }) ?? true { best = match }
    }
    return best
  }

  /// Matches parameters with tensors one after the other where the tensors of one level have, in their order, the shapes and last names
  /// of all parameters; nil if those of no level have.
  static func byOrder(
    _ files: ForeignFiles, _ choice: NetworkChoice
  ) -> [ForeignMatch]? {
    let sides = WeightsFile.Side.allCases.map { side in
      side.network(of: choice.autoencoder).parameters
    }
    let parameters = sides[0] + sides[1]
    func last(_ name: String) -> Substring { name.split(separator: ".").last ?? "" }
    var levels: [[String]] = []
    for tensor in files.tensors {
      for level in [[], Array(tensor.saved.path.dropLast())] where !levels.contains(level) {
        if levels.count < 100 { levels.append(level) }
      }
    }
    for level in levels {
      let tensors = files.tensors.filter { $0.saved.path.starts(with: level) }
      guard tensors.count == parameters.count,
        zip(tensors, parameters).allSatisfy({ tensor, own in
          ForeignMatch.Pair.isSame(tensor.saved.shape, own.parameter.shape)
            && last(tensor.name) == last(own.key)
        })
      else { continue }
      let pairs = zip(tensors, parameters).map { tensor, own in
        Pair(
          entry: ForeignEntry([tensor.name], own.key), parameter: own.parameter, tensor: tensor)
      }
      return [
        ForeignMatch(order: pairs.prefix(sides[0].count), .encoder),
        ForeignMatch(order: pairs.dropFirst(sides[0].count), .decoder),
      ]
    }
    return nil
  }
}
