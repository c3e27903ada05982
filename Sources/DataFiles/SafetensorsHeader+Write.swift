extension SafetensorsHeader {
  /// The JSON header of tensors in the given order, padded to a multiple of 8 bytes.
  static func bytes(
    _ arrays: [ArrayInfo], _ metadata: [String: String], _ path: String
  ) throws(DataFileError) -> [UInt8] {
    var fields: [String] = []
    if !metadata.isEmpty {
      let texts = metadata.sorted { $0.key < $1.key }
      let pairs = texts.map { "\(json($0.key)):\(json($0.value))" }
      fields.append("\(json(metadataKey)):{\(pairs.joined(separator: ","))}")
    }
    var start = 0
    for array in arrays {
      let name = array.name ?? ""
      guard let type = dtype(of: array), name != metadataKey else {
        throw DataFileError(
          file: path, variable: name,
          expected: name == metadataKey
            ? "another name" : "a real or single-precision complex array",
          found: name == metadataKey ? "a reserved one" : array.description)
      }
      let end = start + array.encodedByteCount
      fields.append(
        "\(json(name)):{\"dtype\":\"\(type)\",\"shape\":\(array.shape.description),"
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

  /// Nil if the format has no type for the numbers: its only complex one is of single precision.
  private static func dtype(of array: ArrayInfo) -> String? {
    guard !array.isComplex else { return array.writtenType == .float32 ? "C64" : nil }
    return SafetensorsFile.types.first { $0.value == array.writtenType }?.key
  }
}
