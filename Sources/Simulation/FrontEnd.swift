import Channels
import Codecs
import ComplexModule
import Link
import LinkMath
import Parts
import Scenarios

/// The stages of one operating point from the channel to the quantiser, as far as they are made: what a fitted part
/// learns from, a network is trained on and a file of channels holds.
package struct FrontEnd: Sendable {
  let channel: any ChannelModel
  let seed: UInt64
  private(set) var pilots: (any PilotScheme)?
  private(set) var estimator: (any ChannelEstimator)?
  private(set) var transform: (any CSITransform)?
  private(set) var normaliser: (any Normaliser)?
  private(set) var codec: (any CodewordCodec)?
  private(set) var quantizer: (any Quantizer)?
  /// Between which each drop draws the SNR of its pilots; nil for that of the scheme.
  private var pilotLevels: ClosedRange<Double>?
  /// What each stage does, as a text.
  private var keys: [Section: String]

  init(_ channel: any ChannelModel, key: String, seed: UInt64) {
    self.channel = channel
    self.seed = seed
    keys = [.channel: key]
  }

  /// The next stage; stages behind the quantiser do not belong to the front end.
  mutating func add(_ stage: Stage, key: String) {
    switch stage {
    case .pilots(let scheme): pilots = scheme
    case .estimator(let estimator): self.estimator = estimator
    case .transform(let transform): self.transform = transform
    case .normaliser(let normaliser): self.normaliser = normaliser
    case .codec(.codewords(let codec)): self.codec = codec
    case .quantizer(let quantizer?) where quantizer.alphabets != nil: self.quantizer = quantizer
    case .channel, .codec, .quantizer, .coder, .feedback, .prediction, .precoder: return
    }
    keys[stage.section] = key
  }

  /// The same with pilots of a random SNR for each drop, uniform in dB; nil if its pilots or its estimator are for one SNR.
  func withPilots(at levels: ClosedRange<Double>) -> FrontEnd? {
    guard pilots?.at(snrDB: levels.lowerBound) != nil, estimator?.isForOneSNR == false else {
      return nil
    }
    var other = self
    other.pilotLevels = levels
    other.keys[.pilots]! += "\nsnr_db \(levels.lowerBound) to \(levels.upperBound)"
    return other
  }

  /// Names everything that a sample depends on, data files by their digests.
  func key(_ source: Fitting.Source) -> String { key(source, without: []) }

  /// The same for what ``seen(_:_:)`` gives.
  func keyOfSeen(_ source: Fitting.Source) -> String { key(source, without: [.codec, .quantizer]) }

  private func key(_ source: Fitting.Source, without sections: Set<Section>) -> String {
    let unseen = sections.union(source == .truth ? [.pilots, .estimator] : [])
    return keys.filter { !unseen.contains($0.key) }.sorted { $0.key < $1.key }.map(\.value)
      .joined(separator: "\n")
  }

  /// A block of drops in one slot.
  ///
  /// - Parameter source: whether the stages behind the estimator see the true channel or its estimate.
  /// - Throws: for recorded data, when a record cannot be read.
  package func sample(_ block: DropBlock, slot: Int = 0, sees source: Fitting.Source) throws
    -> FrontSample
  {
    let response = try channel.frequencyResponse(block, slots: [slot])[0]
    var seen = response
    if source == .estimate, let pilots, let estimator {
      seen = estimate(response, block, slot, pilots, estimator)
    }
    return try sample(response, seen: seen)
  }

  private func estimate(
    _ response: ComplexArray, _ block: DropBlock, _ slot: Int, _ pilots: any PilotScheme,
    _ estimator: any ChannelEstimator
  ) -> ComplexArray {
    guard let pilotLevels else {
      return estimator.estimate(pilots.observe(response, block, slot: slot)).response
    }
    let estimates = block.drops.indices.map { i in
      // Beside the noise, which has instance 0, and random pilots, which have 1.
      var stream = block.stream(i - block.drops.lowerBound, slot: slot, .pilotNoise, instance: 2)
      let level =
        pilotLevels.lowerBound
        + stream.uniform() * (pilotLevels.upperBound - pilotLevels.lowerBound)
      let one = DropBlock(
        i..<i + 1, user: block.user, of: block.users, domain: block.domain, seed: block.seed)
      let place = i - block.drops.lowerBound
      return estimator.estimate(
        pilots.at(snrDB: level)!.observe(response.slice(place..<place + 1), one, slot: slot)
      ).response
    }
    return .concatenated(estimates)
  }

  /// What the stages behind the estimator make of the response that they see.
  func sample(_ response: ComplexArray, seen: ComplexArray) throws -> FrontSample {
    var sample = FrontSample(response: response, seen: seen)
    guard let transform else { return sample }
    sample.seen = try transform.forward(seen)
    guard let normaliser else { return sample }
    sample.gains = normaliser.gains(sample.seen)
    sample.seen = normaliser.scale(sample.seen, by: sample.factors)
    return sample
  }

  /// The true CSI on the scale of what is seen.
  func truth(_ sample: FrontSample) throws -> ComplexArray {
    try normaliser!.scale(transform!.forward(sample.response), by: sample.factors)
  }

  /// What the stage behind the normaliser sees of the drops of a block whose channel has energy; nil without one.
  func seen(_ source: Fitting.Source, _ block: DropBlock) throws -> ComplexArray? {
    let sample = try sample(block, sees: source)
    let hasEnergy = sample.response.rowsWithEnergy
    let kept = hasEnergy.indices.filter { hasEnergy[$0] }
    guard !kept.isEmpty else { return nil }
    return kept.count == hasEnergy.count ? sample.seen : sample.seen.rows(kept)
  }

  /// What the next part is fitted on, made of what ``seen(_:_:)`` gave.
  func input(_ seen: ComplexArray) throws -> StageInput {
    guard transform != nil else { return .response(seen) }
    guard let codec else { return .csi(seen) }
    let codewords = try codec.encode(seen).values
    let symbols = quantizer.flatMap { SymbolBlock(codewords, by: $0)?.codewords }
    return symbols.map(StageInput.symbols) ?? .codeword(codewords)
  }
}

