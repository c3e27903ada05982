import CHDF5

/// The element type of a dataset: a standard number or a pair of them.
///
/// Anything but the standard types is refused, so that no conversion of libhdf5, which trusts the
/// offsets and sizes in the file, is ever run.
struct HDF5Number: Sendable, Equatable {
  let type: ElementType
  let isComplex: Bool
  let bigEndian: Bool

  /// Use only under `hdf5Lock`.
  init(dataset: hid_t, _ window: ByteWindow) throws(DataFileError) {
    let failure = { (found: String) in
      window.error(
        expected: "a standard number type", found: found,
        hint: "with h5py, save H.astype('float32') or H.astype('complex64')")
    }
    let type = try HDF5Handle(H5Dget_type(dataset), H5Tclose, orThrow: failure)
    if H5Tget_class(type.id) != H5T_COMPOUND {
      let real: HDF5Number?
      // Booleans of h5py are an enumeration of bytes.
      if H5Tget_class(type.id) == H5T_ENUM, H5Tget_size(type.id) == 1 {
        let base = try HDF5Handle(H5Tget_super(type.id), H5Tclose, orThrow: failure)
        real = Self.number(base.id)
      } else {
        real = Self.number(type.id)
      }
      guard let real else { throw failure("another HDF5 type") }
      self.init(type: real.type, isComplex: false, bigEndian: real.bigEndian)
      return
    }
    let names = [("real", "imag"), ("r", "i"), ("re", "im")]
    guard H5Tget_nmembers(type.id) == 2,
      names.contains(where: { real, imaginary in
        H5Tget_member_index(type.id, real) == 0 && H5Tget_member_index(type.id, imaginary) == 1
      })
    else { throw failure("a compound type that is no (real, imag) or (r, i) pair") }
    let real = try HDF5Handle(H5Tget_member_type(type.id, 0), H5Tclose, orThrow: failure)
    let imaginary = try HDF5Handle(H5Tget_member_type(type.id, 1), H5Tclose, orThrow: failure)
    guard let number = Self.number(real.id),
      let other = Self.number(imaginary.id), number == other,
      H5Tget_member_offset(type.id, 0) == 0,
      H5Tget_member_offset(type.id, 1) == number.type.byteCount,
      H5Tget_size(type.id) == 2 * number.type.byteCount
    else { throw failure("a (real, imag) pair that is not two adjoining numbers of one type") }
    self.init(type: number.type, isComplex: true, bigEndian: number.bigEndian)
  }

  private init(type: ElementType, isComplex: Bool, bigEndian: Bool) {
    self.type = type
    self.isComplex = isComplex
    self.bigEndian = bigEndian
  }

  private static func number(_ type: hid_t) -> HDF5Number? {
    let (kind, size) = (H5Tget_class(type), H5Tget_size(type))
    guard kind == H5T_FLOAT || kind == H5T_INTEGER else { return nil }
    let isSigned = kind == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_2
    let isBig = H5Tget_order(type) == H5T_ORDER_BE
    let standard = shim_standard_type(kind, size, isSigned ? 1 : 0, isBig ? 1 : 0)
    let prefix = kind == H5T_FLOAT ? "float" : isSigned ? "int" : "uint"
    guard standard >= 0, H5Tequal(type, standard) > 0,
      let element = ElementType(rawValue: "\(prefix)\(size * 8)")
    else { return nil }
    return HDF5Number(type: element, isComplex: false, bigEndian: isBig)
  }
}
