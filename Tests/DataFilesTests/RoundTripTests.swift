import DataFiles
import Foundation
import Testing

struct RoundTripTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static let awkward: [Float] = [
    0, -0.0, 1, -1.5, 3.1415927, 1.1754944e-38, 0x1p-149, 3.4028235e38, 0.1, 16_777_216, -7e-20, 42,
  ]

  static let real = NumericArray(name: "real", shape: [3, 4], floats: awkward)
  static let double = NumericArray(
    name: "double", shape: [4, 3], doubles: awkward.map { Double($0) * (1 + 0x1p-40) })
  static let complex = NumericArray(
    name: "complex", shape: [3, 2], isComplex: true, floats: awkward)
  static let complexDouble = NumericArray(
    name: "complexDouble", shape: [2, 1, 3], isComplex: true,
    doubles: awkward.map { Double($0) / 3 })

  @Test(
    arguments: [real, double, complex, complexDouble], ["npy", "npz", "mat"])
  func everyBinaryFormat(_ array: NumericArray, _ suffix: String) throws {
    let path = folder.file("a.\(suffix)")
    try ArrayFile.write([array], to: path)
    let back = try ArrayFile.read(path)
    #expect(back.values == array.values)
    #expect(back.shape == array.shape)
    #expect(back.isComplex == array.isComplex)
    #expect(back.elementType == array.elementType)
    #expect(back.name == (suffix == "npy" ? nil : array.name))
  }

  /// Complex numbers of single precision have a type of their own in .safetensors.
  @Test func complexTensors() throws {
    let path = folder.file("a.safetensors")
    try ArrayFile.write([Self.complex], to: path)
    #expect(try ArrayFile.read(path) == Self.complex)
    #expect(try String(decoding: read(path), as: UTF8.self).contains("\"dtype\":\"C64\""))
  }

  @Test(arguments: ["npz", "mat", "safetensors"])
  func severalArraysKeepNamesAndOrder(_ suffix: String) throws {
    let path = folder.file("several.\(suffix)")
    try ArrayFile.write([Self.real, Self.double], to: path)
    #expect(try ArrayFile.readAll(path) == [Self.real, Self.double])
    #expect(try ArrayFile.read(path, variable: "double") == Self.double)
  }

  @Test(arguments: [real, double])
  func textGivesTheSameNumbers(_ array: NumericArray) throws {
    let path = folder.file("a.csv")
    try ArrayFile.write([array], to: path)
    let back = try ArrayFile.read(path)
    #expect(back.shape == array.shape)
    if case .float(let floats) = array.values {
      #expect(back.floats() == floats)
    } else {
      #expect(back.doubles() == array.doubles())
    }
  }

  @Test func notFiniteValuesSurvive() throws {
    let array = NumericArray(name: "a", shape: [1, 3], floats: [1, .infinity, .nan])
    for suffix in ["npy", "npz", "mat", "csv", "safetensors"] {
      let path = folder.file("a.\(suffix)")
      try ArrayFile.write([array], to: path)
      let back = try ArrayFile.read(path)
      #expect(back.firstNonFiniteIndex == 1)
      #expect(back.floats()[1] == .infinity && back.floats()[2].isNaN, "\(suffix)")
    }
  }

  @Test func integersKeepTheirType() throws {
    let integers = try ["le_i2", "be_i4", "le_i8", "le_u8", "i1"].map { (name: String) in
      try ArrayFile.read(Fixture.path("numpy_\(name).npy")).named(name)
    }
    for suffix in ["npz", "mat", "safetensors"] {
      let path = folder.file("integers.\(suffix)")
      try ArrayFile.write(integers, to: path)
      #expect(try ArrayFile.readAll(path) == integers, "\(suffix)")
    }
  }

  @Test func halfPrecisionIsWidened() throws {
    let array = try ArrayFile.read(Fixture.path("numpy_le_f2.npy")).named("half")
    try ArrayFile.write([array], to: folder.file("half.safetensors"))
    let back = try ArrayFile.read(folder.file("half.safetensors"))
    #expect(back.elementType == .float32)
    #expect(back.values == array.values)
  }

  @Test func safetensorsMetadata() throws {
    let metadata = ["format": "csilink", "quoted \"key\"\n": "tab\t\\ é \u{1}"]
    let path = folder.file("weights.safetensors")
    try ArrayFile.write([Self.real], metadata: metadata, to: path)
    #expect(try ArrayFile.metadata(path) == metadata)
    #expect(try ArrayFile.read(path, variable: "real") == Self.real)
  }

  @Test func scalarsVectorsAndEmptyArrays() throws {
    let scalar = NumericArray(name: "s", shape: [], floats: [7])
    let vector = NumericArray(name: "v", shape: [3], floats: [1, 2, 3])
    let empty = NumericArray(name: "e", shape: [0, 5], floats: [])
    for suffix in ["npz", "safetensors"] {
      try ArrayFile.write([scalar, vector, empty], to: folder.file("a.\(suffix)"))
      #expect(try ArrayFile.readAll(folder.file("a.\(suffix)")) == [scalar, vector, empty])
    }
    try ArrayFile.write([scalar, vector], to: folder.file("a.mat"))
    #expect(try ArrayFile.list(folder.file("a.mat")).map(\.shape) == [[1, 1], [3, 1]])
    try ArrayFile.write([vector], to: folder.file("v.csv"))
    #expect(try ArrayFile.read(folder.file("v.csv")).shape == [3, 1])
  }

  @Test(arguments: ["npy", "npz", "mat", "csv", "safetensors"])
  func equalArraysGiveEqualBytes(_ suffix: String) throws {
    for name in ["a", "b"] {
      try ArrayFile.write([Self.real], to: folder.file("\(name).\(suffix)"))
    }
    #expect(try read(folder.file("a.\(suffix)")) == read(folder.file("b.\(suffix)")))
    #expect(try folder.contents == ["a.\(suffix)", "b.\(suffix)"])
  }

  /// The file is the one NumPy writes for the same array, to the byte.
  @Test(arguments: ["le_f4", "le_f8", "le_i2", "complex64", "i1"])
  func npyBytesAreNumPys(_ name: String) throws {
    let path = Fixture.path("numpy_\(name).npy")
    try ArrayFile.write([try ArrayFile.read(path)], to: folder.file("a.npy"))
    #expect(try read(folder.file("a.npy")) == read(path))
  }

  static let refused: [(String, [NumericArray], String)] = [
    ("a.npy", [real, double], "expected one array, found 2"),
    (
      "a.csv", [complex],
      "expected a real array of one or two axes with elements, found complex 3 x 2"
    ),
    (
      "a.safetensors", [complexDouble],
      "expected a real or single-precision complex array, found complexDouble (2 x 1 x 3 complex float64)"
    ),
    ("a.npz", [NumericArray(shape: [1], floats: [1])], "found an array without a name"),
    ("a.npz", [real, real], "found the name again or an empty name"),
    ("a.mat", [NumericArray(name: "1st", shape: [1], floats: [1])], "a MATLAB name"),
    ("a.mat", [NumericArray(name: "e", shape: [0, 2], floats: [])], "found 0 x 2"),
    ("a.bin", [real], "expected an extension"),
    ("none/a.npy", [real], "expected a writable directory, found No such file or directory"),
  ]

  @Test(arguments: refused)
  func whatAFormatCannotHoldIsRefused(
    _ name: String, _ arrays: [NumericArray], _ message: String
  ) throws {
    let error = #expect(throws: DataFileError.self) {
      try ArrayFile.write(arrays, to: folder.file(name))
    }
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    #expect(try folder.contents.isEmpty)
  }
}
