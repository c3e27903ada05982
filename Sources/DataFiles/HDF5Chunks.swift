import CHDF5

/// The grid of chunks of a dataset and the filters they passed through when written.
///
/// Chunks are taken raw from libhdf5 and decoded here with every size checked. Axes are HDF5's. A chunk that was never
/// written reads as the dataset's fill value.
struct HDF5Chunks: Sendable, Equatable {
  enum Filter: Sendable, Equatable {
    case deflate
    case shuffle
    case fletcher32
  }

  /// Length of the dataset along each axis.
  let lengths: [Int]
  /// Length of a chunk along each axis.
  let chunk: [Int]
  /// Filters in the order in which they were applied.
  let filters: [Filter]
  /// How many chunks were never written.
  let missing: Int
  /// Bytes of an element of those.
  private let fill: [UInt8]
  private let bytesPerElement: Int

  /// A smaller number of chunks is taken for possible whatever the size of the file, as some may be missing.
  private static let plausibleCount = 1 << 20

  /// Bytes of a decoded chunk.
  private var byteCount: Int { chunk.reduce(bytesPerElement, *) }

  init(
    _ dataset: hid_t, _ space: hid_t, _ plan: hid_t, _ lengths: [Int], _ bytesPerElement: Int,
    _ window: ByteWindow
  ) throws(DataFileError) {
    (self.lengths, self.bytesPerElement) = (lengths, bytesPerElement)
    var sizes = [hsize_t](repeating: 0, count: lengths.count)
    guard H5Pget_chunk(plan, Int32(sizes.count), &sizes) == sizes.count, !sizes.contains(0) else {
      throw window.error(expected: "the size of chunks", found: HDF5Handle.errorText())
    }
    chunk = sizes.map { Int(clamping: $0) }
    let limit = Inflater.largestExpansion * window.count
    guard let count = ArrayShape.byteCount(chunk, bytesPerElement: bytesPerElement), count <= limit
    else {
      throw window.error(
        expected: "chunks that the file can hold", found: "chunks of \(ArrayShape.text(chunk))")
    }
    filters = try Self.filters(plan, bytesPerElement, window)
    var expected: hsize_t = 1
    for (length, size) in zip(lengths, chunk) { expected *= hsize_t((length - 1) / size + 1) }
    // Every chunk that was written takes a few bytes of index at least.
    guard expected <= max(window.count, Self.plausibleCount) else {
      throw window.error(
        expected: "a number of chunks that the file can hold", found: "\(expected)")
    }
    var present: hsize_t = 0
    guard H5Dget_num_chunks(dataset, space, &present) >= 0 else {
      throw window.error(expected: "an index of chunks", found: HDF5Handle.errorText())
    }
    guard (1...expected).contains(present) else {
      throw window.error(
        expected: "\(expected) chunks of values", found: present == 0 ? "none" : "\(present)",
        hint: "the file was not written to its end or is damaged")
    }
    missing = Int(expected - present)
    fill = missing > 0 ? try Self.fill(dataset, plan, bytesPerElement, window) : []
  }

  /// The bytes of the fill value, in the type of the file.
  private static func fill(
    _ dataset: hid_t, _ plan: hid_t, _ bytesPerElement: Int, _ window: ByteWindow
  ) throws(DataFileError) -> [UInt8] {
    let failure = { window.error(expected: "a fill value", found: $0) }
    var status = H5D_FILL_VALUE_UNDEFINED
    var bytes = [UInt8](repeating: 0, count: bytesPerElement)
    guard H5Pfill_value_defined(plan, &status) >= 0 else { throw failure(HDF5Handle.errorText()) }
    guard status == H5D_FILL_VALUE_USER_DEFINED else { return bytes }
    let type = try HDF5Handle(H5Dget_type(dataset), H5Tclose, orThrow: failure)
    guard H5Tget_size(type.id) == bytes.count, H5Pget_fill_value(plan, type.id, &bytes) >= 0 else {
      throw failure(HDF5Handle.errorText())
    }
    return bytes
  }

  private static func filters(
    _ plan: hid_t, _ bytesPerElement: Int, _ window: ByteWindow
  ) throws(DataFileError) -> [Filter] {
    var filters: [Filter] = []
    for index in 0..<max(0, H5Pget_nfilters(plan)) {
      var flags: UInt32 = 0
      var configuration: UInt32 = 0
      var values = [UInt32](repeating: 0, count: 8)
      var valueCount = values.count
      let id = H5Pget_filter2(
        plan, UInt32(index), &flags, &valueCount, &values, 0, nil, &configuration)
      switch id {
      case H5Z_FILTER_DEFLATE where !filters.contains(.deflate): filters.append(.deflate)
      case H5Z_FILTER_SHUFFLE where valueCount > 0 && Int(values[0]) == bytesPerElement:
        filters.append(.shuffle)
      case H5Z_FILTER_FLETCHER32: filters.append(.fletcher32)
      default:
        throw window.error(
          expected: "the filters gzip, shuffle and Fletcher-32", found: "filter \(id)",
          hint: "save the file with gzip or without compression")
      }
    }
    return filters
  }

