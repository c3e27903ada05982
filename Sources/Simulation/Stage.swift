import Channels
import Codecs
import Link
import LinkMath
import Parts

/// A part in its role.
enum Stage: Sendable {
  case channel(ChannelStage)
  case pilots(any PilotScheme)
  case estimator(any ChannelEstimator)
  case transform(any CSITransform)
  case normaliser(any Normaliser)
  case codec(CodecStage)
  /// None behind a codec that makes reports of its own.
  case quantizer((any Quantizer)?)
  case coder(any Reporting)
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
    case .coder: .coder
    case .feedback: .feedback
    case .prediction: .prediction
    case .precoder: .precoder
    }
  }
}

extension Section {
  /// The stages that a drop passes, in their order.
  static let passed: [Section] = [
    .channel, .pilots, .estimator, .transform, .normaliser, .codec, .quantizer, .coder,
    .feedback, .prediction, .precoder,
  ]
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

  /// What its training left for the quantiser.
  var trainedQuantizer: Artefact? {
    if case .codewords(let codec) = self { codec.trainedQuantizer } else { nil }
  }

  var memoryBytes: (shared: Int, perThread: Int) {
    if case .codewords(let codec) = self { codec.memoryBytes } else { (0, 0) }
  }
}