/// What the front end makes of a block of drops.
package struct FrontSample: Sendable {
  /// True frequency response [drop, subcarrier, port].
  let response: ComplexArray
  /// What the next stage sees: a response, CSI or normalised CSI, as far as the stages are made.
  package var seen: ComplexArray
  /// What the normaliser took out of each drop.
  var gains: [Float] = []

  fileprivate var factors: [Float] { gains.map { 1 / $0 } }
}

extension FrontEnd {
  /// The stages before the codec of one point of a scenario, and what they tell a codec; stages that learn from drops are
  /// fitted.
  ///
  /// - Throws: ``PlacedError`` for settings that do not go together; file errors.
  static func make(
    _ point: OperatingPoint, sees source: Fitting.Source, scenario: Scenario, store: FittingStore
  ) throws -> (front: FrontEnd, context: LinkContext) {
    // The truth needs no pilots, and no estimator that would have to be fitted.
    let perfect = source == .truth ? [(Section.pilots, "dft"), (.estimator, "perfect")] : []
    let plain = try perfect.reduce(into: point.numbered(0)) { point, choice in
      point = point.replacing(
        try scenario.registry.part(choice.1, of: choice.0)!.settings())
    }
    return try StageMaker.frontEnd(plain, scenario: scenario, store: store)
  }

  /// Settings of a point that change what an encoder sees; of the slot clock, only how the UE moves.
  static func dependencies(_ point: OperatingPoint, sees source: Fitting.Source) -> String {
    let estimation: [Section] = source == .estimate ? [.pilots, .estimator] : []
    let sections = [.grid, .channel] + estimation + [.transform, .normaliser]
    return
      (sections.map { point.settings[$0]!.canonical }
      + [SlotClock.motion(point.settings[.timing]!)]).joined(separator: "\n")
  }
}

extension Tensor {
  /// The given rows of [drop, ...], at least one.
  func rows(_ rows: [Int]) -> Tensor { .concatenated(rows.map { slice($0..<$0 + 1) }) }
}

extension Tensor where Element == ComplexFloat {
  /// Which rows of [drop, ...] are not all zero.
  var rowsWithEnergy: [Bool] {
    let size = rowStride
    return withUnsafeElements { values in
      (0..<shape[0]).map { row in
        values[row * size..<(row + 1) * size].contains { $0 != .zero }
      }
    }
  }
}
