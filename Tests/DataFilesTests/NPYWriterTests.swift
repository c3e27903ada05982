import DataFiles
import Foundation
import Testing

struct NPYWriterTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func equalsTheArrayWrittenWhole() throws {
    let values = (0..<7 * 6).map { Float($0) * 0.1 - 2 }
    let writer = try NPYWriter(folder.file("rows.npy"), rowShape: [2, 3])
    for rows in [0..<1, 1..<1, 1..<5, 5..<7] {
      try writer.append(Array(values[rows.lowerBound * 6..<rows.upperBound * 6]))
    }
    #expect(writer.rowCount == 7)
    try writer.finish()
    try ArrayFile.write(
      [NumericArray(shape: [7, 2, 3], floats: values)], to: folder.file("whole.npy"))
    #expect(try read(folder.file("rows.npy")) == read(folder.file("whole.npy")))
    #expect(try folder.contents == ["rows.npy", "whole.npy"])
  }

  /// A header that would be shorter with few rows keeps the room that was left for many.
  @Test(arguments: [[], [7], [1, 1, 1, 1, 1, 1, 1, 1, 1, 12], [10_000, 10_000, 10_000, 100_000]])
  func everyRowShapeIsRead(_ rowShape: [Int]) throws {
    let path = folder.file("a.npy")
    let writer = try NPYWriter(path, rowShape: rowShape)
    let size = rowShape.reduce(1, *)
    let rows = size > 1000 ? 0 : 3
    try writer.append([Float](repeating: 0.25, count: rows * size))
    try writer.finish()
    let back = try ArrayFile.read(path)
    #expect(back.shape == [rows] + rowShape)
    #expect(back.elementType == .float32)
    #expect(back.floats() == [Float](repeating: 0.25, count: rows * size))
  }

  @Test func unfinishedLeavesTheOldFile() throws {
    let path = folder.file("a.npy")
    try AtomicFile.write("old", to: path)
    var writer: NPYWriter? = try NPYWriter(path, rowShape: [4])
    try writer?.append([1, 2, 3, 4])
    #expect(try folder.contents.count == 2)
    #expect(try read(path) == Array("old".utf8))
    writer = nil
    #expect(try folder.contents == ["a.npy"])
    #expect(try read(path) == Array("old".utf8))
  }

  @Test func refusesUnwritablePlaces() throws {
    for (name, message) in [
      ("a.csv", "a name that ends in .npy"), ("none/a.npy", "No such file or directory"),
    ] {
      let error = #expect(throws: DataFileError.self) {
        try NPYWriter(folder.file(name), rowShape: [2])
      }
      #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
    }
    try FileManager.default.createDirectory(
      atPath: folder.file("d.npy"), withIntermediateDirectories: false)
    let writer = try NPYWriter(folder.file("d.npy"), rowShape: [2])
    #expect(throws: DataFileError.self) { try writer.finish() }
  }
}
