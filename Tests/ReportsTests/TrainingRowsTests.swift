import DataFiles
import Foundation
import LinkMath
import Reports
import Testing

/// Several trainings share a folder and its table.
@Suite struct TrainingRowsTests {
  private func folder() throws -> String {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    return folder
  }

  private func row(_ network: String, _ stem: String, nmse: String, in folder: String) -> [String] {
    var row = [String](repeating: "1", count: TrainingRows.columns.count)
    row[0] = network
    row[1] = "16"
    row[9] = nmse
    row[12] = stem
    row[13] = TrainingRows.digest(of: stem, in: folder) ?? ""
    return row
  }

  private func write(_ text: String, _ names: String..., in folder: String) throws {
    for name in names {
      try AtomicFile.write(text, to: "\(folder)/\(name).safetensors")
    }
  }

  @Test func rowsOfOtherWeightsStay() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try write("a", "csinet-16-encoder", "csinet-16-decoder", in: folder)
    try write("b", "csinet-16-b-encoder", "csinet-16-b-decoder", in: folder)
    try write("c", "crnet-16-decoder", in: folder)
    var rows = TrainingRows()
    rows.put([row("csinet", "csinet-16", nmse: "-5", in: folder)])
    rows.put([row("csinet", "csinet-16-b", nmse: "-6", in: folder)])
    rows.put([row("acrnet {a: 1, b: 2}", "crnet-16-decoder", nmse: "-7", in: folder)])
    // Read as it was written, in its order.
    var again = TrainingRows(rows.text, file: "training.csv")
    #expect(!again.wasOther && again.rows == rows.rows && again.text == rows.text)
    // The same weights trained again stand where they stood.
    again.put([row("csinet", "csinet-16", nmse: "-8", in: folder)])
    #expect(again.rows.map { $0[9] } == ["-8", "-6", "-7"])
    again.keepTrue(in: folder)
    #expect(again.rows.count == 3)
    // One side trained anew, another set deleted: their rows are no longer true.
    try write("d", "csinet-16-decoder", in: folder)
    try FileManager.default.removeItem(atPath: "\(folder)/csinet-16-b-decoder.safetensors")
    try FileManager.default.removeItem(atPath: "\(folder)/csinet-16-b-encoder.safetensors")
    again.keepTrue(in: folder)
    #expect(again.rows.map { $0[9] } == ["-7"])
  }

  /// The digest is that of the digests of the files: by hand.
  @Test func digestOfBothSides() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try write("x", "n-4-encoder", in: folder)
    try write("y", "n-4-decoder", in: folder)
    let expected = Digest.sha256("\(Digest.sha256("y")) \(Digest.sha256("x"))")
    #expect(TrainingRows.digest(of: "n-4", in: folder) == expected)
    #expect(TrainingRows.digest(of: "n-4-encoder", in: folder) == Digest.sha256(Digest.sha256("x")))
    #expect(TrainingRows.digest(of: "n-8", in: folder) == nil)
  }

  /// Tables from before the weights were named are read, and give way to rows of the same network and ratio.
  @Test func olderTables() throws {
    let old = """
      # csilink training 1
      \(TrainingRows.columns.prefix(12).joined(separator: ","))
      csinet,16,1,2,3,4,max,5,6,7,8,9
      crnet,16,1,2,3,4,max,5,6,7,8,9

      """
    let folder = try folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try write("a", "csinet-16-encoder", in: folder)
    var rows = TrainingRows(old, file: "training.csv")
    #expect(!rows.wasOther && rows.rows.count == 2)
    rows.put([row("csinet", "csinet-16", nmse: "-5", in: folder)])
    rows.keepTrue(in: folder)
    #expect(rows.rows.map { $0[0] } == ["csinet", "crnet"])
    #expect(rows.rows[0][9] == "-5" && rows.rows[1][9] == "7")
  }

  @Test(arguments: [
    "", "a,b\n1,2\n", "# csilink training 2\nnetwork\n", "# csilink training 1\nnetwork,b\n",
    "# csilink training 1\n\"", "# csilink training 1\nnetwork,compression\nx\n",
  ])
  func otherTables(text: String) {
    let rows = TrainingRows(text, file: "training.csv")
    #expect(rows.wasOther && rows.rows.isEmpty)
  }
}
