import CKernels
import Foundation

/// Floats at a fixed address, zero at first, readable a little past the end as the kernels require.
final class FloatMemory: @unchecked Sendable {
  // Sendable: users write to disjoint parts, or one after another across the regions of a worker pool.
  let pointer: UnsafeMutablePointer<Float>
  let count: Int
  private static let largePage = 2 << 20

  init(_ count: Int) {
    self.count = count
    let size = (count + Int(CONV_OVERREAD)) * MemoryLayout<Float>.stride
    let isLarge = size >= FloatMemory.largePage
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: size, alignment: isLarge ? FloatMemory.largePage : 64)
    #if os(Linux)
      if isLarge { madvise(raw, size, Int32(MADV_HUGEPAGE)) }
    #endif
    raw.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    pointer = raw.assumingMemoryBound(to: Float.self)
  }

  convenience init(_ values: [Float]) {
    self.init(values.count)
    write(values)
  }

  deinit { UnsafeMutableRawPointer(pointer).deallocate() }

  func write(_ values: [Float]) {
    precondition(values.count <= count)
    values.withUnsafeBufferPointer {
      if let base = $0.baseAddress { pointer.update(from: base, count: values.count) }
    }
  }

  func fill(_ value: Float) { pointer.update(repeating: value, count: count) }

  var buffer: UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: pointer, count: count)
  }

  var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}

/// Integers at a fixed address, zero at first.
final class IntegerMemory<Integer: FixedWidthInteger & Sendable>: @unchecked Sendable {
  // Sendable: written while a step is made, read afterwards.
  let pointer: UnsafeMutablePointer<Integer>
  let count: Int

  init(_ count: Int) {
    self.count = count
    let raw = UnsafeMutableRawPointer.allocate(
      byteCount: max(count, 1) * MemoryLayout<Integer>.stride, alignment: 64)
    pointer = raw.bindMemory(to: Integer.self, capacity: count)
    pointer.initialize(repeating: 0, count: count)
  }

  deinit { UnsafeMutableRawPointer(pointer).deallocate() }
}

/// Integers at a fixed address: tap and channel offsets.
final class OffsetTable: @unchecked Sendable {
  // Sendable: never written after initialisation.
  let pointer: UnsafeMutablePointer<Int>
  let count: Int

  init(_ values: [Int]) {
    count = values.count
    pointer = .allocate(capacity: max(values.count, 1))
    pointer.initialize(from: values, count: values.count)
  }

  deinit { pointer.deallocate() }
}

/// The kernel table of the running machine.
struct Kernels: @unchecked Sendable {
  // Sendable: a table of functions in read-only memory.
  let table: kernel_table

  init(_ pointer: UnsafePointer<kernel_table>) { table = pointer.pointee }

  static let best = Kernels(kernels())
}
