import Channels
import Link
import LinkMath
import Parts

/// The slots in flight below a channel.
///
/// Frequency responses are kept, and taken through the link, in parts of a few drops that stay in the cache; only the
/// small arrays of the codec's domain span the block.
final class Flight {
  let cosineToneCount: Int
  /// The drops of the block for each user.
  let users: [DropBlock]
  /// Those of the first user, then those of the next; as many for each.
  let parts: [DropBlock]
  let slots: [Int]
  /// Of these, the slots in which the UE reports.
  let reports: [Int]
  /// [part][slot]
  private(set) var responses: [[ComplexArray]] = []
  /// Truncated true CSI, [transform key][report][part]: computed once for each distinct transform.
  private var truth: [String: [[ComplexArray]]] = [:]
  /// CSI of estimates, [transform node][report][part].
  private var csi: [Int: [[ComplexArray]]] = [:]
  /// Of these estimates, over all tones.
  private var energies: [Int: [[ErrorEnergies]]] = [:]

  init(_ channel: ChannelStage, _ users: [DropBlock], _ slots: [Int]) {
    cosineToneCount = channel.cosineToneCount
    self.slots = slots
    reports = slots.filter { [period = channel.clock.period] in $0 % period == 0 }
    self.users = users
    parts = users.flatMap { $0.parts(of: channel.partSize) }
  }

  /// The responses of the next part, by slot.
  func append(_ responses: [ComplexArray]) { self.responses.append(responses) }

  /// The true response of a part in a slot of the flight.
  func response(part: Int, report: Int) -> ComplexArray {
    responses[part][slots.firstIndex(of: reports[report])!]
  }

  /// The parts of one user.
  var partsPerUser: Range<Int> { 0..<parts.count / users.count }

  /// The place of a user's part.
  func part(_ part: Int, of user: Int) -> Int { user * partsPerUser.count + part }

  /// The drops of a part as rows of an array that spans the block, user after user.
  func rows(part: Int) -> Range<Int> {
    let drops = parts[part].drops
    let first =
      parts[part].user * users[0].drops.count + drops.lowerBound - users[0].drops.lowerBound
    return first..<first + drops.count
  }

  /// Takes a part's estimate of one report through a transform, and the true response unless another node has.
  func hear(
    _ estimate: ComplexArray, _ errors: ErrorEnergies, _ transform: any CSITransform, _ node: Node,
    part: Int, report: Int
  ) throws {
    if truth[node.key, at: report].count == part {
      truth[node.key, at: report].append(
        try transform.forward(response(part: part, report: report)))
    }
    csi[node.id, at: report].append(try transform.forward(estimate))
    energies[node.id, at: report].append(errors)
  }

  /// What was heard behind a transform, of the whole block, by report.
  func heard(_ node: Node) -> (csi: [ComplexArray], truth: [ComplexArray], errors: [ErrorEnergies])
  {
    (
      (csi[node.id] ?? []).map(ComplexArray.concatenated),
      (truth[node.key] ?? []).map(ComplexArray.concatenated),
      (energies[node.id] ?? []).map(ErrorEnergies.concatenated)
    )
  }
}

extension Dictionary {
  /// The part of a list of lists at a key: list `index`, empty at first.
  fileprivate subscript<Element>(key: Key, at index: Int) -> [Element] where Value == [[Element]] {
    get { self[key].flatMap { index < $0.count ? $0[index] : nil } ?? [] }
    _modify {
      while self[key, default: []].count <= index { self[key, default: []].append([]) }
      yield &self[key]![index]
    }
  }
}
