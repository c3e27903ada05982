/// A weight that takes less than 32 bits a value.
public enum PackedTensor: Sendable, Equatable {
  /// Signs with one scale.
  case signs(SignTensor)

  /// Number of values.
  public var count: Int {
    switch self {
    case .signs(let signs): signs.count
    }
  }

  /// The values that it stands for, row-major.
  ///
  /// - Complexity: O(count), a new array each time.
  public var values: [Float] {
    switch self {
    case .signs(let signs): signs.values
    }
  }

  /// Bits that it takes in a file: those of the weights and of their scales.
  public var storedBits: Int {
    switch self {
    case .signs(let signs): 8 * signs.bytes.count + 32
    }
  }

  /// The products that are computed with it.
  var precision: DenseProduct.Precision {
    switch self {
    case .signs: .binary
    }
  }

  /// What it holds, for messages.
  var description: String {
    switch self {
    case .signs: "signs"
    }
  }

  /// Whether all numbers are finite.
  var isFinite: Bool {
    switch self {
    case .signs(let signs): signs.scale.isFinite
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
