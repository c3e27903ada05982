import ComplexModule
import Foundation
import Link
import LinkMath
import Parts
import TestSupport
import Testing

/// Unitary transform and orthogonal tail of the angular-delay domain. The identities hold to 1e-12 in exact
/// arithmetic; the transform computes in single precision, so amplitudes are asserted to 1e-5 relative (energies to
/// 1e-10 for an error against a reference, 1e-5 for a sum of squares).
@Suite struct TransformTests {
  struct Shape: Sendable, CustomTestStringConvertible {
    let tones: Int
    let ports: Int
    let taps: Int
    let guardRows: Int
    let angle: AngularDelayTransform.Direction
    let shift: Int
    var testDescription: String {
      "\(tones) tones, \(ports) ports, \(taps) taps, \(guardRows) guard rows, \(angle), shift \(shift)"
    }

    var transform: AngularDelayTransform {
      AngularDelayTransform(
        grid: tones, ports: ports, taps: taps, guardRows: guardRows, angle: angle, shift: shift)
    }

    /// The column of a plane wave of port phases exp(j 2π i x / Nt).
    func column(of x: Int) -> Int {
      let peak = angle == .forward ? x : ports - x
      return (peak + shift) % ports
    }
  }

  /// Pruned, unpruned, odd and prime lengths; all rows and few.
  static let shapes = [1024, 256, 257, 96].flatMap { tones in
    [
      Shape(tones: tones, ports: 8, taps: 32, guardRows: 0, angle: .forward, shift: 0),
      Shape(tones: tones, ports: 8, taps: 32, guardRows: 4, angle: .inverse, shift: 3),
      Shape(tones: tones, ports: 5, taps: 17, guardRows: 16, angle: .forward, shift: 4),
      Shape(tones: tones, ports: 6, taps: 1, guardRows: 0, angle: .inverse, shift: 0),
      Shape(tones: tones, ports: 4, taps: tones, guardRows: 0, angle: .forward, shift: 2),
      Shape(tones: tones, ports: 4, taps: tones, guardRows: 7, angle: .inverse, shift: 0),
      // Rows of 32 ports, and columns in groups of sixteen, have kernels of their own.
      Shape(tones: tones, ports: 32, taps: 13, guardRows: 3, angle: .forward, shift: 5),
      Shape(tones: tones, ports: 32, taps: 9, guardRows: 0, angle: .inverse, shift: 0),
      Shape(tones: tones, ports: 16, taps: 27, guardRows: 4, angle: .inverse, shift: 2),
    ]
  }

  /// `A[k, q] = (Nc Nt)^(-1/2) Σ_n Σ_i H[n, i] exp(+j 2π k n / Nc) exp(∓j 2π q i / Nt)`, rows -g..<taps-g, columns moved.
  private func reference(_ response: ComplexArray, _ shape: Shape) -> ComplexArray {
    let (tones, ports) = (shape.tones, shape.ports)
    let delayPhase = (0..<tones).map { unit(Double($0) / Double(tones)) }
    let sign = shape.angle == .forward ? -1.0 : 1.0
    let anglePhase = (0..<ports).map { unit(sign * Double($0) / Double(ports)) }
    let scale = 1 / Double(tones * ports).squareRoot()
    let drops = response[dimension: 0]
    var csi = ComplexArray(repeating: .zero, shape: [drops, shape.taps, ports])
    let values = response.elements.map(\.inDouble)
    csi.withUnsafeMutableElements { csi in
      for drop in 0..<drops {
        for row in 0..<shape.taps {
          let k = (row - shape.guardRows + tones) % tones
          let delays = (0..<ports).map { port in
            (0..<tones).reduce(Complex<Double>.zero) {
              $0 + values[(drop * tones + $1) * ports + port] * delayPhase[k * $1 % tones]
            }
          }
          for q in 0..<ports {
            let sum = (0..<ports).reduce(Complex<Double>.zero) {
              $0 + delays[$1] * anglePhase[q * $1 % ports]
            }
            csi[(drop * shape.taps + row) * ports + (q + shape.shift) % ports] = ComplexFloat(
              Float(sum.real * scale), Float(sum.imaginary * scale))
          }
        }
      }
    }
    return csi
  }

  @Test(arguments: shapes)
  func forwardIsTheDefinition(shape: Shape) {
    let response = complexNormal([2, shape.tones, shape.ports])
    let csi = shape.transform.forward(response)
    #expect(csi.shape == [2, shape.taps, shape.ports])
    #expect(relativeError(csi, reference(response, shape)) < 1e-10, "\(shape)")
  }

