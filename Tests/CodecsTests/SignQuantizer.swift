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

  var alphabets: [Int]? { [Int](repeating: 2, count: length) }

  func symbols(
    of values: UnsafeBufferPointer<Float>, into symbols: UnsafeMutableBufferPointer<UInt32>
  ) -> Int {
    for i in values.indices { symbols[i] = values[i] < 0 ? 1 : 0 }
    return 0
  }

  func values(
    of symbols: UnsafeBufferPointer<UInt32>, into values: UnsafeMutableBufferPointer<Float>
  ) {
    for i in values.indices { values[i] = symbols[i] == 1 ? -amplitude : amplitude }
  }
}
