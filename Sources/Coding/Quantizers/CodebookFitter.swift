import LinkMath
import Parts

/// Gathers codewords and learns from the best codebooks of each output.
///
/// Memory: that of the ``CodewordSample``, and twelve times as much while codebooks are worked out.
struct CodebookFitter: Fitter {
  private var sample: CodewordSample
  /// Bits of the codebooks that are asked for first, worked out on several threads.
  private let bits: ClosedRange<Int>
  private let learn: @Sendable (CodebookTable) -> Artefact

  /// - Parameters:
  ///   - part: for errors.
  ///   - outputCount: reals of a codeword.
  ///   - minimumDrops: fewest drops that are enough.
  ///   - bits: of the codebooks that are asked for first.
  ///   - learn: what is learned.
  init(
    part: String, outputCount: Int, minimumDrops: Int, bits: ClosedRange<Int>,
    learn: @escaping @Sendable (CodebookTable) -> Artefact
  ) {
    sample = CodewordSample(part: part, outputCount: outputCount, minimumDrops: minimumDrops)
    self.bits = bits
    self.learn = learn
  }

  mutating func add(_ input: StageInput) { sample.add(input) }

  func finish() throws -> Artefact { try finish(pool: nil) }

  func finish(on pool: WorkerPool) throws -> Artefact { try finish(pool: pool) }

  private func finish(pool: WorkerPool?) throws -> Artefact {
    let table = CodebookTable(try sample.checked(), pool: pool)
    table.prepare(bits: bits, pool: pool)
    return learn(table)
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
