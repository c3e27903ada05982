import Codecs
import LinkMath
import Parts

/// How the BS learns the gain that the UE divided the CSI by.
public enum GainDelivery: Sendable {
  /// It is given for free, as the papers do.
  case genie
  /// It is sent, and counted in the payload.
  case quantized(GainQuantizer)
  /// It is not sent: the BS has CSI of the right direction only.
  case unit

  enum Kind: String, Choice { case genie, quantized, unit }

  static let kind = Parameter<Kind>.choice(
    "gain", default: .genie,
    "How the BS learns the gain: genie, quantized (in the payload), unit (not at all).")
  static let bits = Parameter.integer(
    "gain_bits", default: 6, in: 1...16,
    "Bits of the gain in the payload (gain: quantized), uniform in dB over gain_range_db.")
  static let range = Parameter<[Double]>(
    "gain_range_db", .list(.number(.level, -200...200), count: 2...2), default: [-30, 30],
    "Smallest and largest gain that can be sent (gain: quantized); gains outside are sent as the nearest."
  )

  static let declarations = [kind.declaration, bits.declaration, range.declaration]

  init(_ settings: Settings) throws(SettingsError) {
    let range = settings[Self.range]
    guard range[0] < range[1] else {
      throw SettingsError(
        part: settings.part, key: Self.range.key, reason: "must be ascending, got \(range)")
    }
    self =
      switch settings[Self.kind] {
      case .genie: .genie
      case .quantized:
        .quantized(
          GainQuantizer(bitCount: settings[Self.bits], lowestDB: range[0], highestDB: range[1]))
      case .unit: .unit
      }
  }

  /// The quantiser of a gain that is sent.
  public var quantizer: GainQuantizer? {
    if case .quantized(let quantizer) = self { quantizer } else { nil }
  }

  /// Bits that the gain takes in each payload.
  public var payloadBitCount: Int { quantizer?.bitCount ?? 0 }

  /// Whether the BS has CSI of the channel's scale.
  public var givesScale: Bool {
    if case .unit = self { false } else { true }
  }
}
