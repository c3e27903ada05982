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
  var distinctCodecs: [CodecStage] {
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
  case codec(CodecStage)
  case quantizer(any Reporting)
  case feedback(any FeedbackLink)
  case prediction(any Prediction, SlotClock)
  case precoder(any Precoder)

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
    case .prediction: .prediction
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

/// A codec in one of its two roles.
enum CodecStage: Sendable {
  case codewords(any CodewordCodec)
  /// Makes reports of its own, without a quantiser.
  case reports(any Reporting)

  var summary: String {
    switch self {
    case .codewords(let codec): codec.summary
    case .reports(let reporting): reporting.summary
    }
  }

  /// Reals in a codeword; 0 without codewords.
  var codewordLength: Int {
    if case .codewords(let codec) = self { codec.codewordLength } else { 0 }
  }

  var memoryBytes: (shared: Int, perThread: Int) {
    if case .codewords(let codec) = self { codec.memoryBytes } else { (0, 0) }
  }
}

extension Sequence {
  /// The first of all elements with an equal key.
  func uniqued<Key: Hashable>(by key: (Element) -> Key) -> [Element] {
    var seen: Set<Key> = []
    return filter { seen.insert(key($0)).inserted }
  }
}
