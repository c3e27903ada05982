import CHDF5
import Foundation

/// Writes MATLAB v7.3 files: HDF5 behind a user block of 512 bytes, one chunked dataset in the root group for each array.
///
/// The axes are the reverse of MATLAB's; a chunk holds a run of rows and all of the other axes, so that rows are written
/// and read a chunk at a time. `MATLAB_class` is null-terminated as MATLAB writes it. Times are not recorded, so that equal
/// arrays give equal bytes.
final class MAT73Sink: ArraySink {
  private static let chunkByteCount = 1 << 20
  private static let userBlockSize = 512

  private let file: PartialFile
  /// Negative when closed.
  private var hdf5: hid_t = -1
  private var dataset: hid_t = -1
  private var buffer: RowBuffer?

  init(_ path: String, _ arrays: [ArrayInfo]) throws(DataFileError) {
    for array in arrays { try array.checkForMATLAB(path) }
    let file = try PartialFile(path)
    self.file = file
    hdf5 = try hdf5Lock.withLock { _ throws(DataFileError) in
      prepareHDF5()
      let failure = { Self.failure(path, nil, $0) }
      let plan = try HDF5Handle(H5Pcreate(shim_H5P_FILE_CREATE()), H5Pclose, orThrow: failure)
      let access = try HDF5Handle(H5Pcreate(shim_H5P_FILE_ACCESS()), H5Pclose, orThrow: failure)
      guard H5Pset_userblock(plan.id, hsize_t(Self.userBlockSize)) >= 0,
        H5Pset_file_locking(access.id, false, true) >= 0
      else { throw failure(HDF5Handle.errorText()) }
      let id = H5Fcreate(file.temporary, shim_H5F_ACC_TRUNC(), plan.id, access.id)
      guard id >= 0 else { throw failure(HDF5Handle.errorText()) }
      return id
    }
  }

  deinit {
    let (dataset, hdf5) = (dataset, hdf5)
    hdf5Lock.withLock { _ in
      if dataset >= 0 { H5Dclose(dataset) }
      if hdf5 >= 0 { H5Fclose(hdf5) }
    }
  }

  func begin(_ array: ArrayInfo) throws(DataFileError) {
    let rowSize = array.valuesPerRow * array.writtenType.byteCount
    let rows = min(max(1, Self.chunkByteCount / max(rowSize, 1)), array.rowCount)
    let shape = array.matlabShape.reversed().map { hsize_t($0) }
    let chunk = shape.dropLast() + [hsize_t(rows)]
    let (hdf5, path) = (hdf5, file.path)
    dataset = try hdf5Lock.withLock { _ throws(DataFileError) in
      let failure = { Self.failure(path, array.name, $0) }
      let type = try Self.type(array, failure)
      let space = try HDF5Handle(
        H5Screate_simple(Int32(shape.count), shape, nil), H5Sclose, orThrow: failure)
      let plan = try HDF5Handle(H5Pcreate(shim_H5P_DATASET_CREATE()), H5Pclose, orThrow: failure)
      guard H5Pset_chunk(plan.id, Int32(chunk.count), Array(chunk)) >= 0,
        H5Pset_obj_track_times(plan.id, false) >= 0
      else { throw failure(HDF5Handle.errorText()) }
      let id = H5Dcreate2(hdf5, array.name ?? "", type.id, space.id, 0, plan.id, 0)
      guard id >= 0 else { throw failure(HDF5Handle.errorText()) }
      do throws(DataFileError) {
        try Self.writeClass(of: array, to: id, failure)
      } catch {
        H5Dclose(id)
        throw error
      }
      return id
    }
    buffer = RowBuffer(array, rowsPerPiece: rows)
  }

