import ComplexModule
import LinkMath

extension Complex where RealType == Double {
  /// `exp(j 2π turns)` to within 5e-16; whole turns are dropped first, so large arguments keep their precision.
  ///
  /// Taylor polynomials within an eighth of a turn, without branches or calls: rays and fading sinusoids need a phasor
  /// each, and the C library's sine and cosine were a third of a clustered drop's time.
  ///
  /// - Precondition: `|turns| < 2^49`.
  package init(turns: Double) {
    // Adding and subtracting 1.5 · 2^52 rounds to the nearest integer.
    let quarters = (4 * turns + 0x1.8p52) - 0x1.8p52
    let x = (turns - 0.25 * quarters) * (2 * Double.pi)
    let (s, c) = Self.sineAndCosine(x, squared: x * x)
    let quadrant = Int(quarters) & 3
    let isOdd = quadrant & 1 == 1
    let re = isOdd ? s : c
    let im = isOdd ? c : s
    self.init(quadrant == 1 || quadrant == 2 ? -re : re, quadrant >= 2 ? -im : im)
  }

  /// For |x| ≤ π/4; the first terms left out are x^17/17! and x^18/18!.
  @inline(__always)
  private static func sineAndCosine(_ x: Double, squared y: Double) -> (Double, Double) {
    var sine = 1 + y * (-1 / 210)
    sine = 1 + y * (-1 / 156) * sine
    sine = 1 + y * (-1 / 110) * sine
    sine = 1 + y * (-1 / 72) * sine
    sine = 1 + y * (-1 / 42) * sine
    sine = 1 + y * (-1 / 20) * sine
    sine = 1 + y * (-1 / 6) * sine
    var cosine = 1 + y * (-1 / 240)
    cosine = 1 + y * (-1 / 182) * cosine
    cosine = 1 + y * (-1 / 132) * cosine
    cosine = 1 + y * (-1 / 90) * cosine
    cosine = 1 + y * (-1 / 56) * cosine
    cosine = 1 + y * (-1 / 30) * cosine
    cosine = 1 + y * (-1 / 12) * cosine
    cosine = 1 + y * (-1 / 2) * cosine
    return (x * sine, cosine)
  }
}

/// Geometric rows of unit phasors, `exp(j 2π turns k)` for k = 0, 1, ...
///
/// A row is the product of two short rows: about √count powers are formed in double precision, each entry is one
/// single-precision product of two of them. The error is below 2e-7 for any length, and a row costs one sine and cosine.
package enum Phasors {
  /// - Parameters:
  ///   - turns: phase step between entries, in turns.
  ///   - re, im: `count` values each.
  package static func fill(
    turns: Double, count: Int, re: UnsafeMutablePointer<Float>, im: UnsafeMutablePointer<Float>
  ) {
    let short = shortLength(count)
    let step = Complex<Double>(turns: turns)
    var power = Complex<Double>(1)
    for k in 0..<min(short, count) {
      re[k] = Float(power.real)
      im[k] = Float(power.imaginary)
      power = power * step
    }
    let stride = power
    for start in Swift.stride(from: short, to: count, by: short) {
      let (a, b) = (Float(power.real), Float(power.imaginary))
      for k in 0..<min(short, count &- start) {
        re[start &+ k] = re[k] * a - im[k] * b
        im[start &+ k] = re[k] * b + im[k] * a
      }
      power = power * stride
    }
  }

  /// The same with re and im of an entry side by side.
  package static func fill(
    turns: Double, count: Int, interleaved: UnsafeMutablePointer<ComplexFloat>
  ) {
    let short = shortLength(count)
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * short) { row in
      let (re, im) = (row.baseAddress!, row.baseAddress! + short)
      fill(turns: turns, count: short, re: re, im: im)
      let stride = Complex<Double>(turns: turns * Double(short))
      var power = Complex<Double>(1)
      for start in Swift.stride(from: 0, to: count, by: short) {
        let (a, b) = (Float(power.real), Float(power.imaginary))
        for k in 0..<min(short, count &- start) {
          interleaved[start &+ k] = ComplexFloat(re[k] * a - im[k] * b, re[k] * b + im[k] * a)
        }
        power = power * stride
      }
    }
  }

  /// The power of two next to √count.
  private static func shortLength(_ count: Int) -> Int {
    1 << ((Int.bitWidth - max(count, 2).leadingZeroBitCount) / 2)
  }
}
