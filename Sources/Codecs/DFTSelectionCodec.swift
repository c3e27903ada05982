import ComplexModule
import LinkMath
import Parts

/// Keeps the K strongest coefficients of the angular-delay matrix, the classical sparse feedback.
///
/// The delay and angle transforms concentrate the channel in few of the N = taps · angles coefficients. The codeword holds
/// the K coefficients of largest modulus in ascending position `delay · angles + angle`, real and imaginary part of each
/// side by side, M = 2K. Among equal moduli the lower position wins.
///
/// The positions are side information, counted in the payload, in the shorter of two fixed-length forms: a bitmap of N
/// bits, or K positions of `ceil(log2 N)` bits. Harmed side bits still decode: the i-th set bit (or i-th position) takes
/// the i-th coefficient; coefficients beyond the last set bit and those with a position outside the matrix are dropped,
/// set bits beyond K are ignored, and of equal positions the last counts.
///
/// Reference: the "delay-angle truncation" view of the sparse channel in C.-K. Wen et al., IEEE Wireless Commun. Lett. 7
/// (2018) 748, section II; best K-term approximation: S. Mallat, *A Wavelet Tour of Signal Processing*, 3rd ed., ch. 9.
public struct DFTSelectionCodec: CodewordCodec, Part {
  static let coefficients = Parameter<Int?>.optional(
    "coefficients", .integer(1...Int.max),
    "Coefficients K that are kept; the codeword has M = 2K reals.")

  public static let schema = PartSchema(
    .codec, "dft_selection",
    "The strongest coefficients of the angular-delay matrix, their positions as side bits.",
    reference: "S. Mallat, A Wavelet Tour of Signal Processing, 3rd ed., 2009, chapter 9",
    parameters: [coefficients.declaration, CodewordSize.compression.declaration])

  private let taps: Int
  private let angles: Int
  private let keptCount: Int
  /// Bits of one position in the list; nil if the positions are sent as a bitmap.
  private let positionBits: Int?

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    (taps, angles) = (context.tapCount, context.portCount)
    precondition(taps > 0 && angles > 0, "a codec is made after the transform")
    let count = taps * angles
    keptCount = try Self.keptCount(settings, of: count)
    let width = Int.bitWidth - (count - 1).leadingZeroBitCount
    positionBits = keptCount * width < count ? width : nil
  }

  private static func keptCount(_ settings: Settings, of count: Int) throws(SettingsError) -> Int {
    guard let kept = settings[coefficients] else {
      let compression = settings[CodewordSize.compression] ?? CodewordSize.defaultCompression
      return try CodewordSize.compressed(
        2 * count, by: compression, part: settings.part, even: true)
        / 2
    }
    guard settings[CodewordSize.compression] == nil else {
      throw SettingsError(
        part: settings.part, key: coefficients.key, reason: "cannot be given with 'compression'")
    }
    guard kept <= count else {
      throw SettingsError(
        part: settings.part, key: coefficients.key,
        reason: "must be at most the \(count) coefficients of the CSI, got \(kept)")
    }
    return kept
  }

  public var codewordLength: Int { 2 * keptCount }
  public var sideBitCount: Int { positionBits.map { $0 * keptCount } ?? taps * angles }

  /// - Complexity: O(N log N) for each drop.
  public func encode(_ csi: ComplexArray) -> Codeword {
    csi.requireShape([nil, taps, angles], "[drop, delay, angle]")
    let (drops, count) = (csi[dimension: 0], taps * angles)
    var values = RealArray(uninitialized: [drops, codewordLength])
    var side: [BitString] = []
    csi.withUnsafeElements { csi in
      values.withUnsafeMutableElements { values in
        for drop in 0..<drops {
          let matrix = UnsafeBufferPointer(rebasing: csi[drop * count..<(drop + 1) * count])
          let positions = strongest(matrix)
          for (i, position) in positions.enumerated() {
            values[drop * codewordLength + 2 * i] = matrix[position].real
            values[drop * codewordLength + 2 * i + 1] = matrix[position].imaginary
          }
          side.append(sideBits(positions))
        }
      }
    }
    return Codeword(values: values, side: side)
  }

  /// Positions of the K coefficients of largest modulus, ascending.
  private func strongest(_ matrix: UnsafeBufferPointer<ComplexFloat>) -> [Int] {
    // Bit patterns of non-negative floats are ordered like the floats; the low half makes every key different.
    var keys = matrix.enumerated().map { position, value in
      UInt64(value.lengthSquared.bitPattern) << 32 | UInt64(~UInt32(position))
    }
    keys.sort(by: >)
    return keys.prefix(keptCount).map { Int(~UInt32(truncatingIfNeeded: $0)) }.sorted()
  }

  private func sideBits(_ positions: [Int]) -> BitString {
    guard let positionBits else {
      var bitmap = BitString(zeros: taps * angles)
      for position in positions { bitmap.flip(position) }
      return bitmap
    }
    var list = BitString()
    for position in positions { list.append(UInt32(position), width: positionBits) }
    return list
  }

  public func decode(_ codeword: Codeword) -> ComplexArray {
    codeword.values.requireShape([nil, codewordLength], "[drop, M]")
    let (drops, count) = (codeword.values[dimension: 0], taps * angles)
    precondition(
      codeword.side.count == drops, "side bits of \(codeword.side.count) of \(drops) drops")
    var csi = ComplexArray(repeating: .zero, shape: [drops, taps, angles])
    codeword.values.withUnsafeElements { values in
      csi.withUnsafeMutableElements { csi in
        for drop in 0..<drops {
          let row = drop * codewordLength
          for (i, position) in positions(codeword.side[drop]).enumerated() where position < count {
            csi[drop * count + position] = ComplexFloat(
              values[row + 2 * i], values[row + 2 * i + 1])
          }
        }
      }
    }
    return csi
  }

  /// At most K positions as the side bits name them, possibly outside the matrix or repeated.
  private func positions(_ side: BitString) -> [Int] {
    precondition(side.count == sideBitCount, "\(side.count) side bits, expected \(sideBitCount)")
    guard let positionBits else {
      return Array((0..<side.count).lazy.filter { side[$0] }.prefix(keptCount))
    }
    var reader = BitReader(side)
    return (0..<keptCount).map { _ in Int(reader.read(positionBits)) }
  }
}
