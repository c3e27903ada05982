/// The formats that are written.
public enum ArrayFormat: String, Sendable, CaseIterable {
  case npy, npz, csv, safetensors
  /// MATLAB level 5: variables below 2 GiB.
  case mat5 = "mat-5"
  /// MATLAB v7.3, which is HDF5.
  case mat73 = "mat-7.3"

  /// Largest variable of a v5 file in bytes, the format's 32-bit sizes; MATLAB's own limit.
  static let largestMAT5Variable = 0x7FFF_FFFF - 1024

  /// File name extension without its dot.
  public var suffix: String {
    switch self {
    case .mat5, .mat73: "mat"
    case .npy, .npz, .csv, .safetensors: rawValue
    }
  }

  /// Whether a file holds several arrays by name.
  public var holdsSeveral: Bool { self != .npy && self != .csv }

  /// The format of a file name's extension; .mat is v5 unless a variable is too large for it.
  ///
  /// - Throws: if the extension is none of .npy, .npz, .mat, .csv and .safetensors.
  public init(of path: String, for arrays: [ArrayInfo]) throws(DataFileError) {
    let suffix = path.split(separator: "/").last?.split(separator: ".").last?.lowercased()
    if suffix == "mat" {
      let fits = arrays.allSatisfy { $0.encodedByteCount <= Self.largestMAT5Variable }
      self = fits ? .mat5 : .mat73
      return
    }
    guard let suffix, let format = ArrayFormat(rawValue: suffix) else {
      throw DataFileError(
        file: path, expected: "an extension .npy, .npz, .mat, .csv or .safetensors",
        found: "another name")
    }
    self = format
  }
}

extension ArrayInfo {
  /// The type the writers give the values: integers keep theirs, other numbers become `float32` or `float64`, as they are held.
  public var writtenType: ElementType {
    if elementType.isInteger && !isComplex { return elementType }
    return elementType.needsDouble ? .float64 : .float32
  }

  /// Bytes of all encoded values.
  var encodedByteCount: Int { shape.reduce(isComplex ? 2 : 1, *) * writtenType.byteCount }

  /// Numbers in all rows; a complex element counts twice.
  var valueCount: Int { shape.reduce(isComplex ? 2 : 1, *) }
}

extension ArrayInfo {
  /// The same numbers as a real table of two axes, as .csv takes it: later axes side by side, complex as re, im.
  public var table: ArrayInfo {
    ArrayInfo(
      name: name, shape: [rowCount, valuesPerRow], isComplex: false, elementType: elementType)
  }
}
