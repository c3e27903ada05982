import ComplexModule
import Foundation
import LinkMath
import Parts

/// Rayleigh fading gains with the Jakes spectrum, by a sum of sinusoids.
///
/// `g(t) = Σ_k c_k exp(j 2π fD t cos((2πk + θ_k)/Ns))`, `c_k ~ CN(0, 1/Ns)`, `θ_k ~ U(-π, π)`, k = 1..Ns; θ is shared by
/// the ports of a tap, c is not. The arrival angles cover the circle uniformly, so the ensemble autocorrelation is exactly
/// `J0(2π fD τ)`; Gaussian amplitudes (in place of unit-modulus ones) make g exactly Rayleigh for any Ns.
struct JakesFading: Sendable {
  let dopplerHz: Double
  let slotSeconds: Double
  let sinusoidCount: Int

  /// Independent unit-power gains, one array [tap, port] for each slot.
  ///
  /// - Complexity: O(Ns · taps · ports) for each slot; one normal value for each gain if nothing moves.
  func gains(_ block: DropBlock, _ index: Int, taps: Int, ports: Int, slots: [Int])
    -> [ComplexArray]
  {
    guard dopplerHz > 0 else {
      let still = ComplexArray.normal([taps, ports], block.stream(index, .channel))
      return slots.map { _ in still }
    }
    let weights = ComplexArray.normal([taps, sinusoidCount, ports], block.stream(index, .channel))
    let frequencies = drawFrequencies(block.stream(index, .doppler), taps: taps)
    return slots.map { slot in
      sum(weights, frequencies, time: Double(slot) * slotSeconds)
    }
  }

  /// Doppler frequencies in Hz, tap by tap.
  private func drawFrequencies(_ stream: RandomStream, taps: Int) -> [Double] {
    var stream = stream
    return (0..<taps * sinusoidCount).map { i in
      let k = Double(i % sinusoidCount)
      let theta = stream.uniform(in: -Double.pi..<Double.pi)
      return dopplerHz * cos((2 * .pi * k + theta) / Double(sinusoidCount))
    }
  }

  private func sum(_ weights: ComplexArray, _ frequencies: [Double], time: Double) -> ComplexArray {
    let (taps, ports) = (weights[dimension: 0], weights[dimension: 2])
    let scale = 1 / Double(sinusoidCount).squareRoot()
    let rotations = frequencies.map { frequency in
      let unit = Complex<Double>(turns: frequency * time)
      return ComplexFloat(Float(unit.real * scale), Float(unit.imaginary * scale))
    }
    var gains = ComplexArray(uninitialized: [taps, ports])
    weights.withUnsafeElements { weights in
      gains.withUnsafeMutableElements { gains in
        for tap in 0..<taps {
          rotations[(tap * sinusoidCount)...].withUnsafeBufferPointer { rotations in
            MatrixProduct.multiply(
              m: 1, n: ports, k: sinusoidCount, rotations.baseAddress!, lda: sinusoidCount,
              .none, weights.baseAddress! + tap * sinusoidCount * ports, ldb: ports,
              into: gains.baseAddress! + tap * ports, ldc: ports)
          }
        }
      }
    }
    return gains
  }
}

extension Tensor where Element == ComplexFloat {
  /// Independent CN(0, 1) values.
  static func normal(_ shape: [Int], _ stream: RandomStream) -> ComplexArray {
    var stream = stream
    var array = ComplexArray(uninitialized: shape)
    let floats = 2 * array.count
    array.withUnsafeMutableFloats {
      stream.fillNormal(
        UnsafeMutableBufferPointer(start: $0, count: floats), scale: Float(0.5).squareRoot())
    }
    return array
  }

  /// Row r of a matrix times `factors[r]`.
  mutating func scaleRows(_ factors: [Float]) {
    precondition(factors.count == shape[0])
    let columns = rowStride
    withUnsafeMutableElements { elements in
      for (row, factor) in factors.enumerated() {
        for i in row * columns..<(row + 1) * columns {
          elements[i] = ComplexFloat(elements[i].real * factor, elements[i].imaginary * factor)
        }
      }
    }
  }
}

/// Speed of light in metres per second.
package let speedOfLight = 299_792_458.0

extension LinkContext {
  /// Largest Doppler shift `v fc / c0` in Hz.
  package var dopplerHz: Double { speed * grid.carrierHz / speedOfLight }
}
