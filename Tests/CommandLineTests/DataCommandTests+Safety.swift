import DataFiles
import Datasets
import Foundation
import TestSupport
import Testing

/// Files of others stay, manifests are not believed, and sizes that cannot be are refused.
extension DataCommandTests {
  @Test func freshKeepsForeignFiles() throws {
    let folder = try folder()
    #expect(try generate("--drops", "5", "-o", "a", in: folder).status == 0)
    try folder.write(Data("mine".utf8), to: "mine.txt")
    try folder.write(Data("mine".utf8), to: "a/notes.npy")
    let text = try folder.text("a/manifest.json")
    let edited = text.replacing("drops-000000000-gain_db.npy", with: "notes.npy")
    try folder.write(Data(edited.utf8), to: "a/manifest.json")
    let fresh = try generate("--drops", "4", "-o", "a", "--fresh", in: folder)
    #expect(fresh.status == 0 && folder.has("a/notes.npy"), "\(fresh)")
    let above = try folder.text("a/manifest.json")
      .replacing("drops-000000000.npy", with: "../mine.txt")
    for manifest in [above, #"{"name": "of another program"}"#, "[]"] {
      try folder.write(Data(manifest.utf8), to: "a/manifest.json")
      let refused = try generate("--drops", "4", "-o", "a", "--fresh", in: folder)
      #expect(
        refused.status == 1 && refused.errors.contains("only data sets are replaced"), "\(refused)")
      #expect(try folder.text("a/manifest.json") == manifest && folder.has("mine.txt"))
    }
  }

  @Test(arguments: ["own.npy", "own-gain_db.npy"])
  func existingFilesAreRefused(_ name: String) throws {
    let folder = try folder()
    try folder.write(Data("mine".utf8), to: name)
    let refused = try generate("--drops", "4", "-o", "own.npy", in: folder)
    #expect(refused.status == 1 && refused.errors.contains("--fresh"), "\(refused)")
    #expect(try folder.text(name) == "mine" && !folder.has("own.npy.json"))
    #expect(try generate("--drops", "4", "-o", "own.npy", "--fresh", in: folder).status == 0)
    #expect(try RecordSource("\(folder.path)/own.npy").manifest?.drops == 4)
  }

  @Test func editedManifests() throws {
    let folder = try folder()
    #expect(
      try generate("--drops", "20", "--shard-size", "7", "-o", "a", in: folder).status == 0)
    let good = try folder.text("a/manifest.json")
    let cases: [(Regex<Substring>, String, String)] = [
      (/"shards" : \[/, #""shards" : [], "old" : ["#, "'shards'"),
      (/"arrays" : \[/, #""arrays" : [], "old" : ["#, "'arrays'"),
      (/"files" : \[/, #""files" : [], "old" : ["#, "'shards[0].files'"),
      (/"ports" : 32/, #""ports" : 0"#, "'grid.ports'"),
      (/"taps" : 32/, #""taps" : -1"#, "'grid.taps'"),
      (/"guard_rows" : 0/, #""guard_rows" : -1"#, "'grid.guard_rows'"),
      (/"spacing_hz" : 100000/, #""spacing_hz" : 0"#, "'grid.spacing_hz'"),
      (/"angle_dft" : "[a-z]*"/, #""angle_dft" : "x""#, "'grid.angle_dft'"),
      (/"drops" : 20/, #""drops" : -5"#, "'drops'"),
      (/"drops" : 20/, #""drops" : 21"#, "'shards'"),
      (/"drops" : 7/, #""drops" : 6"#, "'shards[1].first'"),
      (/"layout" : "csinet"/, #""layout" : "x""#, "'layout'"),
      (/"name" : "drops-/, #""name" : "../drops-"#, "'shards[0].files[0].name'"),
    ]
    for (pattern, replacement, key) in cases {
      let text = good.replacing(pattern, with: replacement)
      try #require(text != good, "\(replacement)")
      try folder.write(Data(text.utf8), to: "a/manifest.json")
      for command in [["describe", "a"], ["convert", "a", "b.npz"]] {
        let result = try Program.run(["data"] + command, in: folder)
        #expect(result.status == 1 && result.errors.contains(key), "\(key): \(result)")
      }
    }
  }

  /// A shard in the place of another, and one with other rows.
  @Test func shardsAreThoseOfTheManifest() throws {
    let folder = try folder()
    #expect(
      try generate("--drops", "20", "--shard-size", "12", "-o", "a", in: folder).status == 0)
    let good = try folder.read("a/drops-000000000.npy")
    try folder.write(try folder.read("a/drops-000000012.npy"), to: "a/drops-000000000.npy")
    let swapped = try Program.run("data", "describe", "a", in: folder)
    #expect(swapped.status == 1 && swapped.errors.contains("in the manifest"), "\(swapped)")
    // The same number of bytes, but other rows.
    var other = good
    let shape = try #require(other.range(of: Data("(12, 2, 32, 32)".utf8)))
    other.replaceSubrange(shape, with: Data("(24, 2, 16, 32)".utf8))
    try folder.write(other, to: "a/drops-000000000.npy")
    let rows = try Program.run("data", "describe", "a", in: folder)
    #expect(rows.status == 1 && rows.errors.contains("12 x 2 x 32 x 32"), "\(rows)")
  }

  /// A finished set that is being enlarged is not finished, from before its next shard on.
  @Test func killedEnlargement() throws {
    let folder = try folder()
    let command = [
      "data", "generate", "small.yaml", "--layout", "frequency", "--shard-size", "5000", "-o", "a",
    ]
    #expect(try Program.run(command + ["--drops", "5000"], in: folder).status == 0)
    let finished = try folder.text("a/manifest.json")
    let running = try Program.start(command + ["--drops", "10000"], in: folder)
    try running.wait { (try? folder.text("a/manifest.json")).map { $0 != finished } ?? false }
    running.send(SIGKILL)
    #expect(try running.wait().signal == SIGKILL)
    let killed = try #require(try DatasetManifest.read("\(folder.path)/a/manifest.json"))
    #expect(!killed.isComplete && killed.shards.count == 1)
    let described = try Program.run("data", "describe", "a", in: folder)
    #expect(described.status == 1 && described.errors.contains("not finished"), "\(described)")
  }

  @Test func leftoversGo() throws {
    let folder = try folder()
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/a", withIntermediateDirectories: true)
    let left = [
      "a/drops-000000000.npy.1z.tmp", "a/drops-000000000-gain_db.npy.1z.tmp",
      "a/manifest.json.1z.tmp", "b.npy.1z.tmp", "b-normaliser_db.npy.1z.tmp", "b.npy.json.1z.tmp",
    ]
    let foreign = ["a/other.npy.1z.tmp", "bc.npy.1z.tmp", "manifest.json.1z.tmp"]
    for name in left + foreign { try folder.write(Data(), to: name) }
    for output in ["a", "b.npy"] {
      #expect(try generate("--drops", "3", "-o", output, in: folder).status == 0)
    }
    for name in left { #expect(!folder.has(name), "\(name)") }
    for name in foreign { #expect(folder.has(name), "\(name)") }
  }

  @Test func manifestBesideAnotherFile() throws {
    let folder = try folder()
    #expect(try generate("--drops", "6", "-o", "a.npy", in: folder).status == 0)
    let good = try folder.read("a.npy.json")
    try ArrayFile.write(
      [NumericArray(shape: [4, 8], floats: [Float](repeating: 0.25, count: 32))],
      to: "\(folder.path)/b.npy")
    for (content, isWarned) in [
      (Data(#"{"a": 1}"#.utf8), false), (Data("x".utf8), false), (good, true),
    ] {
      try folder.write(content, to: "b.npy.json")
      let described = try Program.run("data", "describe", "b.npy", in: folder)
      #expect(described.status == 0 && described.output.contains("4 x 8"), "\(described)")
      #expect(described.errors.contains("b.npy.json is not used") == isWarned, "\(described)")
    }
    // A stale one.
    try folder.write(try folder.read("b.npy"), to: "a.npy")
    let stale = try Program.run("data", "describe", "a.npy", in: folder)
    #expect(stale.status == 0 && stale.errors.contains("a.npy.json is not used"), "\(stale)")
  }

  @Test(arguments: [
    (["generate", "--drops", "5", "-o", "x.h5"], 2, ".h5"),
    (["generate", "--drops", "5", "-o", "small.yaml/"], 1, "a file of that name"),
    (["generate", "--drops", "5", "-o", "small.yaml/x"], 1, "Not a directory"),
    (["generate", "--drops", "5", "-o", "x.csv", "--layout", "delay"], 2, "csv"),
    (["generate", "--drops", "5", "-o", "x", "--format", "csv", "--layout", "delay"], 2, "csv"),
    (
      [
        "generate", "--drops", "1099511627776", "--slots", "100000", "--layout", "delay", "-o",
        "x.npz",
      ], 1, "1 PiB"
    ),
    (
      ["generate", "--drops", "1099511627776", "--shard-size", "1099511627776", "-o", "x"], 1,
      "1 PiB"
    ),
    (
      [
        "generate", "--drops", "1", "--slots", "100000", "--layout", "frequency", "--set",
        "grid.tones=2048", "-o", "x",
      ], 1, "2 GiB"
    ),
    (["convert", "good.npy", "x.npy", "--shape", "4294967296,4294967296,2"], 1, "1 PiB"),
    (["convert", "good.npy", "x.npy", "--shape", "9223372036854775807", "--complex"], 1, "1 PiB"),
    (["convert", "good.npy", "npy"], 1, "an extension"),
    (["convert", "good.npy", "x.npy/"], 1, "an extension"),
    (["convert", "huge.npy", "x.npy", "--single"], 1, "1e+200"),
  ])
  func sizesAndNames(_ arguments: [String], _ status: Int32, _ word: String) throws {
    let folder = try folder()
    try ArrayFile.write(
      [NumericArray(shape: [4, 8], floats: [Float](repeating: 0.25, count: 32))],
      to: "\(folder.path)/good.npy")
    try ArrayFile.write(
      [NumericArray(shape: [1, 2], doubles: [1, 1e200])], to: "\(folder.path)/huge.npy")
    var arguments = arguments
    if arguments[0] == "generate" { arguments.insert("small.yaml", at: 1) }
    let result = try Program.run(["data"] + arguments, in: folder)
    #expect(result.status == status && result.errors.contains(word), "\(result)")
    for name in ["x.npy", "x.npz", "x.h5", "npy", "x.csv", "x/manifest.json"] {
      #expect(!folder.has(name), "\(name)")
    }
  }

  @Test func extensionsInCapitals() throws {
    let folder = try folder()
    #expect(try generate("--drops", "5", "-o", "a.NPY", in: folder).status == 0)
    let converted = try Program.run("data", "convert", "a.NPY", "b.Csv", in: folder)
    #expect(converted.status == 0, "\(converted)")
    let values = try ArrayFile.read("\(folder.path)/a.NPY").doubles()
    #expect(try ArrayFile.read("\(folder.path)/b.Csv").doubles().count == values.count)
    #expect(try generate("--drops", "5", "-o", "c.npy/", in: folder).status == 0)
    #expect(folder.has("c.npy/manifest.json"))
  }

  /// Drops without energy: all, and the first nine tenths.
  @Test func silentDrops() throws {
    let folder = try folder()
    var values = [Float](repeating: 0.5, count: 50 * 2048)
    for loud in [false, true] {
      if loud { for index in 45 * 2048..<values.count { values[index] = Float(index % 7) / 8 } }
      try ArrayFile.write(
        [NumericArray(shape: [50, 2, 32, 32], floats: values)], to: "\(folder.path)/a.npy")
      let found = try Program.run("data", "describe", "a.npy", "--plot", "plots", in: folder)
      #expect(found.status == 0 && !found.output.contains("PCA"), "\(found)")
      #expect(found.output.contains("energy by delay row") == loud, "\(found)")
      #expect(found.errors.contains("no plots: no drop has energy") != loud, "\(found)")
    }
  }

  /// A file size limit in the middle of a v7.3 file is an error, not a crash.
  @Test func noRoomForVersion73() throws {
    let folder = try folder()
    let floats = (0..<200_000).map { Float($0 % 1013) }
    try ArrayFile.write(
      [NumericArray(name: "H", shape: [100, 2000], floats: floats)],
      to: "\(folder.path)/big.npz")
    let process = Process()
    let errors = Pipe()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = [
      "-c", "trap '' XFSZ; ulimit -f 200; exec \"$@\"", "sh", Program.path, "data", "convert",
      "big.npz", "x.mat", "--mat-version", "7.3",
    ]
    process.currentDirectoryURL = URL(filePath: folder.path)
    process.standardError = errors
    try process.run()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 1, "\(text)")
    #expect(text.contains("expected room to write, found File too large"), "\(text)")
    #expect(!folder.has("x.mat"))
  }
}
