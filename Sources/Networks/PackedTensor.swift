/// A weight that takes less than 32 bits a value.
public enum PackedTensor: Sendable, Equatable {
  /// Signs with one scale.
  case signs(SignTensor)
  /// 8-bit integers with scales.
  case int8(Int8Tensor)

  /// The form that an operation computes with; nil if it takes real weights.
  init?(_ weights: [Float], for operation: NetworkOperation?) {
    guard let (_, precision, rows) = operation?.weight else { return nil }
    switch precision {
    case .real: return nil
    case .binary: self = .signs(SignTensor(weights))
    case .int8: self = .int8(Int8Tensor(weights, rows: rows))
    case .dynamicInt8: self = .int8(Int8Tensor(dynamic: weights))
    }
  }

  /// Number of values.
  public var count: Int {
    switch self {
    case .signs(let signs): signs.count
    case .int8(let tensor): tensor.integers.count
    }
  }

  /// The values that it stands for, row-major.
  ///
  /// - Complexity: O(count), a new array each time.
  public var values: [Float] {
    switch self {
    case .signs(let signs): signs.values
    case .int8(let tensor): tensor.values
    }
  }

  /// Bits that it takes in a file: those of the weights and of their scales.
  public var storedBits: Int {
    switch self {
    case .signs(let signs): 8 * signs.bytes.count + 32
    case .int8(let tensor): 8 * tensor.integers.count + 32 * tensor.scales.count
    }
  }

  /// Whether an operation computes with it.
  func suits(_ operation: NetworkOperation?) -> Bool {
    guard let (_, precision, rows) = operation?.weight else { return false }
    return switch (self, precision) {
    case (.signs, .binary): true
    case (.int8(let tensor), .int8), (.int8(let tensor), .dynamicInt8): tensor.scales.count == rows
    default: false
    }
  }

  /// Whether all numbers are finite.
  var isFinite: Bool {
    switch self {
    case .signs(let signs): signs.scale.isFinite
    case .int8(let tensor): tensor.scales.allSatisfy(\.isFinite)
    }
  }
}

/// `scale · sign(W)`, one bit a weight.
public struct SignTensor: Sendable, Equatable {
  /// Number of weights.
  public let count: Int
  /// Bit i % 8 of byte i / 8 is 1 if weight i, row-major, is positive; bits behind the last weight are 0.
  public let bytes: [UInt8]
  /// Magnitude of all weights, not negative.
  public let scale: Float

  /// Holds the given bits.
  ///
  /// - Precondition: as many bytes as the weights need, bits behind the last weight 0.
  public init(count: Int, bytes: [UInt8], scale: Float) {
    precondition(SignTensor.isWhole(bytes, count: count), "bytes hold the bits and no others")
    self.count = count
    self.bytes = bytes
    self.scale = scale
  }

  /// The binarised form of real weights: `scale = mean |W|`, sign(0) = 1
  /// (M. Rastegari et al., XNOR-Net: ImageNet Classification Using Binary Convolutional Neural Networks, ECCV 2016, eq. 6).
  public init(_ weights: [Float]) {
    count = weights.count
    scale = weights.withUnsafeBufferPointer { SignTensor.scale($0) }
    var bytes = [UInt8](repeating: 0, count: (weights.count + 7) / 8)
    for (index, weight) in weights.enumerated() where !(weight < 0) {
      bytes[index / 8] |= 1 << UInt8(index % 8)
    }
    self.bytes = bytes
  }

  /// `scale · sign(W)`, row-major.
  public var values: [Float] {
    (0..<count).map { bytes[$0 / 8] >> UInt8($0 % 8) & 1 == 1 ? scale : -scale }
  }

  /// Whether bytes hold as many bits and nothing behind them.
  static func isWhole(_ bytes: [UInt8], count: Int) -> Bool {
    guard bytes.count == (count + 7) / 8 else { return false }
    return count % 8 == 0 || bytes[bytes.count - 1] >> UInt8(count % 8) == 0
  }

  /// `mean |W|`, summed in double precision in eight parts, always the same way.
  static func scale(_ weights: UnsafeBufferPointer<Float>) -> Float {
    var parts = SIMD8<Double>()
    let whole = weights.count / 8 * 8
    for start in stride(from: 0, to: whole, by: 8) {
      for lane in 0..<8 { parts[lane] += Double(weights[start + lane].magnitude) }
    }
    for index in whole..<weights.count { parts[index % 8] += Double(weights[index].magnitude) }
    return weights.isEmpty ? 0 : Float(parts.sum() / Double(weights.count))
  }
}

/// `S[row] · q`, an 8-bit integer a weight.
public struct Int8Tensor: Sendable, Equatable {
  /// The integers q, row-major.
  public let integers: [Int8]
  /// One step S for each row of the first axis, or one for all.
  public let scales: [Float]

  /// Holds the given integers.
  ///
  /// - Precondition: as many integers for each scale.
  public init(integers: [Int8], scales: [Float]) {
    precondition(!scales.isEmpty && integers.count % scales.count == 0, "rows of equal length")
    self.integers = integers
    self.scales = scales
  }

  /// Symmetric integers of each row, `S = max |w| / 127`.
  public init(_ weights: [Float], rows: Int) {
    self.init(weights, rows: rows, divisor: 127, range: -127...127)
  }

  /// Symmetric integers of a whole weight, `S = max |w| / 127.5`, as dynamically quantised dense layers of common frameworks
  /// have them.
  public init(dynamic weights: [Float]) {
    self.init(weights, rows: 1, divisor: 127.5, range: -128...127)
  }

  private init(_ weights: [Float], rows: Int, divisor: Double, range: ClosedRange<Float>) {
    let count = weights.count / rows
    var integers: [Int8] = []
    integers.reserveCapacity(weights.count)
    scales = (0..<rows).map { row in
      let part = weights[row * count..<(row + 1) * count]
      let scale = Float(Double(part.reduce(0) { max($0, $1.magnitude) }) / divisor)
      integers += part.map { weight in
        guard scale > 0 else { return 0 }
        let rounded = (weight / scale).rounded(.toNearestOrEven)
        return Int8(min(max(rounded, range.lowerBound), range.upperBound))
      }
      return scale
    }
    self.integers = integers
  }

  /// `S q`, row-major.
  public var values: [Float] {
    let count = integers.count / scales.count
    return integers.indices.map { scales[$0 / count] * Float(integers[$0]) }
  }

  /// Rows and columns of a matrix exchanged, for one scale.
  func transposed(rows: Int) -> Int8Tensor {
    precondition(scales.count == 1, "rows keep their scales")
    let columns = integers.count / rows
    return Int8Tensor(
      integers: (0..<columns).flatMap { c in (0..<rows).map { integers[$0 * columns + c] } },
      scales: scales)
  }
}
