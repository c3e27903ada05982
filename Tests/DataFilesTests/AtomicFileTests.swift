import DataFiles
import Foundation
import Testing

struct AtomicFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func replacesTheContent() throws {
    let path = folder.file("a.txt")
    try AtomicFile.write("first and longer", to: path)
    try AtomicFile.write(Data("second".utf8), to: path)
    #expect(try read(path) == Array("second".utf8))
    #expect(try folder.contents == ["a.txt"])
  }

  @Test func failureKeepsTheOldContent() throws {
    let path = folder.file("a.txt")
    try AtomicFile.write("old", to: path)
    let refusal = DataFileError(file: path, expected: "success", found: "a test")
    let error = #expect(throws: DataFileError.self) {
      try AtomicFile.write(to: path) { output throws(DataFileError) in
        try output.write(Array("new".utf8))
        throw refusal
      }
    }
    #expect(error == refusal)
    #expect(try read(path) == Array("old".utf8))
    #expect(try folder.contents == ["a.txt"])
  }

  @Test func directoryIsNotReplaced() throws {
    let path = folder.file("folder")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    let error = #expect(throws: DataFileError.self) { try AtomicFile.write("text", to: path) }
    #expect(error?.description == "\(path): expected a replaceable file, found Is a directory")
    #expect(try folder.contents == ["folder"])
  }

  /// What a killed writer left goes with the next one; files of living writers and of others stay.
  @Test func leftoversGoUnlessHeld() throws {
    let path = folder.file("a.npy")
    let left = ["a.npy.0.tmp", "a.npy.3w5e11264sgsf.tmp"]
    let foreign = [
      "a.npy.tmp", "a.npy.3W5.tmp", "a.npy.3w5e11264sgsfx.tmp", "b.npy.1z.tmp", "a.1z.tmp",
      "a.npy.1z.tmp.npy",
    ]
    for name in left + foreign { _ = try folder.file(name, [1]) }
    let held = open(try folder.file("a.npy.1held1.tmp", [1]), O_RDONLY)
    defer { close(held) }
    #expect(flock(held, LOCK_EX | LOCK_NB) == 0)
    #expect(symlink(folder.file("b.npy.1z.tmp"), folder.file("a.npy.1link1.tmp")) == 0)
    let others = ["a.npy.1held1.tmp", "a.npy.1link1.tmp"]
    let array = NumericArray(shape: [2], floats: [1, 2])
    try ArrayFile.write([array], to: path)
    #expect(try folder.contents == (foreign + others + ["a.npy"]).sorted())
    #expect(try ArrayFile.read(path) == array)
  }

  /// Two writers of one file at once do not take each other's temporary files for leftovers.
  @Test(arguments: ["a.npy", "a.npz", "a.mat", "a.safetensors", "a.csv"])
  func writersAtOnce(_ name: String) throws {
    let infos = [ArrayInfo(name: "H", shape: [4, 2], isComplex: false, elementType: .float32)]
    let writers = try (0..<3).map { _ in try ArrayFileWriter(folder.file(name), infos) }
    #expect(try folder.contents.count == 3)
    for (index, writer) in writers.enumerated() {
      try writer.append(.float([Float](repeating: Float(index), count: 8)))
      try writer.finish()
      #expect(try ArrayFile.read(folder.file(name)).floats().allSatisfy { $0 == Float(index) })
    }
    #expect(try folder.contents == [name])
  }

  @Test func emptyContentIsContent() throws {
    try AtomicFile.write([UInt8](), to: folder.file("empty"))
    #expect(try read(folder.file("empty")) == [])
  }

  @Test func errorTextNamesThePlaceAndIsPrintable() {
    let error = DataFileError(
      file: "a.mat", variable: "H\u{1B}[31m", place: .byte(132), expected: "x", found: "y",
      hint: "z")
    #expect(
      error.description
        == "a.mat: variable 'H\u{FFFD}[31m': byte 132: expected x, found y\n  hint: z")
    let place = DataFileError(
      file: "a.csv", place: .text(line: 3, column: 7), expected: "x", found: "y")
    #expect(place.description == "a.csv:3:7: expected x, found y")
  }
}
