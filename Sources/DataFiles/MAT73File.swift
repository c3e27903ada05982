import CHDF5

/// A MATLAB v7.3 file: HDF5 datasets in the root group with the attribute `MATLAB_class`.
///
/// The file is opened anew for each read, under one lock, so that nothing of libhdf5 outlives a
/// call. HDF5 lists the axes in reverse of MATLAB. The attribute's padding (null-terminated as
/// MATLAB writes it, null-padded as hdf5storage does) does not matter. External links, external raw
/// data, virtual datasets and filter plug-ins are refused: they would read other files.
struct MAT73File: ArrayContainer {
  /// More objects in the root group are taken for damage.
  private static let largestLinkCount = 100_000

  let entries: [ArrayEntry]
  private let window: ByteWindow

  init(_ window: ByteWindow) throws(DataFileError) {
    self.window = window
    entries = try Self.withFile(window) { file throws(DataFileError) in
      try Self.names(file, window).map { name in
        var named = window
        named.variable = name
        do throws(DataFileError) {
          let dataset = try HDF5Dataset(file, name, named)
          return ArrayEntry(name: name, content: .success(dataset.info))
        } catch {
          return ArrayEntry(name: name, content: .failure(error))
        }
      }
    }
  }

  func source(of entry: Int) throws(DataFileError) -> any RowSource {
    var named = window
    named.variable = entries[entry].name
    return MAT73Rows(info: try entries[entry].content.get(), window: named)
  }

  /// Runs `body` with the file open and the library locked.
  fileprivate static func withFile<Result: Sendable>(
    _ window: ByteWindow, _ body: (hid_t) throws(DataFileError) -> Result
  ) throws(DataFileError) -> Result {
    try hdf5Lock.withLock { _ throws(DataFileError) in
      shim_H5_quiet()
      let failure = { window.error(expected: "an HDF5 file", found: $0) }
      let access = try HDF5Handle(H5Pcreate(shim_H5P_FILE_ACCESS()), H5Pclose, orThrow: failure)
      let file = try HDF5Handle(
        H5Fopen(window.path, shim_H5F_ACC_RDONLY(), access.id), H5Fclose, orThrow: failure)
      return try body(file.id)
    }
  }

  /// Names of the hard links in the root group, without MATLAB's own (`#refs#`).
  private static func names(
    _ file: hid_t, _ window: ByteWindow
  ) throws(DataFileError) -> [String] {
    let group = try HDF5Handle(H5Gopen2(file, "/", 0), H5Gclose) {
      window.error(expected: "a root group", found: $0)
    }
    var groupInfo = H5G_info_t()
    guard H5Gget_info(group.id, &groupInfo) >= 0 else {
      throw window.error(expected: "a root group", found: HDF5Handle.errorText())
    }
    guard groupInfo.nlinks <= largestLinkCount else {
      throw window.error(
        expected: "at most \(largestLinkCount) variables", found: "\(groupInfo.nlinks)")
    }
    var names: [String] = []
    for index in 0..<groupInfo.nlinks {
      var link = H5L_info_t()
      var bytes = [CChar](repeating: 0, count: 1024)
      guard
        H5Lget_info_by_idx(group.id, ".", H5_INDEX_NAME, H5_ITER_INC, index, &link, 0) >= 0,
        H5Lget_name_by_idx(
          group.id, ".", H5_INDEX_NAME, H5_ITER_INC, index, &bytes, bytes.count - 1, 0) >= 0
      else { throw window.error(expected: "a list of variables", found: HDF5Handle.errorText()) }
      let utf8 = bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
      guard link.type == H5L_TYPE_HARD, utf8.first != UInt8(ascii: "#"),
        let name = String(validating: utf8, as: UTF8.self)
      else { continue }
      names.append(name)
    }
    return names
  }
}

/// Rows of a v7.3 variable, each range one hyperslab.
private struct MAT73Rows: RowSource {
  let info: ArrayInfo
  let window: ByteWindow

  func values(rows range: Range<Int>) throws(DataFileError) -> NumericArray.Values {
    var part = info
    part.shape = [range.count] + info.shape.dropFirst()
    guard !part.shape.contains(0) else {
      return info.elementType.needsDouble ? .double([]) : .float([])
    }
    let raw = try MAT73File.withFile(window) { file throws(DataFileError) in
      let dataset = try HDF5Dataset(file, info.name ?? "", window)
      guard dataset.info == info else {
        throw window.error(
          expected: info.description, found: dataset.info.description,
          hint: "the file changed while open")
      }
      return try dataset.read(range)
    }
    // The hyperslab, axes reversed, is the part in column-major order.
    let rows = RawRows(
      info: part, bytes: ByteWindow(path: window.path, inflated: raw), planes: [0],
      stored: [info.elementType], bigEndian: false, order: .columnMajor)
    return try rows.values(rows: 0..<range.count)
  }
}
