import ComplexModule
import LinkMath

/// Complex CSI as real vectors: the plane of real parts, then the plane of imaginary parts.
package enum RealPlanes {
  /// - Parameter csi: [drop, delay, angle], or any shape that starts with the drop.
  /// - Returns: [drop, 2 · delay · angle].
  package static func split(_ csi: ComplexArray) -> RealArray {
    let (drops, half) = (csi[dimension: 0], csi.rowStride)
    var rows = RealArray(uninitialized: [drops, 2 * half])
    csi.withUnsafeElements { source in
      rows.withUnsafeMutableElements { target in
        for drop in 0..<drops {
          for i in 0..<half {
            let value = source[drop * half + i]
            target[2 * drop * half + i] = value.real
            target[(2 * drop + 1) * half + i] = value.imaginary
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
          for i in 0..<half {
            target[drop * half + i] = ComplexFloat(
              source[2 * drop * half + i], source[(2 * drop + 1) * half + i])
          }
        }
      }
    }
    return csi
  }
}
