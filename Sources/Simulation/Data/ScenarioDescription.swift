import Datasets
import Link
import LinkMath
import Parts

extension DatasetSource {
  /// Draws channels and describes them without keeping them; also how much energy the truncation loses.
  ///
  /// - Parameters:
  ///   - drops: numbers of the drops.
  ///   - domain: their random domain.
  ///   - path: what the description calls the source.
  ///   - pcaLimit: see `ChannelDescriber`.
  ///   - pool: threads that channels are drawn on.
  ///   - progress: told the drops done.
  ///   - shouldStop: asked between groups of blocks.
  /// - Returns: nil if stopped.
  /// - Throws: `ScenarioErrors` if the domain has too few drops; errors of the channel.
  public func describe(
    drops: Range<Int>, domain: StreamKey.Domain, path: String, pcaLimit: Int, pool: WorkerPool,
    progress: (Int) -> Void = { _ in }, shouldStop: () -> Bool = { false }
  ) throws -> DatasetDescription? {
    try require(drops, in: domain)
    let grid = grid
    let shape = ChannelShape(
      domain: .frequency, rows: grid.tones, columns: grid.ports, spacingHz: grid.spacingHz,
      taps: grid.taps, guardRows: grid.guardRows,
      angleDFT: .init(rawValue: grid.angleDft) ?? .forward, angleShift: grid.angleShift,
      lineSpacing: front.channel.lineSpacing)
    let describer = ChannelDescriber(
      shape, dropCount: drops.count, pcaLimit: pcaLimit, pool: pool)
    let size = max(1, min(64, (8 << 20) / (8 * grid.tones * grid.ports)))
    for first in stride(from: drops.lowerBound, to: drops.upperBound, by: size) {
      if shouldStop() { return nil }
      let range = first..<min(first + size, drops.upperBound)
      let block = DropBlock(range, domain: domain, seed: seed)
      // One drop each, so that all workers have something to do.
      let members = block.parts(of: 1)
      let drawn = try pool.map(members.count) { index, _ in try self.responses(members[index]) }
      try describer.add(.concatenated(drawn))
      progress(range.upperBound - drops.lowerBound)
    }
    return DatasetDescription(scenario: path, describer.finish())
  }
}
