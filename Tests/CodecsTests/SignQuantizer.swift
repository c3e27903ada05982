import Codecs
import Parts

/// One bit for each real of the codeword: its sign, which decodes to plus or minus an amplitude.
struct SignQuantizer: Quantizer, Part {
  static let amplitude = Parameter.number(
    "amplitude", default: 1, in: 1e-6...1e6, "Modulus of the decoded reals.")

  static let schema = PartSchema(
    .quantizer, "sign", "The sign of each real of the codeword.",
    parameters: [amplitude.declaration])

  private let length: Int
  private let amplitude: Float

  init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) {
    length = context.codewordLength
    amplitude = Float(settings[Self.amplitude])
  }

  var bitCount: Int? { length }

  func quantize(_ values: UnsafeBufferPointer<Float>, into bits: inout BitString) -> Int {
    for value in values { bits.append(value < 0 ? 1 : 0, width: 1) }
    return 0
  }

  func dequantize(_ bits: inout BitReader, into values: UnsafeMutableBufferPointer<Float>) {
    for i in values.indices { values[i] = bits.read(1) == 1 ? -amplitude : amplitude }
  }
}
