import Channels
import Link
import LinkMath
import Parts
import Scenarios

/// The stages of one operating point before its codec: gives what the encoder sees and the truth behind it.
struct CodecInput: Sendable {
  let channel: any ChannelModel
  private let scheme: any PilotScheme
  private let estimator: any ChannelEstimator
  let transform: AngularDelayTransform
  let normaliser: Normaliser
  private let fromEstimate: Bool
  /// As a codec behind these stages is told.
  let context: LinkContext
  /// Names everything that the input depends on, data files by their digests.
  let key: String

  /// Makes the stages, fitting those that learn from drops.
  ///
  /// - Throws: ``PlacedError`` for settings that do not go together; file errors.
  init(
    _ point: OperatingPoint, fromEstimate: Bool, scenario: Scenario, seed: UInt64,
    store: FittingStore
  ) throws {
    self.fromEstimate = fromEstimate
    // The link of this point with nothing to learn behind the normaliser; bits, because the gain may be sent as bits.
    let range = ["range": Setting.list([.number(-1), .number(1)])]
    let stand: [(Section, String, [String: Setting])] = [
      (.codec, "none", [:]), (.quantizer, "uniform", range), (.feedback, "ideal", [:]),
    ]
    // The truth needs no pilots, and no estimator that would have to be fitted.
    let perfect: [(Section, String, [String: Setting])] =
      fromEstimate ? [] : [(.pilots, "dft", [:]), (.estimator, "perfect", [:])]
    let plain = try (stand + perfect).reduce(into: point) { point, choice in
      let part = LinkCatalogue.catalogue.part(choice.1, of: choice.0)!
      point = point.replacing(try part.settings(choice.2))
    }
    let tree = try LinkTreeBuilder.build(
      [plain.numbered(0)], seed: seed, directory: scenario.directory,
      report: ReportSettings(scenario.report!), store: store)
    let root = tree.roots[0]
    let pilots = root.pilots[0]
    let estimation = pilots.estimators[0]
    let transformation = estimation.transforms[0]
    channel = root.channel
    scheme = pilots.scheme
    estimator = estimation.estimator
    transform = transformation.transform
    normaliser = transformation.normalisers[0].normaliser
    var context = root.context
    context.tapCount = transform.tapCount
    context.normaliser = normaliser.rule.rawValue
    self.context = context
    let files = tree.fileDigests[.channel, default: [:]].sorted { $0.key < $1.key }.map(\.value)
    key = (Self.dependencies(plain, fromEstimate: fromEstimate) + files)
      .joined(separator: "\n")
  }

  /// Settings of a point that change what an encoder sees; of the slot clock, only how the UE moves.
  static func dependencies(_ point: OperatingPoint, fromEstimate: Bool) -> [String] {
    let estimation: [Section] = fromEstimate ? [.pilots, .estimator] : []
    let sections = [.grid, .channel] + estimation + [.transform, .normaliser]
    return sections.map { point.settings[$0]!.canonical }
      + [SlotClock.motion(point.settings[.timing]!)]
  }

  /// Drops that a domain offers; nil if without limit.
  func dropCount(in domain: StreamKey.Domain) -> Int? { channel.dropCount(in: domain) }

  /// Normalised CSI `[drop, delay, angle]`: what the encoder sees, and the truth on the same scale.
  ///
  /// - Throws: for recorded data, when a record cannot be read.
  func pair(_ block: DropBlock) throws -> (seen: ComplexArray, truth: ComplexArray) {
    let response = try channel.frequencyResponse(block, slots: [0])[0]
    let truth = transform.forward(response)
    guard fromEstimate else {
      let scaled = normaliser.scale(truth, by: normaliser.gains(truth).map { 1 / $0 })
      return (scaled, scaled)
    }
    let estimate = estimator.estimate(scheme.observe(response, block, slot: 0)).response
    let seen = transform.forward(estimate)
    let factors = normaliser.gains(seen).map { 1 / $0 }
    return (normaliser.scale(seen, by: factors), normaliser.scale(truth, by: factors))
  }
}
