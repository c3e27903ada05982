import DataFiles
import Foundation
import TestSupport
import Testing

/// Tensors of PyTorch and Keras files.
@Suite struct CheckpointTests {
  static func path(_ name: String) -> String {
    fixtures.appending(path: "foreign/\(name)").path
  }

  private static func steps(_ count: Int) -> [Float] { (0..<count).map { Float($0) / 8 } }

  /// Every type and layout that PyTorch writes, in both containers and with the newer protocol.
  @Test(arguments: ["types_zip.pt", "types_legacy.pt", "types_protocol4.pt"])
  func everyTypeIsRead(_ name: String) throws {
    let archive = try TensorArchive(Self.path(name))
    let isLegacy = name == "types_legacy.pt"
    #expect(archive.format == (isLegacy ? .torchLegacy : .torchZip))
    #expect(
      archive.unread == (isLegacy ? [] : ["levels.0.complex64 (ComplexFloatStorage)"]))
    var found: [String: [Float]] = [:]
    for tensor in archive.tensors {
      let values = try tensor.floats()
      #expect(values.count == tensor.count)
      found[tensor.name] = values
    }
    #expect(
      archive.tensors.map { $0.path.last } == [
        "float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8",
        "bool", "scalar", "empty", "transposed", "part", "parameter", "expanded", "0", "3",
      ])
    let integers = (0..<6).map { Float($0) }
    var expected: [String: [Float]] = [
      "scalar": [0.125], "empty": [], "transposed": [0, 0.25, 0.5, 0.125, 0.375, 0.625],
      "part": [1, 1.125, 1.25, 1.75, 1.875, 2], "expanded": [0.25], "bool": [0, 1, 0, 1, 0, 1],
    ]
    for name in ["float32", "float64", "float16", "bfloat16", "parameter"] {
      expected[name] = Self.steps(6)
    }
    for name in ["int64", "int32", "int16", "int8", "uint8"] { expected[name] = integers }
    for (name, values) in expected { #expect(found["levels.0.\(name)"] == values, "\(name)") }
    #expect(found["levels.1.0"] == Self.steps(2))
    #expect(found["levels.1.1.3"] == Self.steps(3))
    #expect(archive.tensors.first { $0.path.last == "transposed" }?.shape == [2, 3])
  }

  /// A model saved as a whole names its classes, which become records; its parameters are there.
  @Test func wholeModelsHaveTheirParameters() throws {
    let archive = try TensorArchive(Self.path("whole.pt"))
    #expect(
      archive.tensors.map(\.name) == [
        "layer.weight", "layer.bias", "block.0.weight", "block.0.bias", "block.1.weight",
        "block.1.bias", "block.1.running_mean", "block.1.running_var",
        "block.1.num_batches_tracked",
      ])
    #expect(try archive.tensors[1].floats() == [10, 11, 12])
  }

  @Test func kerasFilesHaveTheirVariables() throws {
    let archive = try TensorArchive(Self.path("csinet_last_16.h5"))
    #expect(archive.format == .keras && archive.tensors.count == 48)
    let kernel = archive.tensors.first { $0.path == ["conv2d", "conv2d", "kernel:0"] }
    #expect(kernel?.shape == [3, 3, 2, 2])
    #expect(kernel?.elementType == .float32)
  }

  /// Opcodes of the oldest protocols, and those that only other programs use.
  @Test(arguments: TorchContainer.allCases)
  func everyOpcodeIsUnderstood(_ container: TorchContainer) throws {
    let folder = try TemporaryFolder()
    let t = Pickle.tensor()
    func ascii(_ text: String) -> [UInt8] { Array(text.utf8) }
    let objects: [(String, [UInt8], [String])] = [
      ("dict from marks", ascii("(S'a'\n") + t + ascii("d"), ["a"]),
      ("put and get", ascii("(dp0\nV b \n") + t + ascii("sg0\n0"), [" b "]),
      ("dup and pop mark", ascii("}2((1N10"), []),
      ("list from marks", ascii("(") + t + ascii("l"), ["0"]),
      ("append", ascii("]") + t + ascii("a"), ["0"]),
      ("appends", ascii("](") + t + ascii("I5\nL7L\nF0.5\nI01\ne"), ["0"]),
      (
        "short strings", ascii("}U\u{1}cT\u{1}\0\0\0") + [0x64] + ascii("0") + t + ascii("s"), ["c"]
      ),
      ("tuples", t + [0x85, 0x4E, 0x86, 0x4E, 0x4E, 0x87], ["0.0.0"]),
      (
        "frames and memo", [0x95] + Pickle.little(9, 8) + [0x7D, 0x94, 0x8C, 1, 0x65] + t + [0x73],
        ["e"]
      ),
      ("long text", [0x7D, 0x8D] + Pickle.little(1, 8) + [0x66] + t + [0x73], ["f"]),
      (
        "sets and bytes",
        [0x5D, 0x28, 0x8F, 0x28, 0x4B, 1, 0x90, 0x28, 0x4B, 2, 0x91]
          + [0x43, 1, 0, 0x42, 1, 0, 0, 0, 7, 0x8E] + Pickle.little(2, 8) + [1, 2, 0x65], []
      ),
      ("bytearray", [0x96] + Pickle.little(2, 8) + [1, 2], []),
      (
        "binput and long get",
        [0x7D, 0x71, 3, 0x30, 0x6A, 3, 0, 0, 0] + Pickle.text("g") + t
          + [0x72, 9, 0, 0, 0, 0x73, 0x68, 3, 0x30], ["g"]
      ),
      (
        "numbers",
        [0x5D, 0x28, 0x4D, 1, 2, 0x4A, 0xFF, 0xFF, 0xFF, 0xFF, 0x8A, 0, 0x8A, 1, 0x80]
          + [0x8B, 1, 0, 0, 0, 5, 0x47, 0x3F, 0xE0, 0, 0, 0, 0, 0, 0, 0x88, 0x89, 0x4E, 0x65], []
      ),
      (
        "ordered dictionary of pairs",
        Pickle.global("collections", "OrderedDict")
          + Pickle.tuple([[0x5D] + Pickle.tuple([Pickle.text("h"), t]) + [0x61]]) + [0x52], ["h"]
      ),
      (
        "stack global and new object",
        Pickle.text("a.b") + Pickle.text("C") + [0x93, 0x29, 0x81]
          + Pickle.dictionary([("_parameters", Pickle.dictionary([("w", t)]))]) + [0x62], ["w"]
      ),
      (
        "state with slots",
        Pickle.global("a", "C") + [0x29, 0x7D, 0x92]
          + Pickle.tuple([[0x4E], Pickle.dictionary([("s", t)])]) + [0x62], ["s"]
      ),
      (
        "parameter",
        Pickle.dictionary([
          (
            "p",
            Pickle.global("torch._utils", "_rebuild_parameter") + Pickle.tuple([t, [0x88]]) + [0x52]
          )
        ]), ["p"]
      ),
      (
        "tensor with its type",
        Pickle.global("torch._utils", "_rebuild_tensor_v3")
          + Pickle.tuple([
            Pickle.storage(count: 24, type: "UntypedStorage"), Pickle.integer(0),
            Pickle.tuple([2, 3].map(Pickle.integer)), Pickle.tuple([3, 1].map(Pickle.integer)),
            [0x89], [0x4E], Pickle.global("torch", "float32"),
          ]) + [0x52], [""]
      ),
      (
        "subclass of a tensor",
        Pickle.global("torch._tensor", "_rebuild_from_type_v2")
          + Pickle.tuple([
            Pickle.global("torch._utils", "_rebuild_tensor"), Pickle.global("a", "Sub"),
            Pickle.tuple([
              Pickle.storage(), Pickle.integer(0), Pickle.tuple([2, 3].map(Pickle.integer)),
              Pickle.tuple([3, 1].map(Pickle.integer)),
            ]), [0x7D],
          ]) + [0x52], [""]
      ),
    ]
    for (what, object, names) in objects {
      // The old container counts its storages in values of their type.
      if container == .legacy, what == "tensor with its type" { continue }
      // A list of storages must have tensors in the old container.
      let content = names.isEmpty ? Pickle.tuple([object, t]) : object
      let path = try folder.file("\(container.rawValue).pt", container.file(Pickle.of(content)))
      let archive = try TensorArchive(path)
      #expect(archive.tensors.map(\.name) == (names.isEmpty ? ["1"] : names), "\(what)")
      for tensor in archive.tensors { #expect(try tensor.floats() == Self.steps(6), "\(what)") }
    }
  }

  /// Archives in another order, with zip64 sizes, without a folder, of either byte order.
  @Test func archivesMayBeLaidOutOtherwise() throws {
    let folder = try TemporaryFolder()
    let object = Pickle.of(Pickle.tensor())
    let values = TorchContainer.values
    let swapped = stride(from: 0, to: values.count, by: 4).flatMap {
      values[$0..<$0 + 4].reversed()
    }
    typealias Entry = StoredZip.Entry
    let archives: [[Entry]] = [
      [Entry(name: "x/data/0", content: values), Entry(name: "x/data.pkl", content: object)],
      [Entry(name: "data.pkl", content: object), Entry(name: "data/0", content: values)],
      [
        Entry(name: "x/data.pkl", content: object, hasZip64: true),
        Entry(name: "x/data/0", content: values, hasZip64: true),
      ],
      [
        Entry(name: "x/data.pkl", content: object), Entry(name: "x/data/0", content: swapped),
        Entry(name: "x/byteorder", content: Array("big".utf8)),
      ],
    ]
    for archive in archives {
      let path = try folder.file("a.pt", StoredZip.archive(archive))
      #expect(try TensorArchive(path).tensors[0].floats() == Self.steps(6))
    }
  }

  /// Damage is told with its place, what was expected and a way out.
  @Test func errorsNameThePlace() throws {
    let folder = try TemporaryFolder()
    let object = Pickle.of(Pickle.tensor())
    typealias Entry = StoredZip.Entry
    let values = Entry(name: "x/data/0", content: TorchContainer.values)
    let pickle = Entry(name: "x/data.pkl", content: object)
    var compressed = values
    compressed.method = 8
    var encrypted = pickle
    encrypted.flags = 1
    var long = values
    long.size = 1 << 20
    var overlapping = Entry(name: "x/data/1", content: [])
    overlapping.offset = 0
    func zip(_ entries: Entry...) -> [UInt8] { StoredZip.archive(entries) }
    var wrong = zip(pickle, values)
    wrong[40 + object.count / 2] ^= 0x20
    let legacy = TorchContainer.legacy.file(object)
    let cases: [([UInt8], String)] = [
      (zip(pickle), "expected a member 'x/data/0', found none"),
      (zip(pickle, compressed), "found a compressed one"),
      (zip(encrypted, values), "found an encrypted one"),
      (zip(pickle, long), "found the end of the file"),
      (zip(pickle, values, overlapping), "expected members that follow each other"),
      (zip(pickle, values, values), "two of the name 'x/data/0'"),
      (zip(values), "one data.pkl, found 0"),
      (wrong, "expected data with the CRC-32"),
      (zip(pickle, Entry(name: "x/data/0", content: [1, 2])), "expected 6 values of FloatStorage"),
      (zip(pickle, values, Entry(name: "x/byteorder", content: [0x3F])), "another byte order"),
      (Array(legacy.dropLast(3)), "before the end"),
      (legacy.replaced(at: legacy.count - 32, by: [7]), "expected 6 values of float32, found 7"),
      ([0x80, 2] + Array("}.".utf8), "found another pickle"),
      ([], "found nothing"),
    ]
    for (bytes, expected) in cases {
      let path = try folder.file("x.pt", bytes)
      let error = #expect(throws: DataFileError.self) {
        for tensor in try TensorArchive(path).tensors { _ = try tensor.floats() }
      }
      let text = "\(try #require(error))"
      #expect(text.hasPrefix(path) && text.contains(expected), "\(text)")
    }
  }
}

extension [UInt8] {
  fileprivate func replaced(at place: Int, by bytes: [UInt8]) -> [UInt8] {
    Array(self[..<place] + bytes + self[(place + bytes.count)...])
  }
}
