import Codecs
import Link
import LinkMath

/// What the stages before hand to the next one: of one part and report up to the transform, of the whole block behind it,
/// of one part and served slot at the precoder.
struct Signal {
  let flight: Flight
  /// Place of the part in the flight, of the report and of the served slot.
  var part = 0
  var report = 0
  var slot = 0
  var observation: PilotObservation?
  var estimate: (response: ComplexArray, errors: ErrorEnergies)?
  var transform: (any CSITransform)?
  /// Of the estimates, by report.
  var errors: [ErrorEnergies] = []
  /// True CSI by report.
  var truth: [ComplexArray] = []
  /// CSI [drop, row, column] as the UE has it, before and after the normaliser, by report.
  var csi: [ComplexArray] = []
  /// Gain of every drop, as the UE has it, by report.
  var gains: [[Float]] = []
  var normaliser: (any Normaliser)?
  var codec: Node?
  var codewords: [Codeword]?
  /// Of the codewords, by report; nil if they are sent as real numbers.
  var symbols: [SymbolBlock]?
  var reporting: (node: Node, part: any Reporting)?
  /// What the UE sends, unless it depends on what arrives.
  var sent: [[Report]]?
  var decoded: [Belief.Decoded] = []
  /// What the BS believes the responses of the users are, and which version of it.
  var believed: (version: Int, responses: [ComplexArray])?
}
