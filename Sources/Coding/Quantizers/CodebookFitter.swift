import LinkMath
import Parts

/// Gathers codewords and learns from the best codebooks of each output.
///
/// Memory: all fitted codewords are kept, 4 bytes for each of drops · M values, and twelve times as much while they are
/// worked on.
struct CodebookFitter: Fitter {
  let part: String
  let outputCount: Int
  /// Fewest drops that are enough.
  let minimumDrops: Int
  /// What is learned.
  let learn: @Sendable (CodebookTable) -> Artefact
  private var values: [Float] = []

  init(
    part: String, outputCount: Int, minimumDrops: Int,
    learn: @escaping @Sendable (CodebookTable) -> Artefact
  ) {
    self.part = part
    self.outputCount = outputCount
    self.minimumDrops = minimumDrops
    self.learn = learn
  }

  mutating func add(_ input: StageInput) {
    guard case .codeword(let codewords) = input else {
      preconditionFailure("a quantiser is fitted on codewords")
    }
    codewords.requireShape([nil, outputCount], "[drop, M]")
    codewords.withUnsafeElements { values.append(contentsOf: $0) }
  }

  func finish() throws -> Artefact {
    let drops = values.count / outputCount
    guard drops >= minimumDrops else {
      throw FittingError(
        part: part, reason: "\(drops) drops are too few, \(minimumDrops) are needed")
    }
    guard values.allSatisfy(\.isFinite) else {
      throw FittingError(part: part, reason: "a fitted codeword holds a non-finite value")
    }
    return learn(CodebookTable(RealArray(values, shape: [drops, outputCount])))
  }

  /// - Throws: `SettingsError` for fewer drops than levels.
  static func requireDrops(_ count: Int, _ settings: Settings) throws(SettingsError) {
    let drops = settings[FitParameters.drops]
    guard drops >= count else {
      throw SettingsError(
        part: settings.part, key: FitParameters.drops.key,
        reason: "must be at least \(count), the number of levels, got \(drops)")
    }
  }
}
