import LinkMath
import Parts

/// What the UE of one drop sends in one slot.
public struct Report: Sendable {
  /// A named range of the bits, for links that protect some more than others.
  public struct Field: Sendable, Hashable {
    /// What the field tells, such as `gain`.
    public let name: String
    /// Positions in the report.
    public let bits: Range<Int>
    /// Bits of each of the numbers that the field consists of, most significant bit first; empty if it is none of that kind.
    public let widths: [Int]

    /// A field; the parameters are its properties.
    public init(_ name: String, _ bits: Range<Int>, widths: [Int] = []) {
      self.name = name
      self.bits = bits
      self.widths = widths
    }
  }

  /// The payload; side information if the codeword is ``reals``.
  public var bits: BitString
  /// The codeword where nothing is quantised.
  public var reals: [Float]?
  /// What the bits are, in their order; empty if a codec does not say.
  public var fields: [Field]
  /// Values that lay outside the quantiser's range.
  public var clippedCount: Int
  /// Whether the report would have had more bits than the link carries, so that it is not sent.
  public private(set) var isWithdrawn = false

  /// A report; the parameters are its properties.
  public init(
    bits: BitString, reals: [Float]? = nil, fields: [Field] = [],
    clippedCount: Int = 0
  ) {
    self.bits = bits
    self.reals = reals
    self.fields = fields
    self.clippedCount = clippedCount
  }

  /// Takes a report back that has too many bits: it counts as lost, and its bits as never sent.
  public mutating func withdraw() {
    isWithdrawn = true
    (bits, reals, fields) = (BitString(), nil, [])
  }
}

/// What became of a report on the uplink.
public enum Delivery: Sendable {
  /// Bits as the BS decided, and how sure it is: log P(0)/P(1) of each, if the link tells.
  case bits(BitString, soft: SoftBits? = nil)
  /// Real numbers; side information travels unharmed.
  case reals([Float], side: BitString)
  /// Nothing arrived, and the BS knows.
  case lost

  /// Whether nothing arrived.
  public var isLost: Bool {
    if case .lost = self { true } else { false }
  }
}

/// What the UE knows of a block of drops when it reports.
public struct Measurement: Sendable {
  /// Normalised CSI [drop, row, column].
  public var csi: ComplexArray
  /// What the normaliser took out of each drop.
  public var gains: [Float]
  /// What a ``CodewordCodec`` made of the CSI.
  public var codeword: Codeword?
  /// What a `Quantizer` made of the codeword.
  public var symbols: SymbolBlock?

  /// A measurement; the parameters are its properties.
  public init(
    csi: ComplexArray, gains: [Float], codeword: Codeword? = nil, symbols: SymbolBlock? = nil
  ) {
    self.csi = csi
    self.gains = gains
    self.codeword = codeword
    self.symbols = symbols
  }
}

/// What the BS makes of the reports of a slot.
public struct Reconstruction: Sendable {
  /// Normalised CSI [drop, row, column]; zero for a report that told nothing.
  public var csi: ComplexArray
  /// The gain of each drop; nil if it is not in the reports.
  public var gains: [Float]?

  /// A reconstruction; the parameters are its properties.
  public init(csi: ComplexArray, gains: [Float]? = nil) {
    self.csi = csi
    self.gains = gains
  }
}

/// How CSI is reported: the side of the UE and that of the BS, each with the memory that it has of a block of drops.
public protocol Reporting: Sendable {
  /// What a report takes on the uplink.
  var size: ReportSize { get }

  /// Whether what the UE sends depends on which of its reports arrived.
  var listens: Bool { get }

  /// Whether reconstructions are directions only, whose error against the CSI means nothing.
  var givesDirections: Bool { get }

  /// What the codec is, in a few words.
  var summary: String { get }

  /// The side of the UE for a block of so many drops.
  func makeUE(drops: Int) -> any UESide
  /// The side of the BS.
  func makeBS(drops: Int) -> any BSSide
}

extension Reporting {
  /// What is sent does not depend on what arrived.
  public var listens: Bool { false }
  /// Reconstructions are CSI.
  public var givesDirections: Bool { false }
}

extension Reporting where Self: Part {
  /// The name of the part.
  public var summary: String { Self.schema.name }
}

/// The UE's side of the reports of a block of drops, slot after slot.
public protocol UESide {
  /// What the UE sends in a slot in which it measured.
  ///
  /// - Parameters:
  ///   - measurement: what the UE knows of each drop.
  ///   - slot: number of the slot.
  ///   - acknowledged: whether the report before arrived, by drop; false in the first slot.
  mutating func report(_ measurement: Measurement, slot: Int, acknowledged: [Bool]) throws
    -> [Report]
}

/// The side of the BS.
public protocol BSSide {
  /// What the reports of a slot tell.
  ///
  /// - Parameters:
  ///   - arrived: by drop; any bits are legal.
  ///   - slot: in which the UE measured.
  mutating func receive(_ arrived: [Delivery], slot: Int) throws -> Reconstruction
}
