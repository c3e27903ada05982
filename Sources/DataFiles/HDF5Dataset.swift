import CHDF5

/// A dataset of a v7.3 file that has been found to be a readable numeric array.
///
/// Use only under `hdf5Lock`.
struct HDF5Dataset: ~Copyable {
  let info: ArrayInfo
  private let dataset: HDF5Handle
  private let space: HDF5Handle
  private let window: ByteWindow

  init(_ file: hid_t, _ name: String, _ window: ByteWindow) throws(DataFileError) {
    let object = try HDF5Handle(H5Oopen(file, name, 0), H5Oclose) {
      window.error(expected: "an HDF5 object", found: $0)
    }
    let isGroup = H5Iget_type(object.id) == H5I_GROUP
    let matlabClass = try Self.matlabClass(object.id, window)
    let classes =
      ["double", "single"]
      + ["", "u"].flatMap { sign in
        [8, 16, 32, 64].map { "\(sign)int\($0)" }
      }
    guard !isGroup, let matlabClass, classes.contains(matlabClass) else {
      let what = matlabClass.map { "MATLAB class '\(printable($0))'" }
      throw window.error(
        expected: "a MATLAB numeric array",
        found: what ?? "an HDF5 \(isGroup ? "group" : "object") without MATLAB_class")
    }
    let dataset = try HDF5Handle(H5Dopen2(file, name, 0), H5Dclose) {
      window.error(expected: "an HDF5 dataset", found: $0)
    }
    let space = try HDF5Handle(H5Dget_space(dataset.id), H5Sclose) {
      window.error(expected: "an HDF5 dataspace", found: $0)
    }
    guard H5Aexists(dataset.id, "MATLAB_empty") <= 0 else {
      throw window.error(expected: "an array with elements", found: "an empty MATLAB array")
    }
    let (type, isComplex) = try Self.type(dataset.id, window)
    let info = ArrayInfo(
      name: name, shape: try Self.shape(space.id, window), isComplex: isComplex,
      elementType: type)
    try Self.checkStorage(dataset.id, space.id, info, window)
    self.info = info
    self.dataset = dataset
    self.space = space
    self.window = window
  }

  /// The rows in `range` as native numbers in HDF5's order, the row being the last axis.
  func read(_ range: Range<Int>) throws(DataFileError) -> [UInt8] {
    let reversed = Array(info.shape.reversed()).map { hsize_t($0) }
    var start = [hsize_t](repeating: 0, count: reversed.count)
    var count = reversed
    start[start.count - 1] = hsize_t(range.lowerBound)
    count[count.count - 1] = hsize_t(range.count)
    let failure = { [window] in window.error(expected: "readable values", found: $0) }
    let memory = try HDF5Handle(
      H5Screate_simple(Int32(count.count), count, nil), H5Sclose, orThrow: failure)
    guard
      H5Sselect_hyperslab(space.id, H5S_SELECT_SET, start, nil, count, nil) >= 0
    else { throw failure(HDF5Handle.errorText()) }
    let type = try memoryType()
    let byteCount = count.reduce(info.bytesPerElement) { $0 * Int($1) }
    var status: herr_t = -1
    let bytes = [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, filled in
      // libhdf5 may leave bytes untouched when it fails.
      buffer.initialize(repeating: 0)
      status = H5Dread(dataset.id, type.id, memory.id, space.id, 0, buffer.baseAddress)
      filled = byteCount
    }
    guard status >= 0 else { throw failure(HDF5Handle.errorText()) }
    return bytes
  }

  /// The number type in memory; for complex arrays a pair of them.
  private func memoryType() throws(DataFileError) -> HDF5Handle {
    let failure = { [window] in window.error(expected: "a memory type", found: $0) }
    let native = Self.nativeType(info.elementType)
    guard info.isComplex else {
      return try HDF5Handle(H5Tcopy(native), H5Tclose, orThrow: failure)
    }
    let size = info.elementType.byteCount
    let pair = try HDF5Handle(
      H5Tcreate(H5T_COMPOUND, 2 * size), H5Tclose, orThrow: failure)
    guard H5Tinsert(pair.id, "real", 0, native) >= 0,
      H5Tinsert(pair.id, "imag", size, native) >= 0
    else { throw failure(HDF5Handle.errorText()) }
    return pair
  }

