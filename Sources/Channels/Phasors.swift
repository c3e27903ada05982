import ComplexModule
import LinkMath
import RealModule

extension Complex where RealType == Double {
  /// `exp(j 2π turns)`; whole turns are dropped first, so large arguments keep their precision.
  package init(turns: Double) {
    let angle = 2 * Double.pi * (turns - turns.rounded())
    self.init(Double.cos(angle), Double.sin(angle))
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
