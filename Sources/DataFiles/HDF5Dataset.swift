import CHDF5

/// What a dataset of an HDF5 file is and where its values lie.
///
/// With the attribute `MATLAB_class` it is a variable of MATLAB, whose axes HDF5 lists in reverse; without it the axes are
/// HDF5's own, as h5py has them.
///
/// libhdf5 only interprets the file's structure: tested with damaged files, its reading of values
/// ran past buffers (chunks that inflate to less than their size, members outside their compound).
struct HDF5Dataset: Sendable, Equatable {
  enum Layout: Sendable, Equatable {
    /// One run of bytes from this offset of the file.
    case contiguous(offset: Int)
    /// Values in the object's header.
    case compact([UInt8])
    case chunked(HDF5Chunks)
  }

  let info: ArrayInfo
  let number: HDF5Number
  let layout: Layout
  /// Whether the axes are in reverse of HDF5's.
  let isReversed: Bool
  /// Path of the dataset in the file.
  let path: String

  private static let numericClasses: Set<String> = [
    "double", "single", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
    "logical",
  ]

  /// Looks at the object at a path of an open file; `window` has the name of the variable. Use only under `hdf5Lock`.
  init(
    _ file: hid_t, _ path: String, _ window: ByteWindow, base: Int
  ) throws(DataFileError) {
    try HDF5ObjectHeader.check(file, path, window, base: base)
    let object = try HDF5Handle(H5Oopen(file, path, 0), H5Oclose) {
      window.error(expected: "an HDF5 object", found: $0)
    }
    let isDataset = H5Iget_type(object.id) == H5I_DATASET
    let matlabClass = try Self.matlabClass(object.id, window)
    guard isDataset, matlabClass.map(Self.numericClasses.contains) ?? true else {
      throw window.error(
        expected: "an array of numbers",
        found: matlabClass.map { "MATLAB class '\(printable($0))'" } ?? "an HDF5 object",
        hint: matlabClass == "cell" ? "in MATLAB, save it as H = cat(3, c{:})" : nil)
    }
    isReversed = matlabClass != nil
    self.path = path
    guard H5Aexists(object.id, "MATLAB_empty") <= 0 else {
      throw window.error(expected: "an array with elements", found: "an empty MATLAB array")
    }
    let space = try HDF5Handle(H5Dget_space(object.id), H5Sclose) {
      window.error(expected: "an HDF5 dataspace", found: $0)
    }
    number = try HDF5Number(dataset: object.id, window)
    let lengths = try Self.lengths(space.id, window)
    info = ArrayInfo(
      name: window.variable, shape: isReversed ? lengths.reversed() : lengths,
      isComplex: number.isComplex, elementType: number.type)
    layout = try Self.layout(object.id, space.id, info, lengths, window)
  }

  private static func lengths(
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
    let shape = lengths.map { Int(clamping: $0) }
    guard !shape.contains(0), ArrayShape.byteCount(shape, bytesPerElement: 16) != nil else {
      throw window.error(
        expected: "a shape that has elements and fits in memory", found: ArrayShape.text(shape))
    }
    return shape
  }

  /// Finds the values; nothing is taken for granted about their number.
  private static func layout(
    _ dataset: hid_t, _ space: hid_t, _ info: ArrayInfo, _ lengths: [Int], _ window: ByteWindow
  ) throws(DataFileError) -> Layout {
    let plan = try HDF5Handle(H5Dget_create_plist(dataset), H5Pclose) {
      window.error(expected: "a dataset layout", found: $0)
    }
    let byteCount = info.shape.reduce(info.bytesPerElement, *)
    let stored = H5Dget_storage_size(dataset)
    switch H5Pget_layout(plan.id) {
    case H5D_CHUNKED:
      return .chunked(
        try HDF5Chunks(dataset, space, plan.id, lengths, info.bytesPerElement, window))
    case H5D_CONTIGUOUS:
      let offset = H5Dget_offset(dataset)
      guard offset <= hsize_t(window.count), stored == byteCount else {
        throw window.error(
          expected: "\(byteCount) bytes of values (\(ArrayShape.text(info.shape)))",
          found: "\(stored)", hint: "the file was not written to its end or is damaged")
      }
      _ = try window.part(at: Int(offset), count: byteCount, of: "values")
      return .contiguous(offset: Int(offset))
    case H5D_COMPACT where stored == byteCount && byteCount < 1 << 16:
      let type = try HDF5Handle(H5Dget_type(dataset), H5Tclose) {
        window.error(expected: "a number type", found: $0)
      }
      var bytes = [UInt8](repeating: 0, count: byteCount)
      // The type in memory is that of the file: nothing is converted.
      guard H5Dread(dataset, type.id, 0, 0, 0, &bytes) >= 0 else {
        throw window.error(expected: "readable values", found: HDF5Handle.errorText())
      }
      return .compact(bytes)
    default:
      throw window.error(
        expected: "values in the file", found: "a damaged dataset layout")
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
      (1...64).contains(size), H5Sget_simple_extent_npoints(space.id) == 1,
      H5Aget_storage_size(attribute.id) == size
    else { throw failure("another type") }
    var bytes = [UInt8](repeating: 0, count: size)
    guard H5Aread(attribute.id, type.id, &bytes) >= 0 else {
      throw failure(HDF5Handle.errorText())
    }
    // Null-terminated, null-padded and space-padded texts all end at the first of these.
    return String(decoding: bytes.prefix { $0 != 0 && $0 != 0x20 }, as: UTF8.self)
  }
}
