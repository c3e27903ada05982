import DataFiles
import Testing

struct TextAndZipTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static let tables: [(String, [Int], [Double])] = [
    ("1,2\n3,4\n", [2, 2], [1, 2, 3, 4]),
    ("1,2\r\n3,4", [2, 2], [1, 2, 3, 4]),
    ("1;2;3\n", [1, 3], [1, 2, 3]),
    (" 1\t 2  3 \n4 5 6\n", [2, 3], [1, 2, 3, 4, 5, 6]),
    ("\u{FEFF}snr,nmse\n1,2\n", [1, 2], [1, 2]),
    ("\u{FEFF}1,2\n", [1, 2], [1, 2]),
    ("# a, b\nx\n\n# c\n7 # d\n8\n", [2, 1], [7, 8]),
    ("-1e-3 , +2.5E2,.5,5.\n", [1, 4], [-0.001, 250, 0.5, 5]),
    ("1,inf\n-Infinity,2\n", [2, 2], [1, .infinity, -.infinity, 2]),
    // Fortran: D exponents, three digits without a letter.
    ("1.5D+02,-2d-1\n.25D0,1D3\n", [2, 2], [150, -0.2, 0.25, 1000]),
    ("  0.1250000000000000-101 -2.+100\n", [1, 2], [0.125e-101, -2e100]),
    ("a1,d2\n3,4\n", [1, 2], [3, 4]),
  ]

  /// As written by NumPy (`str` and `savetxt`, old and new), MATLAB and R.
  static let complexTables: [(String, [Int], [Double])] = [
    ("(1+2j),(-3.5-4e-3j)\n", [1, 2], [1, 2, -3.5, -4e-3]),
    (
      " (1.0e+00+-2.0e+00j)  (3.0e-01+4.0e+02j)\n(1+0j) 2.5j\n", [2, 2],
      [1, -2, 0.3, 400, 1, 0, 0, 2.5]
    ),
    ("re,im\n1+2i,3\n-4,5-6I\n", [2, 2], [1, 2, 3, 0, -4, 0, 5, -6]),
    ("1;i\n-j;2-i\n", [2, 2], [1, 0, 0, 1, 0, -1, 2, -1]),
    ("0.5 + 0.25i, -1 - 2i\n", [1, 2], [0.5, 0.25, -1, -2]),
    ("(nan+infj),(-inf-1j)\n", [1, 2], [.nan, .infinity, -.infinity, -1]),
    ("1.5D1+2D-1i,0\n", [1, 2], [15, 0.2, 0, 0]),
  ]

  @Test(arguments: complexTables)
  func complexTextIsRead(_ text: String, _ shape: [Int], _ values: [Double]) throws {
    let array = try ArrayFile.read(folder.file("a.csv", text.utf8))
    #expect(array.isComplex && array.shape == shape)
    #expect(array.doubles().map(\.description) == values.map(\.description))
    let last = try ArrayFile.open(folder.file("a.csv")).rows(shape[0] - 1..<shape[0])
    #expect(last.doubles().map(\.description) == values.suffix(2 * shape[1]).map(\.description))
  }

  @Test(arguments: [
    ("1,2\n3,4+5j\n", 2, 3, "real by its first line"), ("1+2j,3\n4,5+6k\n", 2, 3, "'5+6k'"),
    ("1+2j,3\n4,5+6\n", 2, 3, "'5+6'"), ("(1+2j,3j\n", 1, 1, "'(1+2j'"),
    ("1+2j,1++2j\n", 1, 6, "'1++2j'"), ("1--2j,1j\n", 1, 1, "'1--2j'"),
    ("1+2j,3j,4\n1j,2j\n", 2, 1, "found 2"), ("1D,2\n", 1, 1, "'1D'"),
    ("1,2D+\n", 1, 3, "'2D+'"), ("1,2-30\n", 1, 3, "'2-30'"),
  ])
  func otherTextIsRefused(_ text: String, _ line: Int, _ column: Int, _ message: String) throws {
    let error = #expect(throws: DataFileError.self) {
      try ArrayFile.read(folder.file("a.csv", text.utf8))
    }
    #expect(error?.place == .text(line: line, column: column))
    #expect(error.map { "\($0)".contains(message) } == true, "\(String(describing: error))")
  }

  /// A first line that counts the columns is data, and the reader says so.
  @Test(arguments: [
    ("0,1,2\n5,6,7\n", true), ("# x\n\n1 2 3 4\n5 6 7 8\n", true), ("0,1,2\n", false),
    ("0,1,3\n5,6,7\n", false), ("a,b\n0,1\n2,3\n", true), ("1\n2\n", false),
  ])
  func countedColumnsAreMentioned(_ text: String, _ isMentioned: Bool) throws {
    let note = try ArrayFile.open(folder.file("a.csv", text.utf8)).note
    #expect((note != nil) == isMentioned)
    if text.hasPrefix("#") { #expect(note?.contains("line 3 ") == true) }
  }

  @Test(arguments: tables)
  func textIsRead(_ text: String, _ shape: [Int], _ values: [Double]) throws {
    let array = try ArrayFile.read(folder.file("a.csv", text.utf8))
    #expect(array.shape == shape)
    #expect(array.doubles() == values)
    #expect(array.elementType == .float64)
  }

  /// More rows than one step of the index and more bytes than one piece of the file.
  @Test func longTextIsIndexed() throws {
    let count = 150_000
    var text = "number,square\n"
    for row in 0..<count {
      if row % 1000 == 0 { text += "# row \(row)\n\n" }
      text += "\(row),\(row * row)\n"
    }
    let reader = try ArrayFile.open(folder.file("a.csv", text.utf8))
    #expect(reader.info.shape == [count, 2])
    for start in [0, 1, 63, 64, 65, 999, 1000, 77_777, count - 3] {
      let rows = try reader.rows(start..<start + 3).doubles()
      let expected: [Double] = (start..<start + 3).flatMap { (row: Int) -> [Double] in
        [Double(row), Double(row * row)]
      }
      #expect(rows == expected)
    }
    #expect(try reader.read().values.count == 2 * count)
  }

  @Test func errorsCountLinesFromAnywhere() throws {
    var text = (0..<1000).map { "\($0),1\n" }.joined()
    text += "1,oops\n"
    let reader = try ArrayFile.open(folder.file("a.csv", text.utf8))
    let error = #expect(throws: DataFileError.self) { try reader.rows(1000..<1001) }
    #expect(error?.place == .text(line: 1001, column: 3))
  }

  /// A stored member whose sizes and position stand in zip64 fields, as NumPy writes large ones.
  @Test func zip64() throws {
    let array = npy(
      "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
      little(Float(1).bitPattern) + little(Float(2).bitPattern))
    // CRC-32 by its definition, reflected polynomial 0xEDB88320.
    var crc = UInt32.max
    for byte in array {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
    let fields = [45, 0, 0, 0, 0, 0, 0, 0, 0, 0] + little(~crc)
    let name = Array("a.npy".utf8)
    let lengths = little(UInt16(name.count))
    let all = little(UInt32.max)
    let local =
      [0x50, 0x4B, 3, 4] + fields + all + all + lengths + little(UInt16(20)) + name
      + little(UInt16(1)) + little(UInt16(16)) + little(UInt64(array.count))
      + little(UInt64(array.count))
    let entry =
      [0x50, 0x4B, 1, 2, 45, 0] + fields + all + all + lengths + little(UInt16(28))
      + [0, 0, 0, 0, 0, 0, 0, 0, 0, 0] + all + name + little(UInt16(1)) + little(UInt16(24))
      + little(UInt64(array.count)) + little(UInt64(array.count)) + little(UInt64(0))
    let directoryStart = UInt64(local.count + array.count)
    let end64 =
      [0x50, 0x4B, 6, 6] + little(UInt64(44)) + [45, 0, 45, 0]
      + little(UInt32(0)) + little(UInt32(0)) + little(UInt64(1)) + little(UInt64(1))
      + little(UInt64(entry.count)) + little(directoryStart)
    let locator =
      [0x50, 0x4B, 6, 7] + little(UInt32(0))
      + little(directoryStart + UInt64(entry.count)) + little(UInt32(1))
    let end = [0x50, 0x4B, 5, 6, 0, 0, 0, 0, 255, 255, 255, 255] + all + all + [0, 0]
    let file = local + array + entry + end64 + locator + end
    #expect(try ArrayFile.read(folder.file("a.npz", file)).floats() == [1, 2])
  }

  /// Beyond 64 MiB the inflated array is kept in a temporary file.
  @Test func largeDeflatedArrayIsReadByRows() throws {
    let reader = try ArrayFile.open(Fixture.path("numpy_large.npz"))
    #expect(reader.info.shape == [4400, 4096])
    let rows = try reader.rows(4398..<4400).floats()
    #expect(rows.prefix(4096).allSatisfy { $0 == 0 })
    #expect(Array(rows.suffix(4096)) == (0..<4096).map { Float($0) })
  }

  @Test func halfPrecisionValues() throws {
    let halves: [(UInt16, Float)] = [
      (0x0000, 0), (0x3C00, 1), (0xC000, -2), (0x7BFF, 65504), (0x0400, 0x1p-14),
      (0x0001, 0x1p-24), (0x83FF, -0x3FFp-24), (0x7C00, .infinity), (0xFC00, -.infinity),
      (0x3555, 0.333251953125),
    ]
    let header =
      #"{"a":{"dtype":"F16","shape":[10],"data_offsets":[0,20]},"#
      + #""b":{"dtype":"BF16","shape":[2],"data_offsets":[20,24]}}"#
    let values = halves.flatMap { little($0.0) } + little(UInt16(0x3F80)) + little(UInt16(0xC040))
    let path = try folder.file("a.safetensors", safetensors(header, values))
    #expect(try ArrayFile.read(path, variable: "a").floats() == halves.map(\.1))
    #expect(try ArrayFile.read(path, variable: "b").floats() == [1, -3])
    #expect(try ArrayFile.list(path).map(\.elementType) == [.float16, .bfloat16])
    let nan = try folder.file(
      "n.safetensors",
      safetensors(
        #"{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}"#, little(UInt16(0x7E00))))
    #expect(try ArrayFile.read(nan).floats()[0].isNaN)
  }
}