  /// Checks that the file can hold what the dataspace promises, before anything is allocated.
  private static func checkStorage(
    _ dataset: hid_t, _ space: hid_t, _ info: ArrayInfo, _ window: ByteWindow
  ) throws(DataFileError) {
    let plan = try HDF5Handle(H5Dget_create_plist(dataset), H5Pclose) {
      window.error(expected: "a dataset layout", found: $0)
    }
    let layout = H5Pget_layout(plan.id)
    guard layout == H5D_CHUNKED || layout == H5D_CONTIGUOUS || layout == H5D_COMPACT,
      H5Pget_external_count(plan.id) == 0
    else {
      throw window.error(expected: "values inside the file", found: "a virtual or external dataset")
    }
    let needed = ArrayShape.byteCount(info.shape, bytesPerElement: info.bytesPerElement) ?? Int.max
    let stored = H5Dget_storage_size(dataset)
    let expansion = layout == H5D_CHUNKED ? Inflater.largestExpansion : 1
    guard stored <= window.count, needed / expansion <= Int(stored) else {
      throw window.error(
        expected: "\(needed) bytes of values (\(ArrayShape.text(info.shape)))",
        found: "\(stored) bytes stored in a file of \(window.count)",
        hint: "the file is truncated or damaged")
    }
    if layout == H5D_CHUNKED { try checkChunks(plan.id, dataset, space, info, window) }
  }

  /// A missing chunk would read as zeros, an absurd one would be allocated whole.
  private static func checkChunks(
    _ plan: hid_t, _ dataset: hid_t, _ space: hid_t, _ info: ArrayInfo, _ window: ByteWindow
  ) throws(DataFileError) {
    var lengths = [hsize_t](repeating: 0, count: info.shape.count)
    var present: hsize_t = 0
    guard H5Pget_chunk(plan, Int32(lengths.count), &lengths) == lengths.count,
      !lengths.contains(0), H5Dget_num_chunks(dataset, space, &present) >= 0
    else { throw window.error(expected: "a chunked dataset", found: HDF5Handle.errorText()) }
    let chunk = ArrayShape.byteCount(
      lengths.map { Int(clamping: $0) }, bytesPerElement: info.bytesPerElement)
    guard let chunk, chunk / Inflater.largestExpansion <= window.count else {
      throw window.error(
        expected: "chunks that the file can hold",
        found: "chunks of \(ArrayShape.text(lengths.map { Int(clamping: $0) }))")
    }
    var expected: hsize_t = 1
    for (axis, chunkLength) in zip(info.shape.reversed(), lengths) {
      expected *= (hsize_t(axis) + chunkLength - 1) / chunkLength
    }
    guard present == expected else {
      throw window.error(
        expected: "\(expected) chunks of values", found: "\(present)",
        hint: "the file was not written to its end")
    }
  }

  private static func shape(
    _ space: hid_t, _ window: ByteWindow
  ) throws(DataFileError) -> [Int] {
    let rank = H5Sget_simple_extent_ndims(space)
    guard (1...32).contains(rank) else {
      throw window.error(expected: "1 to 32 axes", found: "\(rank)")
    }
    var lengths = [hsize_t](repeating: 0, count: Int(rank))
    guard H5Sget_simple_extent_dims(space, &lengths, nil) == rank else {
      throw window.error(expected: "axis lengths", found: HDF5Handle.errorText())
    }
    let shape = lengths.reversed().map { Int(clamping: $0) }
    guard ArrayShape.byteCount(shape, bytesPerElement: 16) != nil else {
      throw window.error(
        expected: "a shape that fits in memory", found: ArrayShape.text(shape))
    }
    return shape
  }

