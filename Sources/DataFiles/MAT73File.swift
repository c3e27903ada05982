import CHDF5
import CHDF5Probe
import Foundation

/// A MATLAB v7.3 file: HDF5 datasets in the root group with the attribute `MATLAB_class`.
///
/// libhdf5 has the file open only during a call and under one lock. HDF5 lists the axes in reverse
/// of MATLAB. The padding of the attribute (null-terminated as MATLAB writes it, null-padded as
/// hdf5storage does) does not matter. External links, external raw data, virtual datasets and filter
/// plug-ins are refused: they would read other files or run code.
struct MAT73File: ArrayContainer {
  /// More objects in the root group are taken for damage.
  private static let largestLinkCount = 100_000
  /// Limits on looking through a file: time without progress, and memory.
  private static let stallSeconds: Int32 = 10
  private static let memoryLimit: UInt64 = 2 << 30

  let entries: [ArrayEntry]
  private let datasets: [HDF5Dataset?]
  private let window: ByteWindow
  private let base: Int

  /// - Parameter base: where the HDF5 signature stands, behind MATLAB's header.
  init(_ window: ByteWindow, base: Int) throws(DataFileError) {
    self.window = window
    self.base = base
    var entries: [ArrayEntry] = []
    var datasets: [HDF5Dataset?] = []
    try Self.probe(window, base)
    try Self.withFile(window, base) { file throws(DataFileError) in
      for name in try Self.names(file, window) {
        var named = window
        named.variable = name
        do throws(DataFileError) {
          let dataset = try HDF5Dataset(file, name, named, base: base)
          entries.append(ArrayEntry(name: name, content: .success(dataset.info)))
          datasets.append(dataset)
        } catch {
          entries.append(ArrayEntry(name: name, content: .failure(error)))
          datasets.append(nil)
        }
      }
    }
    self.entries = entries
    self.datasets = datasets
  }

  func source(of entry: Int) throws(DataFileError) -> any RowSource {
    let info = try entries[entry].content.get()
    var named = window
    named.variable = info.name
    guard let dataset = datasets[entry] else { preconditionFailure("an entry without dataset") }
    let (bytes, offset): (ByteWindow, Int)
    switch dataset.layout {
    case .chunked(let chunks):
      return MAT73Rows(dataset: dataset, chunks: chunks, window: named, base: base)
    case .contiguous(let start): (bytes, offset) = (named, start)
    case .compact(let values):
      var held = ByteWindow(path: window.path, inflated: values)
      held.variable = info.name
      (bytes, offset) = (held, 0)
    }
    // Row-major with reversed axes is column-major.
    return RawRows(
      info: info, bytes: bytes, planes: [offset], stored: [info.elementType],
      bigEndian: dataset.number.bigEndian, order: .columnMajor)
  }

  /// Has a child process go through the file first: some damage makes libhdf5 crash, run on or take absurd memory.
  private static func probe(_ window: ByteWindow, _ base: Int) throws(DataFileError) {
    try HDF5ObjectHeader.checkRoot(window, base: base)
    let finding = hdf5Lock.withLock { _ in
      hdf5_probe(window.path, stallSeconds, memoryLimit)
    }
    let found: String
    switch finding.verdict {
    case HDF5_SOUND: return
    case HDF5_CRASHED where finding.detail != 0:
      found = "damage that crashes libhdf5 (\(String(cString: strsignal(finding.detail))))"
    case HDF5_CRASHED: found = "damage that crashes libhdf5"
    case HDF5_STALLED: found = "damage that keeps libhdf5 busy without end"
    case HDF5_EXHAUSTED: found = "damage that makes libhdf5 take absurd memory"
    default:
      throw window.error(
        expected: "a process that tests the file",
        found: String(cString: strerror(finding.detail)),
        hint: "is there memory for it, and are more processes allowed?")
    }
    throw window.error(
      expected: "an HDF5 file", found: found, hint: "save or copy the file again")
  }

  /// Runs `body` with the dataset open and the library locked.
  static func withDataset<Result: Sendable>(
    _ name: String, _ window: ByteWindow, base: Int,
    _ body: (hid_t, HDF5Dataset) throws(DataFileError) -> Result
  ) throws(DataFileError) -> Result {
    try withFile(window, base) { file throws(DataFileError) in
      let found = try HDF5Dataset(file, name, window, base: base)
      let dataset = try HDF5Handle(H5Dopen2(file, name, 0), H5Dclose) {
        window.error(expected: "an HDF5 dataset", found: $0)
      }
      return try body(dataset.id, found)
    }
  }

  /// Runs `body` with the file open and the library locked.
  private static func withFile<Result: Sendable>(
    _ window: ByteWindow, _ base: Int, _ body: (hid_t) throws(DataFileError) -> Result
  ) throws(DataFileError) -> Result {
    try HDF5ObjectHeader.checkRoot(window, base: base)
    return try hdf5Lock.withLock { _ throws(DataFileError) in
      prepareHDF5()
      let failure = { window.error(expected: "an HDF5 file", found: $0) }
      let access = try HDF5Handle(H5Pcreate(shim_H5P_FILE_ACCESS()), H5Pclose, orThrow: failure)
      // Locks fail on some read-only and network file systems; nothing is written here.
      guard H5Pset_file_locking(access.id, false, true) >= 0 else {
        throw failure(HDF5Handle.errorText())
      }
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
