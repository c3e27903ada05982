import DataFiles
import Foundation
import Testing

/// Files written row by row.
struct RowWriterTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let formats: [ArrayFormat] = [.npy, .npz, .mat5, .mat73, .safetensors]

  /// Values that tell where they belong; 300 rows of 6 KiB need two chunks of a v7.3 file.
  private static let real = NumericArray(
    name: "real", shape: [300, 3, 512], floats: (0..<300 * 1536).map { Float($0) })
  private static let complex = NumericArray(
    name: "complex", shape: [7, 3, 2, 2], isComplex: true,
    floats: (0..<7 * 24).map { Float($0) / 3 })
  private static let complexDouble = NumericArray(
    name: "z", shape: [5, 4], isComplex: true, doubles: (0..<40).map { Double($0) / 7 })

  private func slice(_ array: NumericArray, _ range: Range<Int>) -> NumericArray.Values {
    let size = array.values.count / array.shape[0]
    let values = range.lowerBound * size..<range.upperBound * size
    switch array.values {
    case .float(let floats): return .float(Array(floats[values]))
    case .double(let doubles): return .double(Array(doubles[values]))
    }
  }

  /// However the rows are divided, the bytes are the same, and every reader gets the array back.
  @Test(arguments: formats, [real, complex, complexDouble])
  func rowsInAnyPieces(_ format: ArrayFormat, _ array: NumericArray) throws {
    if format == .safetensors && array.name == "z" { return }
    var first: [UInt8]?
    for step in [1, 3, array.shape[0]] {
      let path = folder.file("step\(step).\(format.suffix)")
      let writer = try ArrayFileWriter(path, [array.info], format: format)
      for start in stride(from: 0, to: array.shape[0], by: step) {
        try writer.append(slice(array, start..<min(start + step, array.shape[0])))
      }
      try writer.finish()
      let back = try ArrayFile.read(path)
      #expect(back.named(array.name) == array)
      let bytes = try read(path)
      #expect(first == nil || bytes == first, "step \(step)")
      first = bytes
      let some = try ArrayFile.open(path).rows(2..<5)
      #expect(some.values == slice(array, 2..<5))
    }
    #expect(try folder.contents.count == 3)
  }

  @Test(arguments: [ArrayFormat.npz, .mat5, .mat73])
  func severalArraysInOrder(_ format: ArrayFormat) throws {
    let arrays = [Self.complex, Self.complexDouble, Self.real]
    let path = folder.file("several.\(format.suffix)")
    let writer = try ArrayFileWriter(path, arrays.map(\.info), format: format)
    for array in arrays { try writer.append(array.values) }
    try writer.finish()
    for array in arrays {
      #expect(try ArrayFile.read(path, variable: array.name) == array)
    }
  }

  @Test func version73HasMATLABsHeader() throws {
    let path = folder.file("a.mat")
    let writer = try ArrayFileWriter(path, [Self.complex.info], format: .mat73)
    try writer.append(Self.complex.values)
    try writer.finish()
    let bytes = try read(path)
    #expect(bytes.starts(with: Array("MATLAB 7.3 MAT-file".utf8)))
    #expect(Array(bytes[124..<128]) == [0, 2, 0x49, 0x4D])
    #expect(Array(bytes[512..<520]) == [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A])
  }

  /// MATLAB takes the class of a variable from an attribute; behind its name come its type, its space and its value.
  @Test func version73NamesMATLABsClass() throws {
    let integers = try ArrayFile.read(Fixture.path("numpy_le_i2.npy")).named("n")
    for (array, name) in [
      (Self.complex, "single"), (Self.complexDouble, "double"), (integers, "int16"),
    ] {
      let path = folder.file("\(name).mat")
      let writer = try ArrayFileWriter(path, [array.info], format: .mat73)
      try writer.append(array.values)
      try writer.finish()
      let bytes = try read(path)
      let attribute = try #require(bytes.firstRange(of: Array("MATLAB_class".utf8)))
      let value = bytes[attribute.upperBound...].prefix(64)
      #expect(value.firstRange(of: Array(name.utf8)) != nil, "\(name)")
    }
  }

  /// Chunks with the high byte first, as other writers may have them: the bytes of the values and the order bit of their
  /// type are exchanged in the file.
  @Test func version73ChunksWithTheHighByteFirst() throws {
    let array = NumericArray(name: "x", shape: [3, 2], floats: [1.5, -2.25, 3, 1e-3, 5e7, 7])
    let writer = try ArrayFileWriter(folder.file("low.mat"), [array.info], format: .mat73)
    try writer.append(array.values)
    try writer.finish()
    var bytes = try read(folder.file("low.mat"))
    // Floating point, low byte first, sign in bit 31, of 4 bytes.
    let type = try #require(bytes.firstRange(of: [0x11, 0x20, 0x1F, 0, 4, 0, 0, 0]))
    bytes[type.lowerBound + 1] |= 1
    let columns = [1.5, 3, 5e7, -2.25, 1e-3, 7].map { Float($0).bitPattern }
    let stored = { (words: [UInt32]) in
      words.flatMap { word in withUnsafeBytes(of: word) { Array($0) } }
    }
    let place = try #require(bytes.firstRange(of: stored(columns.map(\.littleEndian))))
    bytes.replaceSubrange(place, with: stored(columns.map(\.bigEndian)))
    try Data(bytes).write(to: URL(filePath: folder.file("high.mat")))
    #expect(try ArrayFile.read(folder.file("high.mat")) == array)
    #expect(try ArrayFile.open(folder.file("high.mat")).rows(1..<2).floats() == [3, 1e-3])
  }

  @Test func integersKeepTheirType() throws {
    for name in ["le_i2", "be_i4", "le_i8", "le_u8", "i1"] {
      let array = try ArrayFile.read(Fixture.path("numpy_\(name).npy")).named("a")
      let writer = try ArrayFileWriter(folder.file("a.mat"), [array.info], format: .mat73)
      try writer.append(array.values)
      try writer.finish()
      #expect(try ArrayFile.read(folder.file("a.mat")) == array)
    }
  }

  @Test(arguments: formats)
  func unfinishedLeavesTheOldFile(_ format: ArrayFormat) throws {
    let path = folder.file("a.\(format.suffix)")
    try AtomicFile.write("old", to: path)
    do {
      let writer = try ArrayFileWriter(path, [Self.real.info], format: format)
      try writer.append(slice(Self.real, 0..<2))
    }
    #expect(try folder.contents == ["a.\(format.suffix)"])
    #expect(try read(path) == Array("old".utf8))
  }

  /// The shapes alone decide: nothing of that size is written.
  @Test func limits() throws {
    let large = ArrayInfo(
      name: "a", shape: [300_000, 2048], isComplex: false, elementType: .float32)
    #expect(try ArrayFormat(of: "a.mat", for: [large]) == .mat73)
    #expect(try ArrayFormat(of: "a.mat", for: [Self.real.info]) == .mat5)
    let error = #expect(throws: DataFileError.self) {
      try ArrayFileWriter(folder.file("a.mat"), [large], format: .mat5)
    }
    #expect(error?.description.contains("write v7.3") == true, "\(error?.description ?? "")")
    #expect(try folder.contents.isEmpty)
  }
}
