/// The formats that are written.
public enum ArrayFormat: String, Sendable, CaseIterable {
  /// One NumPy array.
  case npy
  /// NumPy arrays in a ZIP archive.
  case npz
  /// A table of real numbers.
  case csv
  /// Named tensors with text metadata.
  case safetensors
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

  /// The extension of a file name in small letters without its dot; nil if there is none, and for a folder's `name/`.
  public static func suffix(of path: String) -> String? {
    guard !path.hasSuffix("/"), let name = path.split(separator: "/").last else { return nil }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count > 1 && !parts[0].isEmpty ? parts.last!.lowercased() : nil
  }

  /// The format of a file name's extension; .mat is v5 unless a variable is too large for it.
  ///
  /// - Throws: if the extension is none of .npy, .npz, .mat, .csv and .safetensors.
  public init(of path: String, for arrays: [ArrayInfo]) throws(DataFileError) {
    let suffix = Self.suffix(of: path)
    if suffix == "mat" {
      let fits = arrays.allSatisfy { $0.encodedByteCount <= Self.largestMAT5Variable }
      self = fits ? .mat5 : .mat73
      return
    }
    guard let suffix, let format = ArrayFormat(rawValue: suffix) else {
      throw DataFileError(
        file: path, expected: "an extension .npy, .npz, .mat, .csv or .safetensors",
        found: suffix.map { "'.\(printable($0))'" } ?? "none")
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

  /// More than any file system holds, and few enough that sums of several such sizes fit in `Int`.
  private static let largestByteCount = 1 << 50

  /// - Throws: if an axis is negative or the array is absurdly large; the other sizes can then be computed.
  public func checkSize(_ path: String) throws(DataFileError) {
    // Two doubles for each element: what any written type takes at most.
    guard let size = ArrayShape.byteCount(shape, bytesPerElement: 16),
      size <= Self.largestByteCount
    else {
      throw DataFileError(
        file: path, variable: name, expected: "an array of less than 1 PiB",
        found: ArrayShape.text(shape))
    }
  }

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
