import ComplexModule
import LinkMath

/// Between the CSI of a link and the images that the networks of the field work on.
///
/// A link holds complex CSI `[drop, delay, angle]`; a network holds `[drop, 2, angle, delay]`, the real and the imaginary
/// plane, as `0.5 + 0.5 · value`, so that CSI of largest modulus 1 lies in [0, 1] and no energy is 0.5.
///
/// Reference: C.-K. Wen, W.-T. Shih, S. Jin, IEEE Wireless Commun. Lett. 7 (2018) 748, public data set.
package enum CSIImages {
  /// - Parameter csi: normalised CSI [drop, delay, angle].
  /// - Returns: [drop, 2, angle, delay].
  /// - Complexity: one pass over the values.
  package static func images(_ csi: ComplexArray) -> RealArray {
    let (drops, taps, angles) = (csi.shape[0], csi.shape[1], csi.shape[2])
    let plane = taps * angles
    var images = RealArray(uninitialized: [drops, 2, angles, taps])
    csi.withUnsafeElements { csi in
      images.withUnsafeMutableElements { images in
        for drop in 0..<drops {
          for angle in 0..<angles {
            for tap in 0..<taps {
              let value = csi[drop * plane + tap * angles + angle]
              let position = 2 * drop * plane + angle * taps + tap
              images[position] = 0.5 + 0.5 * value.real
              images[position + plane] = 0.5 + 0.5 * value.imaginary
            }
          }
        }
      }
    }
    return images
  }

  /// The inverse of ``images(_:)``.
  ///
  /// - Parameter images: [drop, 2, angle, delay].
  /// - Returns: CSI [drop, delay, angle].
  package static func csi(_ images: RealArray) -> ComplexArray {
    let (drops, angles, taps) = (images.shape[0], images.shape[2], images.shape[3])
    let plane = taps * angles
    var csi = ComplexArray(uninitialized: [drops, taps, angles])
    images.withUnsafeElements { images in
      csi.withUnsafeMutableElements { csi in
        for drop in 0..<drops {
          for angle in 0..<angles {
            for tap in 0..<taps {
              let position = 2 * drop * plane + angle * taps + tap
              csi[drop * plane + tap * angles + angle] = ComplexFloat(
                2 * (images[position] - 0.5), 2 * (images[position + plane] - 0.5))
            }
          }
        }
      }
    }
    return csi
  }
}
