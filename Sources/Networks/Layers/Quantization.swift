import CKernels

/// Numbers that a layer is computed with.
public enum WeightPrecision: Sendable, Hashable {
  /// Single precision.
  case real
  /// Signs with one scale, see ``BinaryDense``.
  case binary
  /// 8-bit weights and activations, the range of the activations a parameter, see ``Int8Layer``.
  case int8
  /// 8-bit weights, 7-bit activations whose range is that of the sample at hand, see ``Int8Layer``.
  case dynamicInt8
}

/// Affine quantisation `q = clamp(round(x / S) + Z, 0, levels)`, rounded half to even, and `x̂ = S (q - Z)`.
///
/// Reference: B. Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference,
/// CVPR 2018, eq. 1.
public struct ActivationQuantizer: Sendable, Equatable {
  /// Step S; 0 if all values are 0.
  public let scale: Float
  /// The integer Z that stands for 0.
  public let zero: Int
  /// The largest integer: 255 for 8 bits, 127 for 7.
  public let levels: Int

  /// The quantiser of a range, which is extended to contain 0.
  public init(_ minimum: Float, _ maximum: Float, levels: Int) {
    let (low, high) = (Double(min(minimum, 0)), Double(max(maximum, 0)))
    let step = Float((high - low) / Double(levels))
    scale = step
    self.levels = levels
    let position = step > 0 ? (-low / Double(step)).rounded(.toNearestOrEven) : 0
    zero = Int(min(max(position, 0), Double(levels)))
  }

  /// The quantiser of the values at hand.
  public init(of values: UnsafeBufferPointer<Float>, levels: Int) {
    var range: (Float, Float) = (0, 0)
    withUnsafeMutableBytes(of: &range) {
      csk_float_range(
        values.count, values.baseAddress, $0.baseAddress!.assumingMemoryBound(to: Float.self))
    }
    self.init(range.0, range.1, levels: levels)
  }

  /// What the smallest and the largest integer stand for.
  var bounds: (low: Float, high: Float) {
    (scale * Float(-zero), scale * Float(levels - zero))
  }

  /// Integers q - Z of values.
  func write(_ x: UnsafePointer<Float>, count: Int, to y: UnsafeMutablePointer<Int16>) {
    csk_int8_quantise(count, x, scale, Int32(zero), Int32(levels), y)
  }
}

/// The values that the integers of an activation stand for: what the layer behind it sees in 8 bits.
///
/// In training the range follows that of the batches, `range <- range + 0.01 (batch - range)`, and the gradient is 1 inside
/// the range and 0 outside; in inference the layer behind it takes the integers.
public struct FakeQuantization: Sendable {
  /// Smallest and largest value, no training parameter; (0, 0) takes the range of the first batch.
  let range: NetworkParameter
  /// The largest integer.
  static let levels = 255
  /// Share of a batch in the range.
  static let momentum: Float = 0.01

  init() { range = NetworkParameter([2], .constant(0), isTrainable: false) }
}

/// A convolution or dense layer on 8-bit integers with 32-bit sums, in place of a real one, with the same parameters.
///
/// Weights are symmetric: `S = max |w| / 127` for each output (a following batch normalisation multiplies weights and scale of
/// an output alike, so the integers are those of the folded layer), or `max |w| / 127.5` for the whole weight of a dynamic layer.
///
/// References: B. Jacob et al., CVPR 2018; R. Krishnamoorthi, Quantizing Deep Convolutional Networks for Efficient Inference,
/// 2018, arXiv:1806.08342.
public struct Int8Layer: Layer {
  private enum Kind {
    case convolution(Convolution)
    case dense(DenseProduct)
  }

  private let kind: Kind
  private let quantization: FakeQuantization?

  /// The 8-bit form of an operation; nil for all but real undilated convolutions and dense layers with a weight of their own.
  ///
  /// - Parameters:
  ///   - operation: what is replaced.
  ///   - isDynamic: ranges at run time, for dense layers only.
  public init?(_ operation: NetworkOperation, isDynamic: Bool = false) {
    switch operation {
    case .convolution(var layer)
    where layer.precision == .real && layer.dilation == 1 && !isDynamic:
      layer.precision = .int8
      kind = .convolution(layer)
    case .dense(var product) where product.precision == .real && product.ownsWeight:
      product.precision = isDynamic ? .dynamicInt8 : .int8
      kind = .dense(product)
    default: return nil
    }
    quantization = isDynamic ? nil : FakeQuantization()
  }

  public var parameters: [(key: String, parameter: NetworkParameter)] {
    quantization.map { [("input_range", $0.range)] } ?? []
  }

  public func callAsFunction(_ x: Signal) -> Signal {
    let input = quantization.map { x.applying(.fakeQuantization($0), shape: x.shape) } ?? x
    switch kind {
    case .convolution(let layer): return layer(input)
    case .dense(let product): return product.applied(to: input)
    }
  }
}

extension Autoencoder {
  /// The convolutions and dense layers of some sides on 8-bit integers (``Int8Layer``); binary layers stay.
  ///
  /// - Parameters:
  ///   - sides: whose layers are replaced.
  ///   - isDynamic: only dense layers, their ranges at run time.
  /// - Returns: nil if a side has no such layer.
  public func quantised(_ sides: SideChoice, isDynamic: Bool = false) -> Autoencoder? {
    func quantised(_ side: WeightsFile.Side) -> Network? {
      let network = side.network(of: self)
      guard sides.contains(side) else { return network }
      // A layer that is used several times has one range.
      var made: [ObjectIdentifier: Int8Layer] = [:]
      let result = network.replacing { _, operation in
        guard let weight = operation.weight.map({ ObjectIdentifier($0.parameter) }) else {
          return nil
        }
        let layer = made[weight] ?? Int8Layer(operation, isDynamic: isDynamic)
        made[weight] = layer
        return layer
      }
      return made.isEmpty ? nil : result
    }
    guard let encoder = quantised(.encoder), let decoder = quantised(.decoder) else { return nil }
    return Autoencoder(name: name, compression: compression, encoder: encoder, decoder: decoder)
  }
}
