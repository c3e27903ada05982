import Codecs
import LinkMath
import Parts

/// The drops of a training: those of one front end, or of several kinds in a fixed turn, such as several channels.
///
/// Kinds follow each other in a period of as many samples as their weights add up to, each kind spread over it as evenly as
/// may be: next comes the kind that lags furthest behind its share. Sample g has a drop number of its kind that is a function of g.
package struct DropMix: Sendable {
  /// Drops of one front end.
  package struct Kind: Sendable {
    package let front: FrontEnd
    /// Samples of each period.
    package let weight: Int
    /// Names everything that its drops depend on.
    let key: String

    /// Drops of a front end; the parameters are the properties.
    package init(front: FrontEnd, weight: Int, key: String) {
      (self.front, self.weight, self.key) = (front, weight, key)
    }
  }

  /// What a block of samples consists of; rows of drops without energy are zeros.
  package struct Images: Sendable {
    /// `[sample, 2, angle, delay]`.
    package var seen: [Float]
    /// The same of the true channel; empty if it is what is seen.
    package var truth: [Float]
    var hasEnergy: [Bool]
  }

  /// In the order of their weights.
  package let kinds: [Kind]
  /// Kind of each sample of a period, and how many of that kind come before it.
  private let turns: [(kind: Int, before: Int)]

  /// - Precondition: positive weights.
  package init(_ kinds: [Kind]) {
    precondition(!kinds.isEmpty && kinds.allSatisfy { $0.weight > 0 })
    self.kinds = kinds
    let period = kinds.reduce(0) { $0 + $1.weight }
    var taken = [Int](repeating: 0, count: kinds.count)
    turns = (1...period).map { place in
      let lag = kinds.indices.map { kinds[$0].weight * place - taken[$0] * period }
      let kind = lag.indices.max { (lag[$0], $1) < (lag[$1], $0) }!
      taken[kind] += 1
      return (kind, taken[kind] - 1)
    }
  }

  /// Names everything that the samples depend on.
  var key: String {
    guard kinds.count > 1 else { return kinds[0].key }
    return kinds.map { "weight \($0.weight)\n\($0.key)" }.joined(separator: "\n")
  }

  /// How many of the first samples are of a kind.
  package func count(of kind: Int, among samples: Int) -> Int {
    samples / turns.count * kinds[kind].weight
      + turns.prefix(samples % turns.count).count { $0.kind == kind }
  }

  /// The drops of a kind among samples.
  private func drops(of kind: Int, in samples: Range<Int>, _ domain: StreamKey.Domain) -> Range<Int>
  {
    let first = count(of: kind, among: samples.lowerBound)
    let last = count(of: kind, among: samples.upperBound)
    // Drops of two kinds are independent even if they are of the same channel; records have the numbers that they have.
    let isRecorded = kinds[kind].front.channel.dropCount(in: domain) != nil
    let start = isRecorded ? 0 : kind << 32
    return start + first..<start + last
  }

  /// Draws samples.
  ///
  /// - Throws: errors of the stages before the codec.
  package func images(
    _ samples: Range<Int>, domain: StreamKey.Domain, seed: UInt64, sees: Fitting.Source
  ) throws -> Images {
    guard kinds.count > 1 else {
      return try Self.images(
        kinds[0].front, DropBlock(samples, domain: domain, seed: seed), sees)
    }
    let parts = try kinds.indices.map { kind -> Images? in
      let drops = drops(of: kind, in: samples, domain)
      guard !drops.isEmpty else { return nil }
      return try Self.images(
        kinds[kind].front, DropBlock(drops, domain: domain, seed: seed), sees)
    }
    var (mixed, next) = (Images(seen: [], truth: [], hasEnergy: []), parts.map { _ in 0 })
    for sample in samples {
      let kind = turns[sample % turns.count].kind
      let (part, row) = (parts[kind]!, next[kind])
      next[kind] += 1
      let size = part.seen.count / part.hasEnergy.count
      let values = row * size..<(row + 1) * size
      mixed.seen += part.seen[values]
      if !part.truth.isEmpty { mixed.truth += part.truth[values] }
      mixed.hasEnergy.append(part.hasEnergy[row])
    }
    return mixed
  }

  private static func images(_ front: FrontEnd, _ block: DropBlock, _ sees: Fitting.Source) throws
    -> Images
  {
    let sample = try front.sample(block, sees: sees)
    let truth = sees == .estimate ? try front.truth(sample) : sample.seen
    let hasEnergy = truth.rowsWithEnergy
    return Images(
      seen: images(sample.seen, hasEnergy),
      truth: sees == .estimate ? images(truth, hasEnergy) : [],
      hasEnergy: hasEnergy)
  }

  /// Images of the rows with energy, zeros for the others.
  private static func images(_ csi: ComplexArray, _ hasEnergy: [Bool]) -> [Float] {
    let rows = hasEnergy.indices.filter { hasEnergy[$0] }
    if rows.count == hasEnergy.count { return CSIImages.images(csi).elements }
    let size = 2 * csi.rowStride
    var values = [Float](repeating: 0, count: hasEnergy.count * size)
    guard !rows.isEmpty else { return values }
    let images = CSIImages.images(csi.rows(rows)).elements
    for (i, row) in rows.enumerated() {
      values.replaceSubrange(
        row * size..<(row + 1) * size, with: images[i * size..<(i + 1) * size])
    }
    return values
  }
}
