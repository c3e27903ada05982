import DataFiles
import Foundation
import Testing

/// A file that must be refused, and a part of the reason.
struct BrokenFile: Sendable, CustomTestStringConvertible {
  let what: String
  let name: String
  let variable: String?
  let message: String
  let bytes: @Sendable () throws -> [UInt8]

  init(
    _ what: String, _ name: String, variable: String? = nil, _ message: String,
    _ bytes: @escaping @Sendable () throws -> [UInt8]
  ) {
    self.what = what
    self.name = name
    self.variable = variable
    self.message = message
    self.bytes = bytes
  }

  var testDescription: String { what }
}

struct BrokenFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: general + numPy + zip + safetensorsFiles + text)
  func isRefused(_ file: BrokenFile) throws {
    let path = try folder.file(file.name, file.bytes())
    let error = #expect(throws: DataFileError.self) {
      try ArrayFile.read(path, variable: file.variable)
    }
    let text = error?.description ?? ""
    #expect(text.contains(file.message), "\(text)")
    #expect(text.hasPrefix(path))
  }

  @Test func missingFileAndDirectory() throws {
    let missing = #expect(throws: DataFileError.self) {
      try ArrayFile.read(folder.file("none.npy"))
    }
    #expect(missing?.found == "No such file or directory")
    let directory = #expect(throws: DataFileError.self) { try ArrayFile.read(folder.path) }
    #expect(directory?.found == "a directory")
    let pipe = folder.file("pipe.csv")
    #expect(mkfifo(pipe, 0o600) == 0)
    let notAFile = #expect(throws: DataFileError.self) { try ArrayFile.read(pipe) }
    #expect(notAFile?.expected == "a regular file")
  }

  static let general: [BrokenFile] = [
    BrokenFile("empty", "a.npy", "found an empty file") { [] },
    BrokenFile("one byte", "a.mat", "expected a MATLAB v5 or v7.3 file, found bytes 00") { [0] },
    BrokenFile("unknown extension", "a.bin", "expected a .npy, .npz, .mat") { [1, 2, 3] },
    BrokenFile("no extension", "a", "expected a .npy, .npz, .mat") { Array("1,2\n".utf8) },
    BrokenFile("text named npy", "a.npy", "found bytes 31 2c 32 0a") { Array("1,2\n".utf8) },
    BrokenFile("text named npz", "a.npz", "expected a zip archive") { Array("1,2\n".utf8) },
  ]

  private static let good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }"
  private static let sixteen = [UInt8](repeating: 0, count: 16)

  private static func npyCase(
    _ what: String, _ header: String, _ message: String
  ) -> BrokenFile {
    BrokenFile(what, "a.npy", message) { npy(header, sixteen) }
  }

  private static func shapeCase(_ shape: String, _ message: String) -> BrokenFile {
    npyCase("shape \(shape)", good.replacingOccurrences(of: "2, 2", with: shape), message)
  }

  private static func typeCase(_ type: String, _ message: String) -> BrokenFile {
    npyCase("type \(type)", good.replacingOccurrences(of: "'<f4'", with: type), message)
  }

  static let numPy: [BrokenFile] = [
    BrokenFile("magic only", "a.npy", "expected 10 bytes of NumPy header, found 6 bytes") {
      Array(npy(good, sixteen).prefix(6))
    },
    BrokenFile("version 4", "a.npy", "byte 6: expected NumPy format version 1, 2 or 3, found 4") {
      npy(good, sixteen).replacing(at: 6, [4])
    },
    BrokenFile("header beyond file", "a.npy", "byte 10: expected 65535 bytes of NumPy header") {
      npy(good, sixteen).replacing(at: 8, [255, 255])
    },
    BrokenFile("4 GB header", "a.npy", "expected a header of at most 65536 bytes") {
      npy(good, sixteen).replacing(at: 6, [2, 0, 255, 255, 255, 255])
    },
    BrokenFile("values cut", "a.npy", "expected 16 bytes of values (2 x 2), found 15") {
      npy(good, sixteen).dropLast()
    },
    BrokenFile("values too many", "a.npy", "expected 16 bytes of values (2 x 2), found 17") {
      npy(good, sixteen + [0])
    },
    BrokenFile("bad UTF-8 header", "a.npy", "expected a Python dictionary as header") {
      npy(good, sixteen).replacing(at: 12, [0xFF, 0xFE])
    },
    npyCase("no dictionary", "hello", "expected a Python dictionary as header, found 'hello'"),
    npyCase("open dictionary", String(good.dropLast(2)), "expected a Python dictionary"),
    npyCase("trailing text", good + "x", "expected a Python dictionary"),
    npyCase("key twice", "{'shape': (1,), 'shape': (2,)}", "expected a Python dictionary"),
    npyCase("deep nesting", String(repeating: "(", count: 60000), "expected a Python dictionary"),
    npyCase("no keys", "{}", "expected a number type such as '<f4', found none"),
    npyCase(
      "no order", "{'descr': '<f4', 'shape': (2, 2)}", "expected fortran_order True or False"),
    shapeCase("9223372036854775807, 9223372036854775807", "expected a shape that fits in memory"),
    shapeCase("99999999999999999999,", "expected a Python dictionary"),
    shapeCase("0, 9223372036854775807, 4", "expected a shape that fits in memory"),
    shapeCase("4611686018427387905, 4", "expected a shape that fits in memory"),
    shapeCase("1000000, 1000000", "expected 4000000000000 bytes of values"),
    shapeCase("-2, -2", "expected axis lengths of 0 or more"),
    shapeCase("'a',", "expected axis lengths of 0 or more"),
    shapeCase(
      String(repeating: "1, ", count: 65), "expected a shape that fits in memory, found 1 x 1"),
    typeCase("'<U4'", "expected a number type such as '<f4', found '<U4'"),
    typeCase("'|O'", "found '|O'"),
    typeCase("'|O'", "found '|O'"),
    typeCase("'<f16'", "found '<f16'"),
    typeCase("'f4'", "found 'f4'"),
    typeCase("[('a', '|O')]", "found a structured record type"),
    BrokenFile("integer too large", "a.npy", "expected integers that Double holds exactly") {
      npy(
        "{'descr': '<i8', 'fortran_order': False, 'shape': (2,)}",
        little(Int64(1)) + little(Int64(1) << 53 + 1))
    },
  ]

  private static func archive(_ change: @escaping @Sendable ([UInt8]) -> [UInt8])
    -> @Sendable () throws -> [UInt8]
  {
    { change(try Fixture.bytes("numpy_several.npz")) }
  }

  /// Position of the last directory entry's field in the archive of several arrays.
  private static func entry(_ bytes: [UInt8], _ field: Int) -> Int {
    let signature = Data([0x50, 0x4B, 1, 2])
    return Data(bytes).range(of: signature)!.lowerBound + field
  }

  static let zip: [BrokenFile] = [
    BrokenFile("several, none named", "a.npz", "found first (3 x 4 x 2 float32), second (5") {
      try Fixture.bytes("numpy_several.npz")
    },
    BrokenFile("unknown name", "a.npz", variable: "third", "expected one variable of that name") {
      try Fixture.bytes("numpy_several.npz")
    },
    BrokenFile("text array", "a.npz", variable: "text", "found '<U1'") {
      try Fixture.bytes("numpy_several.npz")
    },
    BrokenFile("no directory", "a.npz", "expected the directory at the end of a zip archive") {
      try Fixture.bytes("numpy_several.npz").dropLast(22)
    },
    BrokenFile("empty archive", "a.npz", "expected one numeric array, found nothing") {
      [0x50, 0x4B, 5, 6] + [UInt8](repeating: 0, count: 18)
    },
    BrokenFile("directory elsewhere", "a.npz", "bytes of zip directory, found") {
      let bytes = try Fixture.bytes("numpy_several.npz")
      return bytes.replacing(at: bytes.count - 6, [0xF0, 0xFF, 0xFF, 0x7F])
    },
    BrokenFile("too many members", "a.npz", "expected at most 3 members, found 65534") {
      let bytes = try Fixture.bytes("numpy_several.npz")
      return bytes.replacing(at: bytes.count - 12, [0xFE, 0xFF])
    },
    BrokenFile("encrypted", "a.npz", variable: "first", "found an encrypted one") {
      let bytes = try Fixture.bytes("numpy_several.npz")
      return bytes.replacing(at: entry(bytes, 8), [1])
    },
    BrokenFile("method", "a.npz", variable: "first", "found method 12") {
      let bytes = try Fixture.bytes("numpy_several.npz")
      return bytes.replacing(at: entry(bytes, 10), [12])
    },
    BrokenFile("stored sizes differ", "a.npz", variable: "first", "expected equal sizes") {
      let bytes = try Fixture.bytes("numpy_several.npz")
      return bytes.replacing(at: entry(bytes, 24), [1])
    },
    BrokenFile("member beyond file", "a.npz", variable: "first", "bytes of zip member") {
      let bytes = try Fixture.bytes("numpy_several.npz")
      return bytes.replacing(at: entry(bytes, 20), little(UInt32(0x7FFF_FFFF)))
    },
    BrokenFile("no member header", "a.npz", variable: "first", "expected a zip member header") {
      let bytes = try Fixture.bytes("numpy_several.npz")
      return bytes.replacing(at: entry(bytes, 42), little(UInt32(3)))
    },
    BrokenFile("wrong CRC", "a.npz", variable: "first", "expected data with the CRC-32") {
      let bytes = try Fixture.bytes("numpy_several.npz")
      return bytes.replacing(at: entry(bytes, 16), [1, 2, 3, 4])
    },
    BrokenFile("bomb", "a.npz", "expected deflated data of 2147483647 bytes, found only 119") {
      let bytes = try Fixture.bytes("umi_los_20.npz")
      return bytes.replacing(at: entry(bytes, 24), little(UInt32(0x7FFF_FFFF)))
    },
    BrokenFile("inflates to more", "a.npz", "expected 163967 inflated bytes, found more") {
      let bytes = try Fixture.bytes("umi_los_20.npz")
      return bytes.replacing(at: entry(bytes, 24), little(UInt32(163967)))
    },
    BrokenFile("inflates to less", "a.npz", "expected 163969 inflated bytes, found 163968") {
      let bytes = try Fixture.bytes("umi_los_20.npz")
      return bytes.replacing(at: entry(bytes, 24), little(UInt32(163969)))
    },
  ]

  private static func tensorCase(_ header: String, _ message: String) -> BrokenFile {
    BrokenFile(header.prefix(70) + "", "a.safetensors", variable: "a", message) {
      safetensors(header, sixteen)
    }
  }

  static let safetensorsFiles: [BrokenFile] = [
    BrokenFile("short", "a.safetensors", "expected 8 bytes of safetensors header length") {
      [1, 2, 3]
    },
    BrokenFile("giant header", "a.safetensors", "byte 0: expected a header of at most 100000000") {
      little(UInt64.max)
    },
    BrokenFile("header beyond file", "a.safetensors", "expected 99999999 bytes of safetensors") {
      little(UInt64(99_999_999)) + [0x7B]
    },
    BrokenFile("bad UTF-8", "a.safetensors", "expected a header in UTF-8") {
      little(UInt64(4)) + [0x7B, 0xFF, 0xFE, 0x7D]
    },
    tensorCase("{", "expected a safetensors header in JSON, found unreadable JSON"),
    tensorCase("[1]", "found unreadable JSON"),
    tensorCase(String(repeating: "[", count: 100_000), "found unreadable JSON"),
    tensorCase("{}", "expected 0 bytes of tensor values, found 16"),
    tensorCase(#"{"a":{"dtype":"F32","shape":[4]}}"#, "found no key 'data_offsets' in 'a'"),
    tensorCase(
      #"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0]}}"#, "found an unfit value at 'a'"),
    tensorCase(
      #"{"a":{"dtype":"F32","shape":["x"],"data_offsets":[0,16]}}"#,
      "found an unfit value at 'a.shape.Index 0'"),
    tensorCase(
      #"{"a":{"dtype":"F32","shape":[5],"data_offsets":[0,16]}}"#,
      "expected 5 values of float32, found 16 bytes"),
    tensorCase(
      #"{"a":{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}}"#, "expected -4 values"),
    tensorCase(
      #"{"a":{"dtype":"F32","shape":[4611686018427387908,4],"data_offsets":[0,16]}}"#,
      "expected 4611686018427387908 x 4 values of float32"),
    tensorCase(
      #"{"a":{"dtype":"F32","shape":[4],"data_offsets":[4,20]}}"#,
      "expected tensor 'a' to start at offset 0"),
    tensorCase(
      #"{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,1600]}}"#,
      "expected 1600 bytes of tensor values, found 16"),
    tensorCase(
      #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[3],"data_offsets":[4,16]}}"#,
      "expected tensor 'b' to start at offset 8, found offsets 4 to 16"),
    tensorCase(
      #"{"a":{"dtype":"F8_E5M2","shape":[16],"data_offsets":[0,16]}}"#, "found dtype 'F8_E5M2'"),
    tensorCase(
      #"{"__metadata__":{"k":1},"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}"#,
      "found an unfit value at '__metadata__.k'"),
  ]

  private static func textCase(_ text: String, _ message: String) -> BrokenFile {
    BrokenFile(text.debugDescription, "a.csv", message) { Array(text.utf8) }
  }

  static let text: [BrokenFile] = [
    textCase("1,2\n3,x\n", "a.csv:2:3: expected a number (cells are separated by ','), found 'x'"),
    textCase("a,b\n1,2\nc,d\n", ":3:1: expected a number"),
    textCase("a,b\nc,d\n1,2\n", ":2:1: expected a number"),
    textCase("1,2\n# note\n\n3,,4\n", ":4:3: expected a number"),
    textCase("1,2,\n", ":1:5: expected a number (cells are separated by ','), found an empty cell"),
    textCase("1,2\n3\n", ":2:1: expected 2 cells separated by ',', found 1"),
    textCase("1 2\n3 4 5\n", ":2:1: expected 2 cells separated by spaces, found 3"),
    textCase("0,5;0,7\n1;2\n", ":1:1: expected a number (cells are separated by ';'), found '0,5'"),
    textCase("1.2.3,--\n1,2\n", ":1:1: expected a number"),
    textCase("1;2\n0,5;0,7\n", ":2:1: expected a number (cells are separated by ';'), found '0,5'"),
    textCase("1,0x10\n", ":1:3: expected a number"),
    textCase("1,1e999\n", ":1:3: expected a number"),
    textCase("1,1_000\n", ":1:3: expected a number"),
    textCase("1,--1\n", ":1:3: expected a number"),
    textCase("a,b\n", "expected lines of numbers, found a header only"),
    textCase("# a\n\n  \n", "expected lines of numbers, found no data"),
    BrokenFile("bad UTF-8", "a.csv", "a.csv:1:3: expected a number") { [0x31, 0x2C, 0xFF, 0x0A] },
    BrokenFile("zero byte", "a.csv", "a.csv:1:3: expected a number") { [0x31, 0x2C, 0, 0x0A] },
    BrokenFile("endless line", "a.csv", "a.csv:1:1: expected a line of at most 16777216 bytes") {
      [UInt8](repeating: 0x31, count: (16 << 20) + (2 << 20))
    },
    BrokenFile("named variable", "a.csv", variable: "HT", "name no variable") {
      Array("1,2\n".utf8)
    },
  ]
}