  private static func type(
    _ dataset: hid_t, _ window: ByteWindow
  ) throws(DataFileError) -> (ElementType, isComplex: Bool) {
    let failure = { window.error(expected: "a number type", found: $0) }
    let type = try HDF5Handle(H5Dget_type(dataset), H5Tclose, orThrow: failure)
    if H5Tget_class(type.id) != H5T_COMPOUND {
      guard let number = number(type.id) else { throw failure("another HDF5 type") }
      return (number, false)
    }
    let (realIndex, imaginaryIndex) = (
      H5Tget_member_index(type.id, "real"), H5Tget_member_index(type.id, "imag")
    )
    guard H5Tget_nmembers(type.id) == 2, realIndex >= 0, imaginaryIndex >= 0 else {
      throw failure("a compound type that is no (real, imag) pair")
    }
    let real = try HDF5Handle(
      H5Tget_member_type(type.id, UInt32(realIndex)), H5Tclose, orThrow: failure)
    let imaginary = try HDF5Handle(
      H5Tget_member_type(type.id, UInt32(imaginaryIndex)), H5Tclose, orThrow: failure)
    guard let number = number(real.id), number == Self.number(imaginary.id), !number.isInteger
    else { throw failure("a (real, imag) pair that is not of one floating-point type") }
    return (number, true)
  }

  private static func number(_ type: hid_t) -> ElementType? {
    let size = H5Tget_size(type)
    switch H5Tget_class(type) {
    case H5T_FLOAT: return size == 4 ? .float32 : size == 8 ? .float64 : nil
    case H5T_INTEGER:
      let isSigned = H5Tget_sign(type) != H5T_SGN_NONE
      return ElementType(rawValue: "\(isSigned ? "int" : "uint")\(size * 8)")
    default: return nil
    }
  }

  private static func nativeType(_ type: ElementType) -> hid_t {
    switch type {
    case .int8: shim_H5T_NATIVE_INT8()
    case .uint8: shim_H5T_NATIVE_UINT8()
    case .int16: shim_H5T_NATIVE_INT16()
    case .uint16: shim_H5T_NATIVE_UINT16()
    case .int32: shim_H5T_NATIVE_INT32()
    case .uint32: shim_H5T_NATIVE_UINT32()
    case .int64: shim_H5T_NATIVE_INT64()
    case .uint64: shim_H5T_NATIVE_UINT64()
    case .float32: shim_H5T_NATIVE_FLOAT()
    case .float64: shim_H5T_NATIVE_DOUBLE()
    case .float16, .bfloat16: preconditionFailure("no MATLAB class has this type")
    }
  }

  /// The text of the attribute `MATLAB_class`, whatever its padding; nil if there is none.
  private static func matlabClass(
    _ object: hid_t, _ window: ByteWindow
  ) throws(DataFileError) -> String? {
    guard H5Aexists(object, "MATLAB_class") > 0 else { return nil }
    let failure = { window.error(expected: "a text as MATLAB_class", found: $0) }
    let attribute = try HDF5Handle(
      H5Aopen(object, "MATLAB_class", 0), H5Aclose, orThrow: failure)
    let type = try HDF5Handle(H5Aget_type(attribute.id), H5Tclose, orThrow: failure)
    let space = try HDF5Handle(H5Aget_space(attribute.id), H5Sclose, orThrow: failure)
    let size = H5Tget_size(type.id)
    guard H5Tget_class(type.id) == H5T_STRING, H5Tis_variable_str(type.id) == 0,
      (1...64).contains(size), H5Sget_simple_extent_npoints(space.id) == 1
    else { throw failure("another type") }
    var bytes = [UInt8](repeating: 0, count: size)
    guard H5Aread(attribute.id, type.id, &bytes) >= 0 else {
      throw failure(HDF5Handle.errorText())
    }
    // Null-terminated, null-padded and space-padded texts all end at the first of these.
    return String(decoding: bytes.prefix { $0 != 0 && $0 != 0x20 }, as: UTF8.self)
  }
}
