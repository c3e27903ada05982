import CHDF5
import CHDF5Probe
import Foundation

/// An HDF5 file: its datasets of numbers, also those in groups, which are structs in MATLAB v7.3 files.
///
/// libhdf5 has the file open only during a call and under one lock. Of datasets with the attribute `MATLAB_class`
/// HDF5 lists the axes in reverse of MATLAB. The padding of the attribute (null-terminated as MATLAB writes it, null-padded as
/// hdf5storage does) does not matter. External links, external raw data, virtual datasets and filter
/// plug-ins are refused: they would read other files or run code.
struct MAT73File: ArrayContainer {
  /// More objects in a group are taken for damage.
  private static let largestLinkCount = 100_000
  /// Levels of groups that are looked into, as the probe does.
  private static let deepest = 4
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
      var budget = Self.largestLinkCount
      try Self.walk(file, "", 1, window, base: base, &budget) { path, name throws(DataFileError) in
        var named = window
        named.variable = name
        do throws(DataFileError) {
          let dataset = try HDF5Dataset(file, path, named, base: base)
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
      bigEndian: dataset.number.bigEndian, order: dataset.isReversed ? .columnMajor : .rowMajor)
  }

  /// Calls `body` with the path and the name of every object that is no group: `s.H` in a group of MATLAB, `group/H` in
  /// another one.
  private static func walk(
    _ file: hid_t, _ group: String, _ level: Int, _ window: ByteWindow, base: Int,
    _ budget: inout Int,
    _ body: (_ path: String, _ name: String) throws(DataFileError) -> Void
  ) throws(DataFileError) {
    for link in try names(file, group.isEmpty ? "/" : group, window) {
      let path = group.isEmpty ? link : "\(group)/\(link)"
      let name = window.variable.map { $0 + link } ?? link
      var inside = window
      inside.variable = nil
      budget -= 1
      guard budget > 0 else {
        throw inside.error(
          expected: "at most \(largestLinkCount) variables and groups", found: "more")
      }
      guard level <= deepest, let mark = groupMark(file, path, inside, base: base) else {
        try body(path, name)
        continue
      }
      inside.variable = name + mark
      try walk(file, path, level + 1, inside, base: base, &budget, body)
    }
  }

  /// What stands between the names of a group and its members; nil for what is no group, or none that can be opened.
  private static func groupMark(
    _ file: hid_t, _ path: String, _ window: ByteWindow, base: Int
  ) -> String? {
    do throws(DataFileError) {
      try HDF5ObjectHeader.check(file, path, window, base: base)
      let object = try HDF5Handle(H5Oopen(file, path, 0), H5Oclose) {
        window.error(expected: "an HDF5 object", found: $0)
      }
      guard H5Iget_type(object.id) == H5I_GROUP else { return nil }
      return H5Aexists(object.id, "MATLAB_class") > 0 ? "." : "/"
    } catch {
      return nil
    }
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
    _ path: String, _ window: ByteWindow, base: Int,
    _ body: (hid_t, HDF5Dataset) throws(DataFileError) -> Result
  ) throws(DataFileError) -> Result {
    try withFile(window, base) { file throws(DataFileError) in
      // A dataset in a group is reached through it, which must be sound too.
      var end = path.startIndex
      while let slash = path[end...].firstIndex(of: "/") {
        try HDF5ObjectHeader.check(file, String(path[..<slash]), window, base: base)
        end = path.index(after: slash)
      }
      let found = try HDF5Dataset(file, path, window, base: base)
      let dataset = try HDF5Handle(H5Dopen2(file, path, 0), H5Dclose) {
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

  /// Names of the hard links in a group, without MATLAB's own (`#refs#`).
  private static func names(
    _ file: hid_t, _ path: String, _ window: ByteWindow
  ) throws(DataFileError) -> [String] {
    let group = try HDF5Handle(H5Gopen2(file, path, 0), H5Gclose) {
      window.error(expected: "a group", found: $0)
    }
    var groupInfo = H5G_info_t()
    guard H5Gget_info(group.id, &groupInfo) >= 0 else {
      throw window.error(expected: "a group", found: HDF5Handle.errorText())
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
