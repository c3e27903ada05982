import LinkMath
import Parts

/// The scalar quantiser of least mean squared error for each real of the codeword, with 2^B levels.
///
/// Levels y_0 <= y_1 <= ... of each component satisfy the two conditions of Lloyd and Max on the fitted codewords: a value
/// takes its nearest level, thresholds `(y_k + y_{k+1}) / 2`, and each level is the mean of the values that take it. The
/// index is sent in natural binary. The outer cells are open, so no value lies outside.
///
/// Reference: S. P. Lloyd, IEEE Trans. Inf. Theory 28 (1982) 129, doi:10.1109/TIT.1982.1056489; J. Max, IRE Trans. Inf.
/// Theory 6 (1960) 7.
public struct LloydMaxQuantizer: Quantizer, Part {
  static let bits = Parameter.integer(
    "bits", default: 4, in: 1...8, "Bits B for each real of the codeword.")

  public static let schema = PartSchema(
    .quantizer, "lloyd_max",
    "Lloyd-Max quantiser: the 2^B levels of least mean squared error, fitted for each real.",
    reference: "S. P. Lloyd, IEEE Trans. Inf. Theory 28 (1982) 129; J. Max, IRE Trans. (1960) 7",
    parameters: [bits.declaration] + FitParameters.declarations)

  private let width: Int
  private let count: Int
  /// [component, level], ascending.
  private let levels: [Float]
  /// [component, 2^B - 1], midpoints of neighbouring levels.
  private let thresholds: [Float]

  /// A quantiser of the fitted `levels` [component, 2^B], ascending.
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    count = context.codewordLength
    precondition(count > 0, "a quantiser is made after the codec")
    width = settings[Self.bits]
    let levelCount = 1 << width
    let table = try fitted.array("levels", shape: [count, levelCount], for: settings.part).elements
    var midpoints: [Float] = []
    for start in stride(from: 0, to: table.count, by: levelCount) {
      for k in start..<start + levelCount - 1 {
        guard table[k] <= table[k + 1] else {
          throw FittingError(part: settings.part, reason: "the fitted 'levels' do not ascend")
        }
        midpoints.append(table[k] / 2 + table[k + 1] / 2)
      }
    }
    (levels, thresholds) = (table, midpoints)
  }

  public var bitCount: Int? { count * width }

  /// - Returns: zero; the outer cells are open.
  /// - Complexity: B comparisons for each value.
  public func quantize(_ values: UnsafeBufferPointer<Float>, into bits: inout BitString) -> Int {
    precondition(values.count == count, "\(values.count) reals for \(count) components")
    let thresholdCount = 1 << width - 1
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: count) { indices in
      thresholds.withUnsafeBufferPointer { thresholds in
        for i in values.indices {
          var index = 0
          var half = 1 << (width - 1)
          while half > 0 {
            if values[i] >= thresholds[i * thresholdCount + index + half - 1] { index += half }
            half /= 2
          }
          indices.initializeElement(at: i, to: UInt32(truncatingIfNeeded: index))
        }
      }
      bits.append(UnsafeBufferPointer(indices), width: width)
    }
    return 0
  }

  public func dequantize(
    _ bits: inout BitReader, into values: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(values.count == count, "\(values.count) reals for \(count) components")
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: count) { indices in
      indices.initialize(repeating: 0)
      bits.read(width, into: indices)
      for i in values.indices { values[i] = levels[(i << width) + Int(indices[i])] }
    }
  }
}
