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
  /// Of each point, in the order of their numbers.
  let metrics: [[any Metric]]
  /// What is kept of a block.
  let layout: BlockLayout
  /// The largest number of users of a point; the others see the first of them.
  var users: Int { layout.users.max()! }
  /// The numbers that are kept of a drop at every point.
  let numbers: [DropNumber]
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

extension Sequence {
  /// The first of all elements with an equal key.
  func uniqued<Key: Hashable>(by key: (Element) -> Key) -> [Element] {
    var seen: Set<Key> = []
    return filter { seen.insert(key($0)).inserted }
  }
}