  /// Calls `body` with the corner and the decoded bytes of every chunk that has entries in `box`, a range along each axis.
  ///
  /// Use only under `hdf5Lock`.
  func forEach(
    in box: [Range<Int>], _ dataset: hid_t, _ window: ByteWindow,
    _ body: (_ corner: [Int], _ bytes: [UInt8]) throws(DataFileError) -> Void
  ) throws(DataFileError) {
    let first = zip(box, chunk).map { $0.lowerBound / $1 * $1 }
    var corner = first
    while true {
      try body(corner, try decoded(corner, dataset, window))
      var axis = lengths.count - 1
      while axis >= 0 {
        corner[axis] += chunk[axis]
        if corner[axis] < box[axis].upperBound { break }
        corner[axis] = first[axis]
        axis -= 1
      }
      if axis < 0 { return }
    }
  }

  private func decoded(
    _ corner: [Int], _ dataset: hid_t, _ window: ByteWindow
  ) throws(DataFileError) -> [UInt8] {
    let offset = corner.map { hsize_t($0) }
    let failure = { window.error(expected: "chunk \(corner)", found: $0) }
    // What the index says is what H5Dread_chunk writes; H5Dget_chunk_storage_size answers with the size that a chunk without
    // filters should have.
    var (mask, address, storedCount) = (UInt32(0), haddr_t(0), hsize_t(0))
    guard H5Dget_chunk_info_by_coord(dataset, offset, &mask, &address, &storedCount) >= 0 else {
      throw failure(HDF5Handle.errorText())
    }
    if storedCount == 0, missing > 0 {
      return (0..<byteCount / bytesPerElement).flatMap { _ in fill }
    }
    guard storedCount > 0, storedCount <= window.count else {
      throw failure("\(storedCount) bytes in a file of \(window.count)")
    }
    var bytes = [UInt8](repeating: 0, count: Int(storedCount))
    var skipped: UInt32 = 0
    guard H5Dread_chunk(dataset, 0, offset, &skipped, &bytes) >= 0 else {
      throw failure(HDF5Handle.errorText())
    }
    let applied = filters.enumerated().filter { skipped >> UInt32($0.offset) & 1 == 0 }.map(
      \.element)
    // Each checksum adds 4 bytes to what the filters after it see.
    for (index, filter) in applied.enumerated().reversed() {
      switch filter {
      case .fletcher32:
        guard let checked = Fletcher32.checked(bytes) else {
          throw failure("a wrong Fletcher-32 checksum")
        }
        bytes = checked
      case .deflate:
        let checksums = applied[..<index].count { $0 == .fletcher32 }
        var input = ByteWindow(path: window.path, inflated: bytes)
        input.variable = window.variable
        let inflated = try Inflater(input: input, wrapper: .zlib).all(
          count: byteCount + 4 * checksums)
        bytes = try inflated.bytes(at: 0, count: inflated.count, of: "chunk")
      case .shuffle: bytes = unshuffled(bytes)
      }
    }
    guard bytes.count == byteCount else {
      throw failure("\(bytes.count) bytes where \(byteCount) belong")
    }
    return bytes
  }

  /// Brings the bytes of each element together again; bytes after the last whole element stay.
  private func unshuffled(_ bytes: [UInt8]) -> [UInt8] {
    let count = bytes.count / bytesPerElement
    var result = bytes
    bytes.withUnsafeBufferPointer { from in
      result.withUnsafeMutableBufferPointer { to in
        for part in 0..<bytesPerElement {
          for element in 0..<count {
            to[element * bytesPerElement + part] = from[part * count + element]
          }
        }
      }
    }
    return result
  }
}

/// HDF5's Fletcher-32: sums modulo 65535 of big-endian 16-bit words, stored behind the data.
///
/// Reference: J. G. Fletcher, *An arithmetic checksum for serial transmissions*, 1982; word order and
/// padding of an odd byte as in the HDF5 library's `H5_checksum_fletcher32`.
enum Fletcher32 {
  /// The data without its checksum, or nil if the checksum is wrong or missing.
  static func checked(_ bytes: [UInt8]) -> [UInt8]? {
    guard bytes.count >= 4 else { return nil }
    let data = bytes.dropLast(4)
    let stored = bytes.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return sum(data) == stored ? Array(data) : nil
  }

  static func sum(_ data: ArraySlice<UInt8>) -> UInt32 {
    var (low, high) = (UInt64(0), UInt64(0))
    data.withUnsafeBufferPointer { data in
      var position = 0
      while position < data.count {
        // Short enough that the sums cannot overflow before they are reduced.
        let end = min(position + 1 << 16, data.count)
        while position < end {
          let next = position + 1 < data.count ? UInt64(data[position + 1]) : 0
          low += UInt64(data[position]) << 8 | next
          high += low
          position += 2
        }
        low = folded(low)
        high = folded(high)
      }
    }
    return UInt32(high) << 16 | UInt32(low)
  }

  /// The sum modulo 65535 in the range 1...65535, or 0 for 0, as repeated end-around carry gives.
  private static func folded(_ sum: UInt64) -> UInt64 {
    sum == 0 ? 0 : (sum - 1) % 65535 + 1
  }
}
