import CKernels

/// A map with a halo of zeros as wide as the kernel reaches.
struct PaddedGeometry: Sendable {
  let height, width: Int
  let kernel: KernelSize
  let dilation: Int

  init(_ layer: Convolution, height: Int, width: Int) {
    self.height = height
    self.width = width
    (kernel, dilation) = (layer.kernel, layer.dilation)
  }

  var pitch: Int { width + dilation * (kernel.width - 1) }
  var plane: Int { (height + dilation * (kernel.height - 1)) * pitch }
  /// Offset of the first value inside the halo.
  var origin: Int { dilation * (kernel.height / 2 * pitch + kernel.width / 2) }

  /// Tap offsets over channels, kernel rows and columns, from the corner of the halo.
  func taps(channels: Range<Int>) -> [Int] {
    channels.flatMap { channel in
      (0..<kernel.height).flatMap { row in
        (0..<kernel.width).map { channel * plane + dilation * (row * pitch + $0) }
      }
    }
  }

  /// A layer's convolution, or its transpose: the inputs of one group, the outputs of all.
  func convolution(_ layer: Convolution, inputs: Int, outputs: Int, taps: OffsetTable) -> conv_shape
  {
    conv_shape(
      height: height, width: width, tap_count: inputs * kernel.area, kernel_rows: kernel.height,
      kernel_columns: kernel.width, row_dilation: dilation, group_count: layer.groups,
      channels_per_group: outputs / layer.groups, taps: UnsafePointer(taps.pointer))
  }

  /// Packed weights of such a convolution.
  func packedCount(_ layer: Convolution, inputs: Int, outputs: Int) -> Int {
    var shape = convolution(layer, inputs: inputs, outputs: outputs, taps: OffsetTable([]))
    return outputs * conv_packed_taps(&shape)
  }
}
