/// A map with a halo of zeros as wide as the kernel reaches.
struct PaddedGeometry: Sendable {
  let height, width: Int
  let kernel: KernelSize

  var pitch: Int { width + kernel.width - 1 }
  var plane: Int { (height + kernel.height - 1) * pitch }
  /// Offset of the first value inside the halo.
  var origin: Int { kernel.height / 2 * pitch + kernel.width / 2 }

  /// Tap offsets over channels, kernel rows and columns, from the corner of the halo.
  func taps(channels: Range<Int>) -> [Int] {
    channels.flatMap { channel in
      (0..<kernel.height).flatMap { row in
        (0..<kernel.width).map { channel * plane + row * pitch + $0 }
      }
    }
  }
}
