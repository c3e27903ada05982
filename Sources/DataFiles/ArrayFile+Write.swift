extension ArrayFile {
  /// Writes arrays in the format of the extension: .npy, .npz, .mat (v5), .csv or .safetensors.
  ///
  /// `.npy` and `.csv` take one array (its name is not kept); the others need a name for each. The
  /// file appears whole or not at all (see ``AtomicFile``), and equal arguments give equal bytes.
  /// - Parameters:
  ///   - metadata: texts for `__metadata__`; only for .safetensors.
  /// - Throws: ``DataFileError`` if the format cannot hold the arrays, before anything is written, or
  ///   if writing fails; the old file is then still there.
  public static func write(
    _ arrays: [NumericArray], metadata: [String: String] = [:], to path: String
  ) throws(DataFileError) {
    let suffix = path.split(separator: "/").last?.split(separator: ".").last?.lowercased()
    guard metadata.isEmpty || suffix == "safetensors" else {
      throw DataFileError(
        file: path, expected: "a .safetensors file to hold metadata", found: "another format")
    }
    switch suffix {
    case "npy": try writeNPY(try single(arrays, path), to: path)
    case "csv": try writeCSV(try single(arrays, path), to: path)
    case "npz":
      try checkNames(arrays, path)
      try writeNPZ(arrays, to: path)
    case "mat":
      try checkNames(arrays, path)
      try MAT5Writer(path: path).write(arrays)
    case "safetensors":
      try checkNames(arrays, path)
      try writeSafetensors(arrays, metadata, to: path)
    default:
      throw DataFileError(
        file: path, expected: "an extension .npy, .npz, .mat, .csv or .safetensors",
        found: "another name")
    }
  }

  private static func single(
    _ arrays: [NumericArray], _ path: String
  ) throws(DataFileError) -> NumericArray {
    guard arrays.count == 1 else {
      throw DataFileError(
        file: path, expected: "one array", found: "\(arrays.count)",
        hint: ".npz, .mat and .safetensors hold several")
    }
    return arrays[0]
  }

  private static func checkNames(
    _ arrays: [NumericArray], _ path: String
  ) throws(DataFileError) {
    var seen: Set<String> = []
    for array in arrays {
      guard let name = array.name, !name.isEmpty, seen.insert(name).inserted else {
        throw DataFileError(
          file: path, variable: array.name, expected: "a different name for each array",
          found: array.name == nil ? "an array without a name" : "the name again or an empty name")
      }
    }
  }

  private static func writeNPY(_ array: NumericArray, to path: String) throws(DataFileError) {
    try AtomicFile.write(to: path) { output throws(DataFileError) in
      try output.write(NPYHeader.bytes(for: array))
      try array.forEachEncodedPiece { piece throws(DataFileError) in try output.write(piece) }
    }
  }
}

extension NPYHeader {
  /// A version 1 header for an array as the writers encode it.
  static func bytes(for array: NumericArray) -> [UInt8] {
    let type = array.writtenType
    let size = type.byteCount * (array.isComplex ? 2 : 1)
    let kind =
      array.isComplex ? "c" : !type.isInteger ? "f" : type.rawValue.hasPrefix("u") ? "u" : "i"
    return bytes(descriptor: "\(size == 1 ? "|" : "<")\(kind)\(size)", shape: array.shape)
  }

  /// A version 1 header, padded to a multiple of 64 bytes and to `leastByteCount`.
  static func bytes(
    descriptor: String, shape: [Int], leastByteCount: Int = 0
  ) -> [UInt8] {
    let axes = shape.map { "\($0)," }.joined(separator: " ")
    // Python writes a tuple of two or more without the last comma.
    let tuple = shape.count > 1 ? String(axes.dropLast()) : axes
    let text = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(tuple)), }"
    let unpadded = max(magic.count + 4 + text.utf8.count + 1, leastByteCount)
    let byteCount = (unpadded + 63) / 64 * 64 - magic.count - 4
    let padding = [UInt8](repeating: 0x20, count: byteCount - text.utf8.count - 1)
    return magic + [1, 0] + littleEndian(byteCount, 2) + Array(text.utf8) + padding + [0x0A]
  }
}
