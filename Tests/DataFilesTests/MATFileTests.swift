import DataFiles
import Foundation
import Testing

/// MATLAB files made byte by byte, and those of other programs that are to be refused.
struct MATFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A v5 file: header and these elements.
  private static func file(_ elements: [UInt8], bigEndian: Bool = false) -> [UInt8] {
    Array("MATLAB 5.0 MAT-file".utf8) + [UInt8](repeating: 0x20, count: 105)
      + (bigEndian ? [1, 0, 0x4D, 0x49] : [0, 1, 0x49, 0x4D]) + elements
  }

  /// A data element with its tag and padding.
  private static func element(
    _ type: UInt32, _ data: [UInt8], bigEndian: Bool = false, size: UInt32? = nil
  ) -> [UInt8] {
    let count = size ?? UInt32(data.count)
    let tag = bigEndian ? big(type) + big(count) : little(type) + little(count)
    return tag + data + [UInt8](repeating: 0, count: (8 - data.count % 8) % 8)
  }

  /// A matrix named `a`.
  private static func matrix(
    class matlabClass: UInt32 = 6, flags: UInt32 = 0, shape: [Int32] = [2, 3],
    _ values: [UInt8], size: UInt32? = nil
  ) -> [UInt8] {
    let body =
      element(6, little(matlabClass | flags) + little(UInt32(0)))
      + element(5, shape.flatMap { little($0) }) + [1, 0, 1, 0, 0x61, 0, 0, 0] + values
    return element(14, body, size: size)
  }

  private static let doubles = (0..<6).flatMap { little(Double($0).bitPattern) }

  @Test func storedTypeMayBeSmallerThanTheClass() throws {
    let bytes = Self.file(Self.matrix(Self.element(2, [0, 1, 2, 3, 4, 5])))
    let array = try ArrayFile.read(folder.file("a.mat", bytes))
    #expect(array.elementType == .float64)
    #expect(array.shape == [2, 3])
    #expect(array.doubles() == [0, 2, 4, 1, 3, 5])
  }

  @Test func smallElementsHoldValues() throws {
    let bytes = Self.file(Self.matrix(shape: [1, 4], [1, 0, 4, 0, 0xFF, 2, 3, 4]))
    #expect(try ArrayFile.read(folder.file("a.mat", bytes)).doubles() == [-1, 2, 3, 4])
  }

  @Test func logicalsAreNumbers() throws {
    let bytes = Self.file(
      Self.matrix(class: 9, flags: 0x200, Self.element(2, [0, 1, 0, 1, 0, 1])))
    #expect(try ArrayFile.read(folder.file("a.mat", bytes)).doubles() == [0, 0, 0, 1, 1, 1])
    let flags = try ArrayFile.read(Fixture.path("several_v73.mat"), variable: "flags")
    #expect(flags.doubles() == [1, 0])
  }

  @Test func partsOfComplexArraysMayHaveDifferentTypes() throws {
    let values = Self.element(9, Self.doubles) + Self.element(1, [0, 255, 254, 253, 252, 251])
    let bytes = Self.file(Self.matrix(flags: 0x800, values))
    let array = try ArrayFile.read(folder.file("a.mat", bytes))
    #expect(array.isComplex)
    #expect(array.doubles() == [0, 0, 2, -2, 4, -4, 1, -1, 3, -3, 5, -5])
    let rows = try ArrayFile.open(folder.file("a.mat")).rows(1..<2)
    #expect(rows.doubles() == [1, -1, 3, -3, 5, -5])
  }

  /// Single bytes that make libhdf5 1.10 end the process by SIGABRT, or ask for absurd memory.
  @Test(arguments: [(17351, 0x10), (1260, 0xFF)] as [(Int, UInt8)])
  func damageThatLibhdf5DoesNotSurvive(_ position: Int, _ byte: UInt8) throws {
    let bytes = try Fixture.bytes("several_v73.mat")
    #expect(bytes[position] != byte)
    let path = try folder.file("a.mat", bytes.replacing(at: position, [byte]))
    let error = #expect(throws: DataFileError.self) { try ArrayFile.list(path) }
    #expect(error?.found.hasPrefix("damage that") == true, "\(String(describing: error))")
    // The next file is read as if nothing had been.
    #expect(try ArrayFile.list(Fixture.path("several_v73.mat")).count > 5)
  }

  /// Dimensions, flags and names in the types that other writers give them, in both byte orders.
  @Test(arguments: [1, 2, 3, 4, 5, 6, 12, 13] as [UInt32], [false, true])
  func dimensionsOfAnyIntegerType(_ type: UInt32, _ isBig: Bool) throws {
    func bytes(_ number: some FixedWidthInteger) -> [UInt8] { isBig ? big(number) : little(number) }
    let dimensions = [2, 3].flatMap { length -> [UInt8] in
      switch type {
      case 1, 2: bytes(UInt8(length))
      case 3, 4: bytes(UInt16(length))
      case 5, 6: bytes(UInt32(length))
      default: bytes(UInt64(length))
      }
    }
    func element(_ type: UInt32, _ data: [UInt8]) -> [UInt8] {
      Self.element(type, data, bigEndian: isBig)
    }
    // Up to 4 bytes may stand in the tag.
    let isSmall = dimensions.count <= 4
    let half = bytes(UInt16(type))
    let size = bytes(UInt16(dimensions.count))
    let small =
      (isBig ? size + half : half + size) + dimensions
      + [UInt8](repeating: 0, count: max(0, 4 - dimensions.count))
    let values = (0..<6).flatMap { bytes(Double($0).bitPattern) }
    let body =
      element(type == 5 ? 5 : 6, bytes(UInt32(6)) + bytes(UInt32(0)))
      + (isSmall ? small : element(type, dimensions)) + element(type == 2 ? 2 : 16, [0x61, 0x62])
      + element(9, values)
    let file = Self.file(element(14, body) + [0, 0, 0, 0, 0], bigEndian: isBig)
    let array = try ArrayFile.read(folder.file("a.mat", file))
    #expect(array.name == "ab" && array.shape == [2, 3])
    #expect(array.doubles() == [0, 2, 4, 1, 3, 5])
  }

  @Test func bigEndianFile() throws {
    func element(_ type: UInt32, _ data: [UInt8]) -> [UInt8] {
      Self.element(type, data, bigEndian: true)
    }
    let body =
      element(6, big(UInt32(7)) + big(UInt32(0))) + element(5, big(Int32(1)) + big(Int32(2)))
      + [0, 1, 0, 1, 0x61, 0, 0, 0]
      + element(7, big(Float(1.5).bitPattern) + big(Float(-2).bitPattern))
    let bytes = Self.file(element(14, body), bigEndian: true)
    let array = try ArrayFile.read(folder.file("a.mat", bytes))
    #expect(array.name == "a")
    #expect(array.floats() == [1.5, -2])
  }

  static let brokenV5: [BrokenFile] = [
    BrokenFile("no variables", "a.mat", "byte 128: expected a MATLAB variable, found the end") {
      file([])
    },
    BrokenFile("no MATLAB variable", "a.mat", "byte 128: expected a MATLAB variable, found data") {
      file(element(99, doubles))
    },
    BrokenFile("variable beyond file", "a.mat", "expected 2000000000 bytes of MATLAB variable") {
      file(matrix(element(9, doubles), size: 2_000_000_000))
    },
    BrokenFile("tag cut", "a.mat", "expected 8 bytes of MATLAB data element, found 3 bytes") {
      file(matrix(element(9, doubles)) + [1, 2, 3])
    },
    BrokenFile("shape too large", "a.mat", "expected 281474976710656 values") {
      file(matrix(shape: [1 << 24, 1 << 24], element(9, doubles)))
    },
    BrokenFile("shape overflows", "a.mat", "expected two or more dimensions that fit in memory") {
      file(matrix(shape: [.max, .max, .max], element(9, doubles)))
    },
    BrokenFile("shape negative", "a.mat", "dimensions that fit in memory, found -2 x 3") {
      file(matrix(shape: [-2, 3], element(9, doubles)))
    },
    BrokenFile("one dimension", "a.mat", "expected two or more dimensions") {
      file(matrix(shape: [6], element(9, doubles)))
    },
    BrokenFile("fewer values", "a.mat", "expected 6 values (2 x 3), found 40 bytes of float64") {
      file(matrix(element(9, doubles.dropLast(8))))
    },
    BrokenFile("values beyond variable", "a.mat", "expected 48 bytes of values, found 40 bytes") {
      file(matrix(element(9, doubles.dropLast(8), size: 48)))
    },
    BrokenFile("values of no type", "a.mat", "expected numbers as values, found data element") {
      file(matrix(element(16, doubles)))
    },
    BrokenFile("no imaginary parts", "a.mat", "expected 8 bytes of MATLAB data element") {
      file(matrix(flags: 0x800, element(9, doubles)))
    },
    BrokenFile("long small element", "a.mat", "expected a small data element of at most 4 bytes") {
      file(matrix([9, 0, 48, 0] + doubles + [0, 0, 0, 0]))
    },
    BrokenFile("dimensions of another type", "a.mat", "expected dimensions (element type 5") {
      file(matrix(element(9, doubles)).replacing(at: 24, [9]))
    },
    BrokenFile("dimensions beyond Int", "a.mat", "expected two or more dimensions that fit") {
      let body =
        element(6, little(UInt32(6)) + little(UInt32(0)))
        + element(13, little(UInt64.max) + little(UInt64(1))) + [1, 0, 1, 0, 0x61, 0, 0, 0]
        + element(9, doubles)
      return file(element(14, body))
    },
    BrokenFile("class 99", "a.mat", "found unknown class 99") {
      file(matrix(class: 99, element(9, doubles)))
    },
    BrokenFile("name twice", "a.mat", variable: "a", "expected one variable of that name") {
      file(matrix(element(9, doubles)) + matrix(element(9, doubles)))
    },
    BrokenFile("not deflated", "a.mat", "expected deflated data, found unknown compression method")
    {
      file(element(15, doubles))
    },
    BrokenFile("Adler-32", "umi.mat", "expected deflated data, found incorrect data check") {
      let bytes = try Fixture.bytes("umi_los_20_v5.mat")
      return bytes.dropLast() + [bytes.last! ^ 1]
    },
    BrokenFile("several, none named", "a.mat", "words (not numeric: text)") {
      try Fixture.bytes("matlab_several.mat")
    },
    BrokenFile("v4", "a.mat", "v4 files are not read") {
      little(UInt32(0)) + little(UInt32(1)) + little(UInt32(1)) + little(UInt32(0))
        + little(UInt32(2)) + [0x61, 0] + little(Double(1).bitPattern)
    },
  ]

  static let refusedVariables: [(file: String, variable: String, message: String)] = [
    ("matlab_several", "words", "expected a full numeric array, found text"),
    ("matlab_several", "cells", "found a cell array"),
    ("matlab_several", "sparse", "found a sparse matrix"),
    ("several_v73", "words", "expected an array of numbers, found MATLAB class 'char'"),
    ("several_v73", "nothing", "found an empty MATLAB array"),
    ("several_v73", "outside", "expected values inside the file, found an external dataset"),
    ("several_v73", "virtual", "expected values inside the file, found a virtual dataset"),
    ("several_v73", "beyond", "expected integers that Double holds exactly"),
    ("several_v73", "soft", "expected one variable of that name"),
    ("elsewhere_v73", "here", "expected links inside the file, found a link to another file"),
    (
      "dense_v73", "variable_0",
      "expected a file as MATLAB writes it, found links or attributes in a heap"
    ),
  ]

  @Test(arguments: refusedVariables)
  func whatIsNoNumericArrayIsRefused(_ name: String, _ variable: String, _ message: String) {
    let error = #expect(throws: DataFileError.self) {
      try ArrayFile.read(Fixture.path("\(name).mat"), variable: variable)
    }
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    #expect(error?.variable == variable || ["dense_v73", "elsewhere_v73"].contains(name))
  }

  @Test(arguments: brokenV5 + brokenV73)
  func isRefused(_ file: BrokenFile) throws {
    let path = try folder.file(file.name, file.bytes())
    let error = #expect(throws: DataFileError.self) {
      try ArrayFile.read(path, variable: file.variable)
    }
    let text = error?.description ?? ""
    #expect(text.contains(file.message), "\(text)")
  }

  private static func track(_ at: Int, _ bytes: [UInt8]) -> @Sendable () throws -> [UInt8] {
    { try Fixture.bytes("track_complex_v73.mat").replacing(at: at, bytes) }
  }

  /// Where `needle` first stands in a fixture.
  private static func position(_ needle: [UInt8], _ name: String) throws -> Int {
    Data(try Fixture.bytes(name)).range(of: Data(needle))!.lowerBound
  }

  static let brokenV73: [BrokenFile] = [
    BrokenFile("signature only", "a.mat", "expected an HDF5 superblock, found one that is damaged")
    {
      try Array(Fixture.bytes("track_complex_v73.mat").prefix(520))
    },
    BrokenFile("truncated", "a.mat", "expected an HDF5 file, found damaged HDF5 data: truncated") {
      try Array(Fixture.bytes("track_complex_v73.mat").dropLast(1))
    },
    BrokenFile("superblock version", "a.mat", "expected an HDF5 superblock", track(520, [77])),
    BrokenFile("compound member beyond its type", "a.mat", "expected a ") {
      let bytes = try Fixture.bytes("track_complex_v73.mat")
      let member = try position(Array("imag".utf8), "track_complex_v73.mat")
      return bytes.replacing(at: member + 8, [0, 0, 2, 0])
    },
    BrokenFile("values damaged", "a.mat", "found a wrong Fletcher-32 checksum") {
      let bytes = try Fixture.bytes("umi_los_200_v73.mat")
      let middle = bytes.count / 2
      return bytes.replacing(at: middle, [bytes[middle] ^ 1])
    },
  ]

  @Test func v73VariablesOfEveryType() throws {
    let path = Fixture.path("several_v73.mat")
    let counted = FixtureTests.counted
    for name in ["packed", "plain", "big_endian"] {
      #expect(try ArrayFile.read(path, variable: name).doubles() == counted, "\(name)")
    }
    let pairs = try ArrayFile.read(path, variable: "pairs")
    #expect(pairs.isComplex)
    #expect(pairs.elementType == .float64)
    #expect(pairs.doubles() == counted.flatMap { [$0, -$0] })
    for type in ElementType.allCases where type.isInteger {
      let array = try ArrayFile.read(path, variable: "\(type.rawValue)_numbers")
      #expect(array.elementType == type)
      #expect(array.doubles() == counted.map { $0.truncatingRemainder(dividingBy: 100) })
    }
    for (row, name) in [(0, "packed"), (1, "packed"), (2, "packed"), (1, "pairs"), (2, "plain")] {
      let reader = try ArrayFile.open(path, variable: name)
      let perRow = reader.info.isComplex ? 16 : 8
      let whole = try reader.read().doubles()
      #expect(
        try reader.rows(row..<row + 1).doubles() == Array(whole[row * perRow..<(row + 1) * perRow]))
    }
  }
}