  /// Unitary transform: Parseval on the kept rows, round trip, and white noise stays white because the transform is
  /// unitary.
  @Test(arguments: shapes)
  func inverseKeepsEnergyAndComesBack(shape: Shape) {
    let csi = complexNormal([3, shape.taps, shape.ports], seed: 4)
    let response = shape.transform.inverse(csi)
    #expect(response.shape == [3, shape.tones, shape.ports])
    #expect(abs(response.energy / csi.energy - 1) < 1e-5, "\(shape): Parseval")
    #expect(relativeError(shape.transform.forward(response), csi) < 1e-10, "\(shape): round trip")
  }

  @Test(arguments: shapes.filter { $0.taps == $0.tones })
  func withoutTruncationNothingIsLost(shape: Shape) {
    let response = complexNormal([3, shape.tones, shape.ports], seed: 6)
    let csi = shape.transform.forward(response)
    #expect(abs(csi.energy / response.energy - 1) < 1e-5, "\(shape): Parseval")
    #expect(relativeError(shape.transform.inverse(csi), response) < 1e-10, "\(shape)")
  }

  /// Unitary transform: a path of delay τ samples with port phases exp(j 2π i x / Nt) is one entry: row +τ (behind
  /// the guard rows), column x for the forward angle DFT and -x for the inverse one, moved by the shift.
  @Test(arguments: shapes)
  func aPathIsOneEntry(shape: Shape) {
    let last = shape.taps - shape.guardRows - 1
    for delay in Set([0, 1, last, -shape.guardRows]) where (-shape.guardRows...last).contains(delay)
    {
      for x in 0..<shape.ports {
        var response = ComplexArray(uninitialized: [1, shape.tones, shape.ports])
        for tone in 0..<shape.tones {
          for port in 0..<shape.ports {
            let value = unit(
              -Double(tone * delay % shape.tones) / Double(shape.tones)
                + Double(port * x % shape.ports) / Double(shape.ports))
            response[0, tone, port] = ComplexFloat(Float(value.real), Float(value.imaginary))
          }
        }
        var expected = ComplexArray(repeating: .zero, shape: [1, shape.taps, shape.ports])
        expected[0, delay + shape.guardRows, shape.column(of: x)] = ComplexFloat(
          Float(Double(shape.tones * shape.ports).squareRoot()))
        #expect(
          relativeError(shape.transform.forward(response), expected) < 1e-10,
          "\(shape): delay \(delay), wave \(x)")
      }
    }
  }

  /// Orthogonal tail: the rows that are kept and those that are not are orthogonal, `‖H - Ĥ‖² = ‖A - Â‖² + ‖tail‖²`.
  @Test(arguments: shapes)
  func fullBandErrorIsTruncatedErrorPlusTail(shape: Shape) {
    let transform = shape.transform
    let truth = complexNormal([2, shape.tones, shape.ports], seed: 9)
    let csi = transform.forward(truth)
    let error = complexNormal(csi.shape, seed: 10)
    let reconstruction = ComplexArray(
      zip(csi.elements, error.elements).map { $0 + ComplexFloat(0.3) * $1 }, shape: csi.shape)
    let full = difference(truth, transform.inverse(reconstruction)).energy
    let tail = truth.energy - csi.energy
    let truncated = difference(csi, reconstruction).energy
    // Relative to the channel: the tail is a difference of energies.
    #expect(abs(full - truncated - tail) < 1e-5 * truth.energy, "\(shape)")
  }

  /// Fractional delay: expected energies of a path at a delay t, `sin²(π(k-t)) / (Nc² sin²(π(k-t)/Nc))` in row k.
  @Test(arguments: [0.5, 4.5, 15.5, 31.5])
  func fractionalDelaysLeakAsTheClosedForm(delay: Double) {
    let shape = Shape(tones: 1024, ports: 2, taps: 32, guardRows: 4, angle: .forward, shift: 0)
    var response = ComplexArray(uninitialized: [1, 1024, 2])
    for tone in 0..<1024 {
      let value = unit(-Double(tone) * delay / 1024)
      for port in 0..<2 {
        response[0, tone, port] = ComplexFloat(Float(value.real), Float(value.imaginary))
      }
    }
    let csi = shape.transform.forward(response)
    for row in 0..<32 {
      let distance = Double(row - 4) - delay
      let (top, bottom) = (sin(.pi * distance), 1024 * sin(.pi * distance / 1024))
      let energy = Double(csi[0, row, 0].lengthSquared) / 2048
      #expect(abs(energy - top * top / (bottom * bottom)) < 1e-5, "row \(row - 4)")
    }
  }

  @Test(arguments: [
    (["taps": Setting.integer(65)], "taps"), (["guard_rows": Setting.integer(32)], "guard_rows"),
    (["angle_shift": Setting.integer(4)], "angle_shift"),
  ])
  func impossibleTransformsAreRefused(given: [String: Setting], key: String) {
    let error = #expect(throws: SettingsError.self) {
      try AngularDelayTransform(
        AngularDelayTransform.schema.settings(given), in: linkContext(tones: 64, ports: 4))
    }
    #expect(error?.key == key)
  }
}
