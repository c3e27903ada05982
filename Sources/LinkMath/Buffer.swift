import CKernels

/// Memory of one array, aligned for vector instructions and FFTW, recycled when the last owner lets go.
///
/// Arrays of a few drops are hundreds of kilobytes; handing them back to the kernel after each stage would cost a page
/// fault per 4 KiB on the next one, as much time as the arithmetic. Each thread recycles its own, which are in its cache.
final class Buffer: @unchecked Sendable {
  // Sendable: the bytes are written only through arrays that own the buffer uniquely (copy on write).
  let pointer: UnsafeMutableRawPointer
  private let capacity: Int

  init(byteCount: Int) {
    capacity = Buffer.roundedCapacity(byteCount)
    guard let memory = csk_buffer_take(capacity) else {
      preconditionFailure("out of memory: \(capacity) bytes")
    }
    pointer = memory
  }

  deinit { csk_buffer_release(pointer, capacity) }

  /// Sizes in steps of an eighth of a power of two, so that similar arrays reuse each other's memory.
  private static func roundedCapacity(_ byteCount: Int) -> Int {
    let wanted = max(byteCount, 256)
    let step = max(256, 1 << (Int.bitWidth - wanted.leadingZeroBitCount - 4))
    return (wanted + step - 1) / step * step
  }
}
