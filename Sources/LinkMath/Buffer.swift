import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Memory of one array, aligned for vector instructions and FFTW, recycled when the last owner lets go.
///
/// Arrays of a drop block are a few megabytes; handing them back to the kernel after each stage would cost a page
/// fault per 4 KiB on the next one, as much time as the arithmetic.
final class Buffer: @unchecked Sendable {
  // Sendable: the bytes are written only through arrays that own the buffer uniquely (copy on write).
  let pointer: UnsafeMutableRawPointer
  let capacity: Int
  static let alignment = 64

  init(byteCount: Int) {
    capacity = Buffer.roundedCapacity(byteCount)
    pointer = BufferCache.shared.take(capacity) ?? Buffer.allocate(capacity)
  }

  deinit { BufferCache.shared.giveBack(pointer, capacity) }

  private static func allocate(_ capacity: Int) -> UnsafeMutableRawPointer {
    UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: alignment)
  }

  /// Sizes in steps of an eighth of a power of two, so that similar arrays reuse each other's memory.
  private static func roundedCapacity(_ byteCount: Int) -> Int {
    let wanted = max(byteCount, 256)
    let step = max(256, 1 << (Int.bitWidth - wanted.leadingZeroBitCount - 4))
    return (wanted + step - 1) / step * step
  }
}

/// Released buffers by size, bounded in total.
private final class BufferCache: Sendable {
  static let shared = BufferCache()
  private struct State: ~Copyable {
    var free: [Int: [UInt]] = [:]
    var bytes = 0
  }
  private let state = Mutex(State())
  private static let limit = 96 << 20

  func take(_ capacity: Int) -> UnsafeMutableRawPointer? {
    state.withLock { state in
      guard let address = state.free[capacity]?.popLast() else { return nil }
      state.bytes -= capacity
      return UnsafeMutableRawPointer(bitPattern: address)
    }
  }

  func giveBack(_ pointer: UnsafeMutableRawPointer, _ capacity: Int) {
    let address = UInt(bitPattern: pointer)
    let kept = state.withLock { state in
      guard state.bytes + capacity <= BufferCache.limit else { return false }
      state.free[capacity, default: []].append(address)
      state.bytes += capacity
      return true
    }
    if !kept { pointer.deallocate() }
  }
}
