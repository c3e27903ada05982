import CZLib

extension ArrayFile {
  /// Writes a zip archive of stored .npy members, as `numpy.savez` does.
  ///
  /// Sizes stay within classic zip (4 GiB, 65 535 arrays). Dates are 1980-01-01, so that equal arrays give
  /// equal bytes.
  static func writeNPZ(_ arrays: [NumericArray], to path: String) throws(DataFileError) {
    let total = arrays.reduce(0) {
      $0 + $1.encodedByteCount + 1024 + 2 * ($1.name ?? "").utf8.count
    }
    guard total < 0xFFFF_FFFF, arrays.count < 0xFFFF,
      arrays.allSatisfy({ ($0.name ?? "").utf8.count < 0xFF00 })
    else {
      throw DataFileError(
        file: path, expected: "less than 4 GiB in less than 65535 arrays with short names",
        found: "\(total) bytes in \(arrays.count)", hint: "write .npy files")
    }
    try AtomicFile.write(to: path) { output throws(DataFileError) in
      var directory: [UInt8] = []
      var position = 0
      for array in arrays {
        let name = Array(((array.name ?? "") + ".npy").utf8)
        let npyHeader = NPYHeader.bytes(for: array)
        let fields = try zipFields(array, npyHeader, name)
        let member = [0x50, 0x4B, 3, 4] + fields + name
        // Version made by, the shared fields, comment length, disk, attributes, position.
        directory += [0x50, 0x4B, 1, 2, 20, 0] + fields + littleEndian(0, 10)
        directory += littleEndian(position, 4) + name
        try output.write(member)
        try output.write(npyHeader)
        try array.forEachEncodedPiece { piece throws(DataFileError) in try output.write(piece) }
        position += member.count + npyHeader.count + array.encodedByteCount
      }
      let count = littleEndian(arrays.count, 2)
      let end =
        [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + count + count
        + littleEndian(directory.count, 4) + littleEndian(position, 4) + [0, 0]
      try output.write(directory + end)
    }
  }

  /// The fields that the member header and the directory entry have in common.
  private static func zipFields(
    _ array: NumericArray, _ npyHeader: [UInt8], _ name: [UInt8]
  ) throws(DataFileError) -> [UInt8] {
    var crc = crc32_z(crc32(0, nil, 0), npyHeader, npyHeader.count)
    try array.forEachEncodedPiece { piece throws(DataFileError) in
      crc = crc32_z(crc, piece, piece.count)
    }
    let size = littleEndian(npyHeader.count + array.encodedByteCount, 4)
    let versionNeeded: [UInt8] = [20, 0]
    let namesAreUTF8: [UInt8] = [0, 8]
    let storedOn1980: [UInt8] = [0, 0, 0, 0, 0x21, 0]
    return versionNeeded + namesAreUTF8 + storedOn1980 + littleEndian(Int(crc), 4) + size + size
      + littleEndian(name.count, 2) + [0, 0]
  }
}
