import Link
import LinkMath

/// The downlink of one part of a block, slot after slot.
struct Downlink {
  /// The directions of precoders, by node, for a version of what the BS believes; nil if they are just that.
  private var beams: [Int: (version: Int, directions: [ComplexArray]?)] = [:]

  /// Turns to another part.
  mutating func forget() { beams.removeAll(keepingCapacity: true) }

  /// What each user of a precoder gets in a slot.
  ///
  /// - Parameters:
  ///   - node: of the precoder.
  ///   - channels: true responses [drop, subcarrier, port] of its users.
  ///   - believed: what the BS believes the responses of users are, at least of these.
  mutating func slots(
    _ node: Int, _ precoder: any Precoder, channels: [ComplexArray],
    believed: (version: Int, responses: [ComplexArray]), cosineToneCount: Int
  ) throws -> [ServedSlot] {
    let reconstructions = Array(believed.responses.prefix(channels.count))
    if beams[node]?.version != believed.version {
      let directions = try precoder.directions(reconstructions)
      let areBelieved = zip(directions, reconstructions).allSatisfy { $0.sharesMemory(with: $1) }
      beams[node] = (believed.version, areBelieved ? nil : directions)
    }
    let directions = beams[node]!.directions
    let snr = linear(decibels: precoder.snrDB)
    guard channels.count > 1 else {
      return [
        ServedSlot(
          channel: channels[0], reconstruction: reconstructions[0], directions: directions?[0],
          snr: snr, cosineToneCount: cosineToneCount)
      ]
    }
    let perfect = try precoder.directions(channels).map(SharedTones.pointed)
    let pointed = (directions ?? reconstructions).map(SharedTones.pointed)
    return channels.indices.map { user in
      ServedSlot(
        channel: channels[user], reconstruction: reconstructions[user], user: user,
        directions: pointed, perfect: perfect, snr: snr / Double(channels.count),
        cosineToneCount: cosineToneCount)
    }
  }
}
