import Foundation

extension ArrayFile {
  /// Writes a real array of one or two axes as rows of comma-separated numbers.
  ///
  /// Each number has the fewest digits that give the same value when read back in its precision.
  static func writeCSV(_ array: NumericArray, to path: String) throws(DataFileError) {
    guard (1...2).contains(array.shape.count), !array.isComplex, array.values.count > 0 else {
      let shape = ArrayShape.text(array.shape)
      throw DataFileError(
        file: path, variable: array.name, expected: "a real array of one or two axes with elements",
        found: array.isComplex ? "complex \(shape)" : shape, hint: "write .npy")
    }
    let columnCount = array.info.valuesPerRow
    let isInteger = array.writtenType.isInteger
    try AtomicFile.write(to: path) { output throws(DataFileError) in
      var text: [UInt8] = []
      for index in 0..<array.values.count {
        let number =
          switch array.values {
          case .float(let values): isInteger ? "\(Int(values[index]))" : "\(values[index])"
          case .double(let values): isInteger ? wholeNumber(values[index]) : "\(values[index])"
          }
        text += number.utf8
        text.append(UInt8(ascii: (index + 1) % columnCount == 0 ? "\n" : ","))
        if text.count > 1 << 16 {
          try output.write(text)
          text.removeAll(keepingCapacity: true)
        }
      }
      try output.write(text)
    }
  }

  private static func wholeNumber(_ value: Double) -> String {
    Int(exactly: value).map(String.init) ?? "\(UInt64(value))"
  }

  /// Writes tensors in the given order behind a JSON header padded to a multiple of 8 bytes.
  static func writeSafetensors(
    _ arrays: [NumericArray], _ metadata: [String: String], to path: String
  ) throws(DataFileError) {
    let header = try safetensorsHeader(arrays, metadata, path)
    try AtomicFile.write(to: path) { output throws(DataFileError) in
      try output.write(littleEndian(header.count, 8) + header)
      for array in arrays {
        try array.forEachEncodedPiece { piece throws(DataFileError) in try output.write(piece) }
      }
    }
  }

  private static func safetensorsHeader(
    _ arrays: [NumericArray], _ metadata: [String: String], _ path: String
  ) throws(DataFileError) -> [UInt8] {
    var fields: [String] = []
    if !metadata.isEmpty {
      let texts = metadata.sorted { $0.key < $1.key }
      let pairs = texts.map { "\(json($0.key)):\(json($0.value))" }
      fields.append("\(json(SafetensorsHeader.metadataKey)):{\(pairs.joined(separator: ","))}")
    }
    var start = 0
    for array in arrays {
      let name = array.name ?? ""
      let type = SafetensorsFile.types.first { $0.value == array.writtenType }
      guard let type, !array.isComplex, name != SafetensorsHeader.metadataKey else {
        throw DataFileError(
          file: path, variable: name, expected: "a real array",
          found: array.isComplex ? "a complex one" : "a reserved name",
          hint: array.isComplex ? "split it into real and imaginary parts" : nil)
      }
      let end = start + array.encodedByteCount
      fields.append(
        "\(json(name)):{\"dtype\":\"\(type.key)\",\"shape\":\(array.shape.description),"
          + "\"data_offsets\":[\(start),\(end)]}")
      start = end
    }
    let text = "{\(fields.joined(separator: ","))}"
    let padding = String(repeating: " ", count: (8 - text.utf8.count % 8) % 8)
    let header = Array((text + padding).utf8)
    guard header.count <= SafetensorsFile.largestHeader else {
      throw DataFileError(
        file: path, expected: "a header of at most \(SafetensorsFile.largestHeader) bytes",
        found: "\(header.count)", hint: "shorten the metadata")
    }
    return header
  }

  /// A JSON string with what must be escaped escaped.
  private static func json(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\u{0}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
