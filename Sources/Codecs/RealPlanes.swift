import ComplexModule
import LinkMath

/// Complex CSI as real vectors: the plane of real parts, then the plane of imaginary parts.
package enum RealPlanes {
  /// - Parameter csi: [drop, delay, angle], or any shape that starts with the drop.
  /// - Returns: [drop, 2 · delay · angle].
  package static func split(_ csi: ComplexArray) -> RealArray {
    let (drops, half) = (csi[dimension: 0], csi.rowStride)
    var rows = RealArray(uninitialized: [drops, 2 * half])
    csi.withUnsafeFloats { source in
      rows.withUnsafeMutableElements { target in
        for drop in 0..<drops {
          let (values, re) = (source + 2 * drop * half, target.baseAddress! + 2 * drop * half)
          let im = re + half
          for i in 0..<half {
            let (x, y) = (values[2 * i], values[2 * i + 1])
            // Zero, or NaN in both planes if one part is not finite.
            let finite = 0 * x + 0 * y
            (re[i], im[i]) = (x + finite, y + finite)
          }
        }
      }
    }
    return rows
  }

  /// The inverse of ``split(_:)``.
  ///
  /// - Parameter rows: [drop, 2 · taps · angles].
  /// - Returns: [drop, delay, angle].
  package static func merge(_ rows: RealArray, taps: Int, angles: Int) -> ComplexArray {
    let (drops, half) = (rows[dimension: 0], taps * angles)
    rows.requireShape([nil, 2 * half], "[drop, 2 · delay · angle]")
    var csi = ComplexArray(uninitialized: [drops, taps, angles])
    rows.withUnsafeElements { source in
      csi.withUnsafeMutableElements { target in
        for drop in 0..<drops {
          let values = target.baseAddress! + drop * half
          let re = source.baseAddress! + 2 * drop * half
          let im = re + half
          for i in 0..<half { values[i] = ComplexFloat(re[i], im[i]) }
        }
      }
    }
    return csi
  }
}
