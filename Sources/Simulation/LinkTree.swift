import Channels
import Codecs
import Link
import LinkMath
import Parts
import Scenarios

/// The operating points of a sweep as a tree in stage order: every distinct prefix of the link is one node.
///
/// A block of drops is taken through the tree depth first, so a stage runs once for each distinct prefix and block, and all
/// points see the same drops and the same noise.
struct LinkTree: Sendable {
  let roots: [ChannelNode]
  let points: [PointConstants]
  /// Nodes are numbered in the order they are met; the stage of each.
  let nodes: [Section]
  /// Digests of the files that the parts of a section read, by path.
  let fileDigests: [Section: [String: String]]

  /// Codecs with different settings or files, in the order in which they are met.
  var distinctCodecs: [any CSICodec] {
    var keys: Set<String> = []
    return roots.flatMap(\.pilots).flatMap(\.estimators).flatMap(\.transforms)
      .flatMap(\.normalisers).flatMap(\.codecs).filter { keys.insert($0.key).inserted }
      .map(\.codec)
  }

  struct ChannelNode: Sendable {
    let id: Int
    let channel: any ChannelModel
    /// The clock with the shortest delay below; delays differ only at the BS.
    let clock: SlotClock
    let context: LinkContext
    /// Tones, from the first, that cosine similarity and SGCS are averaged over.
    let cosineToneCount: Int
    let pilots: [PilotNode]

    /// One transform node for each distinct transform below this channel.
    let distinctTransforms: [TransformNode]

    init(
      id: Int, channel: any ChannelModel, clock: SlotClock, context: LinkContext,
      cosineToneCount: Int, pilots: [PilotNode]
    ) {
      self.cosineToneCount = cosineToneCount
      self.id = id
      self.channel = channel
      self.clock = clock
      self.context = context
      self.pilots = pilots
      var keys: Set<String> = []
      distinctTransforms = pilots.flatMap(\.estimators).flatMap(\.transforms).filter {
        keys.insert($0.key).inserted
      }
    }

    /// Drops whose frequency responses are worked on together: about 256 KiB each, so that three arrays
    /// stay in the second-level cache.
    var partSize: Int {
      max(1, (1 << 18) / (8 * context.grid.toneCount * context.portCount))
    }
  }
  struct PilotNode: Sendable {
    let id: Int
    let scheme: any PilotScheme
    let estimators: [EstimatorNode]
  }
  struct EstimatorNode: Sendable {
    let id: Int
    let estimator: any ChannelEstimator
    let transforms: [TransformNode]
  }
  struct TransformNode: Sendable {
    let id: Int
    /// Equal for equal transforms below one channel, whose true CSI is computed once.
    let key: String
    let transform: AngularDelayTransform
    let normalisers: [NormaliserNode]
  }
  struct NormaliserNode: Sendable {
    let id: Int
    let normaliser: Normaliser
    let codecs: [CodecNode]
  }
  struct CodecNode: Sendable {
    let id: Int
    /// Equal for equal codecs behind other stages, which share their tables.
    let key: String
    let codec: any CSICodec
    let quantizers: [QuantizerNode]
  }
  struct QuantizerNode: Sendable {
    let id: Int
    let quantizer: any Quantizer
    let links: [FeedbackNode]
  }
  struct FeedbackNode: Sendable {
    let id: Int
    let link: any FeedbackLink
    let leaves: [PrecoderNode]
  }
  struct PrecoderNode: Sendable {
    let id: Int
    let precoder: any Precoder
    /// Whether the directions are the reconstruction itself, so that its products need not be formed again.
    let isPerTone: Bool
    let clock: SlotClock
    let point: Int
  }
}
