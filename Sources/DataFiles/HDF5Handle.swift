import CHDF5
import Synchronization

/// The one lock around libhdf5, whose global state is not safe to use from several threads.
let hdf5Lock = Mutex(())

/// Settings for all calls; under `hdf5Lock` and before any other call.
///
/// Without them libhdf5 tries at exit to close files again that could not be written, and crashes.
func prepareHDF5() {
  _ = H5dont_atexit()
  shim_H5_quiet()
}

/// An identifier that libhdf5 gave, closed when it goes out of scope. Use only under `hdf5Lock`.
struct HDF5Handle: ~Copyable {
  let id: hid_t
  private let close: (hid_t) -> herr_t

  /// - Throws: `error` with libhdf5's own words as what was found, if `id` is a failure.
  init(
    _ id: hid_t, _ close: @escaping (hid_t) -> herr_t,
    orThrow error: (_ found: String) -> DataFileError
  ) throws(DataFileError) {
    guard id >= 0 else { throw error(Self.errorText()) }
    self.id = id
    self.close = close
  }

  deinit { _ = close(id) }

  /// libhdf5's words for the innermost cause of the last failure.
  static func errorText() -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 200) { buffer in
      buffer.initialize(repeating: 0)
      shim_H5_error_text(buffer.baseAddress, buffer.count)
      let text = String(cString: buffer.baseAddress!)
      return text.isEmpty ? "damaged HDF5 data" : "damaged HDF5 data: \(printable(text))"
    }
  }
}
