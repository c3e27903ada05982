import Codecs
import LinkMath
import Parts

/// A feedback link without errors: the BS receives what the UE sent, bits or reals.
public struct IdealFeedback: FeedbackLink, Part {
  public static let schema = PartSchema(
    .feedback, "ideal", "Feedback without errors; carries bits and real codewords.")

  public static let carries: Set<FeedbackKind> = [.payload, .codeword]

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) {}

  public func transmit(_ reports: [Report], _ block: DropBlock, slot: Int) -> [Delivery] {
    reports.map { report in
      report.reals.map { .reals($0, side: report.bits) } ?? .bits(report.bits)
    }
  }
}
