import Codecs
import Coding
import Foundation
import LinkMath
import Parts

/// Reports behind check bits and the channel code of 3GPP's uplink control information, in QPSK over white noise or Rayleigh
/// fading.
///
/// A report of A bits is sent in E bits: 12 bits and more with CRC and polar code and decoded by a list (`PolarListDecoder`),
/// fewer in a short block code with maximum likelihood and without check bits. A report whose check bits do not fit is lost;
/// bits that are wrong though they fit, or that nothing checks, arrive wrong. `snr_db` is Eb/N0 of one of the E bits (Es/N0
/// of a QPSK symbol is 3 dB more).
///
/// Reports above 1706 bits, the most of the standard, are cut into pieces of equal size with their own check bits, which all
/// must arrive.
///
/// With unequal protection the most important bits are coded by themselves with a share of E of their own: first those of
/// fields that are not numbers (side information), and the gain, then the most significant bits of all numbers, then the
/// next ones. If only the others do not arrive, the BS takes each number in the middle of what the bits that did leave
/// open.
///
/// Reference: 3GPP TS 38.212, clauses 5.2.1, 5.3.1, 5.3.3, 5.4.1 and 6.3.1.
public struct PolarFeedback: FeedbackLink, Part {
  static let bits = Parameter<Int?>.optional(
    "bits", .integer(1...1_000_000), "Bits E on the channel for each report.")
  static let codeRate = Parameter<Double?>.optional(
    "code_rate", .number(.plain, 0.01...1),
    "In place of bits: payload bits over bits on the channel, A/E, or less where check bits leave no room."
  )
  static let list = Parameter.integer(
    "list", default: 8, in: 1...8, "Paths L of the list decoder; 1 is successive cancellation.")
  static let protectedBits = Parameter.number(
    "protected_bits", default: 0, in: 0...1,
    "Share of the payload bits, the most important ones, that are coded by themselves; 0, no unequal protection."
  )
  static let protectedShare = Parameter.number(
    "protected_share", default: 0.5, in: 0...1,
    "Share of the bits on the channel that the protected payload bits get.")

  public static let schema = PartSchema(
    .feedback, "polar",
    "Check bits and 3GPP polar code (short block codes below 12 bits), QPSK over white noise or Rayleigh fading.",
    reference: "3GPP TS 38.212, clause 6.3.1",
    parameters: ModulatedChannel.declarations
      + [
        bits.declaration, codeRate.declaration, list.declaration, protectedBits.declaration,
        protectedShare.declaration,
      ])

  public static let carries: Set<FeedbackKind> = [.payload]

  private let channel: ModulatedChannel
  private let plan: ReportProtection
  private let listSize: Int

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    channel = try ModulatedChannel(settings, bitsPerSymbol: 2)
    let length: ReportProtection.Length
    switch (settings[Self.bits], settings[Self.codeRate]) {
    case (let bits?, nil): length = .bits(bits)
    case (nil, let rate?): length = .rate(rate)
    case (let bits, _):
      throw SettingsError(
        part: settings.part, key: bits == nil ? "code_rate" : "bits",
        reason: bits == nil
          ? "is missing: the link must know how many bits to send"
          : "cannot be given together with 'code_rate'",
        hint: "give either 'bits', on the channel for each report, or 'code_rate'")
    }
    plan = ReportProtection(
      length: length, importantShare: settings[Self.protectedBits],
      protectedShare: settings[Self.protectedShare])
    listSize = settings[Self.list]
  }

  /// That any of its codes fails, by `BlockErrorEstimate` at 2 dB less.
  public func lossRate(bits count: Int) -> Double {
    guard let pieces = plan.pieces(count, fields: []) else { return 1 }
    let total = pieces.reduce(0) { $0 + $1.code.codedCount }
    return 1
      - pieces.reduce(1) { arrived, piece in
        let (k, E, blocks) = piece.code.block
        let rate = channel.blockErrorRate(k, in: E, of: total, margin: linear(decibels: 2))
        return arrived * pow(1 - min(rate, 1), Double(blocks))
      }
  }

  public func check(_ size: ReportSize) throws(SettingsError) {
    guard let count = size.bitLimit, count > 0, plan.pieces(count, fields: []) == nil else {
      return
    }
    throw SettingsError(
      part: Self.schema.name, key: "bits",
      reason: "leaves no room for reports of \(count) bits and their check bits",
      hint: plan.importantShare > 0
        ? "send more bits, or choose another 'protected_share'" : "send more bits")
  }

  /// - Complexity: O(L E log E) for each report.
  public func transmit(_ reports: [Report], _ block: DropBlock, slot: Int) -> [Delivery] {
    let decoder = PolarListDecoder(listSize: listSize)
    var plans: [PlanKey: [ReportProtection.Piece]?] = [:]
    return reports.enumerated().map { drop, report in
      let key = PlanKey(
        count: report.bits.count, fields: plan.importantShare > 0 ? report.fields : [])
      let pieces = plans[key] ?? plan.pieces(key.count, fields: key.fields)
      plans[key] = pieces
      // A report that has no room in its E bits is not sent.
      guard let pieces else { return .lost }
      return send(report, pieces, decoder, block, drop, slot: slot)
    }
  }

  private struct PlanKey: Hashable {
    let count: Int
    let fields: [Report.Field]
  }

  private func send(
    _ report: Report, _ pieces: [ReportProtection.Piece], _ decoder: PolarListDecoder,
    _ block: DropBlock, _ drop: Int, slot: Int
  ) -> Delivery {
    var coded: [UInt8] = []
    for piece in pieces {
      coded += piece.code.encode(piece.positions.map { report.bits[$0] ? 1 : 0 })
    }
    let soft = Array(
      channel.receive(coded.count, block, drop, slot: slot) { coded[$0] == 1 })
    var bits = [UInt8](repeating: 0, count: report.bits.count)
    var first = 0
    for piece in pieces {
      var message = [UInt8](repeating: 0, count: piece.positions.count)
      let fits = soft.withUnsafeBufferPointer { soft in
        message.withUnsafeMutableBufferPointer { message in
          piece.code.decode(
            UnsafeBufferPointer(rebasing: soft[first..<first + piece.code.codedCount]),
            with: decoder, into: message)
        }
      }
      first += piece.code.codedCount
      if fits {
        for (position, bit) in zip(piece.positions, message) { bits[position] = bit }
      } else if piece.isEssential {
        return .lost
      } else {
        for (position, bit) in zip(piece.positions, piece.substitutes) { bits[position] = bit }
      }
    }
    var received = BitString()
    for bit in bits { received.append(UInt32(bit), width: 1) }
    return .bits(received)
  }
}
