import Foundation

/// `exp(x_i) / sum_j exp(x_j)` over the last axis.
public struct Softmax: Layer, CustomOperation {
  /// Over the last axis.
  public init() {}

  public var summary: String { "Softmax" }
  public var outputRange: ClosedRange<Float>? { 0...1 }
  public func callAsFunction(_ x: Signal) -> Signal { x.applying(self) }
  public func outputShape(_ inputs: [Shape]) -> Shape { inputs[0] }

  public func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let (x, count) = (sample.inputs[0], sample.shapes[0].width)
    for start in stride(from: 0, to: x.count, by: count) {
      let row = start..<start + count
      let largest = row.reduce(-Float.infinity) { max($0, x[$1]) }
      var sum: Float = 0
      for i in row {
        output[i] = exp(x[i] - largest)
        sum += output[i]
      }
      for i in row { output[i] /= sum }
    }
  }

  /// `y (g - sum g y)`.
  public func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    let (dx, count) = (inputs[0], sample.shapes[0].width)
    forward(sample, into: dx)
    for start in stride(from: 0, to: gradient.count, by: count) {
      let row = start..<start + count
      let mean = row.reduce(Float(0)) { $0 + gradient[$1] * dx[$1] }
      for i in row { dx[i] *= gradient[i] - mean }
    }
  }
}

/// One number for each row of the last axis.
public struct RowReduction: CustomOperation {
  /// Which number.
  public enum Kind: String, Sendable {
    /// The sum.
    case sum
    /// The sum over the number of values.
    case mean
    /// The largest value; of equal ones the first has the gradient.
    case maximum
    /// The smallest value; of equal ones the first has the gradient.
    case minimum
    /// The sum of the squares.
    case energy
    /// The root of the sum of the squares.
    case norm
    /// The sum of the magnitudes.
    case magnitudes
  }

  let kind: Kind
  let count: Int

  /// Rows of `count` values, one after another in the input.
  public init(_ kind: Kind, count: Int) { (self.kind, self.count) = (kind, count) }

  public var summary: String { "\(kind.rawValue) of each \(count)" }

  public func outputShape(_ inputs: [Shape]) -> Shape {
    precondition(inputs[0].count % count == 0, "whole rows")
    return .vector(inputs[0].count / count)
  }

  public func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let x = sample.inputs[0]
    for index in output.indices {
      output[index] = value(UnsafeBufferPointer(rebasing: x[index * count..<(index + 1) * count]))
    }
  }

  /// The number of one row.
  func value(_ row: UnsafeBufferPointer<Float>) -> Float {
    switch kind {
    case .sum: row.reduce(0, +)
    case .mean: row.reduce(0, +) / Float(count)
    case .maximum: row.max()!
    case .minimum: row.min()!
    case .energy: row.reduce(0) { $0 + $1 * $1 }
    case .norm: row.reduce(0) { $0 + $1 * $1 }.squareRoot()
    case .magnitudes: row.reduce(0) { $0 + abs($1) }
    }
  }

  public func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    let x = sample.inputs[0]
    for (index, g) in gradient.enumerated() {
      let range = index * count..<(index + 1) * count
      let row = UnsafeBufferPointer(rebasing: x[range])
      let result = value(row)
      let chosen = row.firstIndex(of: result)
      for i in 0..<count {
        inputs[0][range.lowerBound + i] =
          switch kind {
          case .sum: g
          case .mean: g / Float(count)
          case .maximum, .minimum: i == chosen ? g : 0
          case .energy: 2 * g * row[i]
          case .norm: result > 0 ? g * row[i] / result : 0
          case .magnitudes: row[i] > 0 ? g : row[i] < 0 ? -g : 0
          }
      }
    }
  }
}

/// Scale and shift of each channel by the statistics of a batch normalisation that has ended its training:
/// `y = gamma (x - mean) / sqrt(var + eps) + beta`, wherever it stands in a network. Scale and shift are trained, the
/// statistics stay.
public struct FrozenNormalization: Layer, CustomOperation {
  let gamma, beta, mean, variance: NetworkParameter
  let epsilon: Float

  /// Over channels.
  public init(_ channels: Int, epsilon: Double = 1e-5) {
    gamma = NetworkParameter([channels], .constant(1))
    beta = NetworkParameter([channels], .constant(0))
    mean = NetworkParameter([channels], .constant(0), isTrainable: false)
    variance = NetworkParameter([channels], .constant(1), isTrainable: false)
    self.epsilon = Float(epsilon)
  }

  public var parameters: [(key: String, parameter: NetworkParameter)] {
    [("weight", gamma), ("bias", beta), ("running_mean", mean), ("running_var", variance)]
  }
  public var reads: [NetworkParameter] { [gamma, beta, mean, variance] }
  public var summary: String { "FrozenNormalization(\(gamma.count))" }
  public func callAsFunction(_ x: Signal) -> Signal { x.applying(self) }

  public func outputShape(_ inputs: [Shape]) -> Shape {
    precondition(inputs[0].channels == gamma.count, "\(summary) applied to \(inputs[0])")
    return inputs[0]
  }

  /// What the rules for batch normalisation count.
  public func costs(_ inputs: [Shape]) -> Costs {
    var costs = Costs()
    costs.profiler = 2 * inputs[0].count
    return costs
  }

  private func inverse(_ sample: CustomSample, _ channel: Int) -> Float {
    1 / (sample.parameters[3][channel] + epsilon).squareRoot()
  }

  public func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let (x, plane) = (sample.inputs[0], sample.shapes[0].plane)
    for channel in 0..<gamma.count {
      let scale = sample.parameters[0][channel] * inverse(sample, channel)
      let shift = sample.parameters[1][channel] - sample.parameters[2][channel] * scale
      for i in channel * plane..<(channel + 1) * plane { output[i] = x[i] * scale + shift }
    }
  }

  public func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    let (x, plane) = (sample.inputs[0], sample.shapes[0].plane)
    for channel in 0..<gamma.count {
      let (inverse, mean) = (inverse(sample, channel), sample.parameters[2][channel])
      let scale = sample.parameters[0][channel] * inverse
      for i in channel * plane..<(channel + 1) * plane {
        inputs[0][i] = gradient[i] * scale
        parameters[0][channel] += gradient[i] * (x[i] - mean) * inverse
        parameters[1][channel] += gradient[i]
      }
      // The statistics are not trained.
    }
  }
}