  func append(_ array: ArrayInfo, _ values: NumericArray.Values) throws(DataFileError) {
    let (dataset, path) = (dataset, file.path)
    let stride = buffer!.rowsPerPiece
    let leading = [hsize_t](repeating: 0, count: array.matlabShape.count - 1)
    try buffer!.append(values) { firstRow, rows, values throws(DataFileError) in
      let chunk = values.columns(of: array, rows: rows, stride: stride)
      try hdf5Lock.withLock { _ throws(DataFileError) in
        errno = 0
        guard
          H5Dwrite_chunk(dataset, 0, 0, leading + [hsize_t(firstRow)], chunk.count, chunk) >= 0
        else { throw Self.writeFailure(path, array.name) }
      }
    }
  }

  func end() throws(DataFileError) {
    let id = dataset
    dataset = -1
    buffer = nil
    try close { H5Dclose(id) }
  }

  func finish() throws(DataFileError) {
    let id = hdf5
    hdf5 = -1
    try close { H5Fclose(id) }
    let text = Array("MATLAB 7.3 MAT-file, written by csilink HDF5 schema 1.00 .".utf8)
    let padding = [UInt8](repeating: 0x20, count: 116 - text.count)
    try file.write(text + padding + littleEndian(0, 8) + [0, 2, 0x49, 0x4D], at: 0)
    try file.finish()
  }

  /// libhdf5 writes what it held back when it closes.
  private func close(_ body: @Sendable () -> herr_t) throws(DataFileError) {
    let path = file.path
    try hdf5Lock.withLock { _ throws(DataFileError) in
      errno = 0
      guard body() >= 0 else { throw Self.writeFailure(path, nil) }
    }
  }

  /// The little-endian number type, or a pair `real`, `imag` of it.
  private static func type(
    _ array: ArrayInfo, _ failure: (String) -> DataFileError
  ) throws(DataFileError) -> HDF5Handle {
    let element = array.writtenType
    let kind = element.isInteger ? H5T_INTEGER : H5T_FLOAT
    let isSigned = !element.rawValue.hasPrefix("u")
    let number = shim_standard_type(kind, element.byteCount, isSigned ? 1 : 0, 0)
    guard array.isComplex else {
      return try HDF5Handle(H5Tcopy(number), H5Tclose, orThrow: failure)
    }
    let pair = try HDF5Handle(
      H5Tcreate(H5T_COMPOUND, 2 * element.byteCount), H5Tclose, orThrow: failure)
    guard H5Tinsert(pair.id, "real", 0, number) >= 0,
      H5Tinsert(pair.id, "imag", element.byteCount, number) >= 0
    else { throw failure(HDF5Handle.errorText()) }
    return pair
  }

  private static func writeClass(
    of array: ArrayInfo, to dataset: hid_t, _ failure: (String) -> DataFileError
  ) throws(DataFileError) {
    let name =
      switch array.writtenType {
      case .float64: "double"
      case .float32, .float16, .bfloat16: "single"
      default: array.writtenType.rawValue
      }
    let type = try HDF5Handle(H5Tcopy(shim_H5T_C_S1()), H5Tclose, orThrow: failure)
    let space = try HDF5Handle(H5Screate(H5S_SCALAR), H5Sclose, orThrow: failure)
    guard H5Tset_size(type.id, name.utf8.count) >= 0 else {
      throw failure(HDF5Handle.errorText())
    }
    let attribute = try HDF5Handle(
      H5Acreate2(dataset, "MATLAB_class", type.id, space.id, 0, 0), H5Aclose, orThrow: failure)
    guard H5Awrite(attribute.id, type.id, Array(name.utf8)) >= 0 else {
      throw failure(HDF5Handle.errorText())
    }
  }

  /// The system's reason if the disk or a limit is full, else libhdf5's.
  private static func writeFailure(_ path: String, _ variable: String?) -> DataFileError {
    let number = errno
    guard [EFBIG, ENOSPC, EDQUOT, EIO].contains(number) else {
      return failure(path, variable, HDF5Handle.errorText())
    }
    return DataFileError(
      file: path, variable: variable, expected: "room to write",
      found: String(cString: strerror(number)))
  }

  private static func failure(_ path: String, _ variable: String?, _ found: String)
    -> DataFileError
  {
    DataFileError(
      file: path, variable: variable, expected: "a v7.3 file that libhdf5 can write", found: found)
  }
}
