import Channels
import Codecs
import Link
import LinkMath
import Parts

/// The operating points of a sweep as a tree in stage order: every distinct prefix of the link is one node.
///
/// A block of drops is taken through the tree depth first, so a stage runs once for each distinct prefix and block, and all
/// points see the same drops and the same noise.
struct LinkTree: Sendable {
  /// One for each distinct channel.
  let roots: [Node]
  let points: [PointConstants]
  /// Nodes are numbered in the order they are met; the stage of each.
  let nodes: [Section]
  /// Digests of the files that the parts of a section read, by path.
  let fileDigests: [Section: [String: String]]

  /// The distinct channels.
  var channels: [ChannelStage] {
    roots.compactMap { if case .channel(let channel) = $0.stage { channel } else { nil } }
  }

  /// Codecs with different settings or files, in the order in which they are met.
  var distinctCodecs: [any CSICodec] {
    roots.flatMap { $0.distinct(.codec) }.uniqued(by: \.key).compactMap {
      if case .codec(let codec) = $0.stage { codec } else { nil }
    }
  }
}

/// One distinct prefix of the link: its last part, and what goes on from there.
struct Node: Sendable {
  let id: Int
  let stage: Stage
  /// Equal for equal parts behind other stages.
  let key: String
  let children: [Node]
  /// Operating points that pass here.
  let points: [Int]

  /// The nodes of a section at or below this one, depth first.
  func all(_ section: Section) -> [Node] {
    stage.section == section ? [self] : children.flatMap { $0.all(section) }
  }

  /// One node for each distinct part of a section.
  func distinct(_ section: Section) -> [Node] { all(section).uniqued(by: \.key) }
}

/// A part in its role.
enum Stage: Sendable {
  case channel(ChannelStage)
  case pilots(any PilotScheme)
  case estimator(any ChannelEstimator)
  case transform(any CSITransform)
  case normaliser(any Normaliser)
  case codec(any CSICodec)
  case quantizer(any Quantizer)
  case feedback(any FeedbackLink)
  case precoder(PrecoderStage)

  var section: Section {
    switch self {
    case .channel: .channel
    case .pilots: .pilots
    case .estimator: .estimator
    case .transform: .transform
    case .normaliser: .normaliser
    case .codec: .codec
    case .quantizer: .quantizer
    case .feedback: .feedback
    case .precoder: .precoder
    }
  }
}

struct ChannelStage: Sendable {
  let channel: any ChannelModel
  /// The clock with the shortest delay of the points; delays differ only at the BS.
  let clock: SlotClock
  let context: LinkContext
  /// Tones, from the first, that cosine similarity and SGCS are averaged over.
  let cosineToneCount: Int

  /// Bytes of the response of a drop in one slot.
  var responseByteCount: Int { 8 * context.grid.toneCount * context.portCount }

  /// Drops whose frequency responses are worked on together: about 256 KiB each, so that three arrays
  /// stay in the second-level cache.
  var partSize: Int { max(1, (1 << 18) / responseByteCount) }

  /// Slots that are reported or served, ascending.
  var slots: [Int] { Set(clock.reportSlots).union(clock.servedSlots).sorted() }

  /// Slots whose responses are in memory at a time: about 8 MiB.
  func slotsInFlight(drops: Int) -> Int { max(1, (8 << 20) / (responseByteCount * drops)) }
}

struct PrecoderStage: Sendable {
  let precoder: any Precoder
  let clock: SlotClock
  let point: Int

  /// Whether the directions are the reconstruction itself, so that its products need not be formed again.
  var isPerTone: Bool { precoder is MRTPrecoder }
}

extension Sequence {
  /// The first of all elements with an equal key.
  func uniqued<Key: Hashable>(by key: (Element) -> Key) -> [Element] {
    var seen: Set<Key> = []
    return filter { seen.insert(key($0)).inserted }
  }
}
