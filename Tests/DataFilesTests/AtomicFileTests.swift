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
