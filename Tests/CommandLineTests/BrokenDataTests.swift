import Foundation
import Testing

/// A damaged or unfit data file with what the program must say about it.
struct BrokenData: Sendable, CustomTestStringConvertible {
  let name: String
  let message: String
  let bytes: @Sendable () throws -> Data

  init(_ name: String, _ message: String, _ bytes: @escaping @Sendable () throws -> Data) {
    self.name = name
    self.message = message
    self.bytes = bytes
  }

  var testDescription: String { name }
}

/// Files that the recorded channel refuses, in the layout of the public data sets.
@Suite struct BrokenDataTests {
  @Test(arguments: arrays + values + archives + texts)
  func isReported(_ broken: BrokenData) throws {
    let folder = try TestFolder([
      "data.yaml": """
      link:
        preset: csinet
        channel: {type: recorded, file: \(broken.name)}
        estimator: perfect
        precoder: {type: mrt, snr_db: 10}
      run: {drops: 4}
      """
    ])
    try folder.write(broken.bytes(), to: broken.name)
    let result = try Program.run("run", "data.yaml", "--output", "out", in: folder)
    #expect(result.status == 1, "\(result)")
    #expect(result.output.isEmpty, "\(result)")
    #expect(
      result.errors.contains("./\(broken.name):"),
      "\(result)")
    #expect(result.errors.contains(broken.message), "\(result)")
    #expect(!folder.has("out/report.csv"))
  }

  /// Records without energy are left out; where most are, nothing is left to tell about the channel.
  @Test(arguments: [0, 2, 3])
  func recordsWithoutEnergy(silent: Int) throws {
    let folder = try TestFolder([
      "data.yaml": """
      link:
        preset: csinet
        channel: {type: recorded, file: blocked.npy}
        estimator: perfect
        precoder: {type: mrt, snr_db: 10}
      run: {drops: 4}
      """
    ])
    var values = NPY.csi(rows: 4)
    for i in 0..<silent * 2048 { values[i] = 0.5 }
    try folder.write(NPY.file([4, 2048], values), to: "blocked.npy")
    let result = try Program.run("run", "data.yaml", "--output", "out", in: folder)
    #expect(result.status == (silent > 2 ? 1 : 0), "\(result)")
    if silent > 2 {
      #expect(result.errors.contains("3 of the 4 drops of the run have no energy"), "\(result)")
      #expect(!folder.has("out/report.csv"))
    } else {
      #expect(result.output.contains("have no energy and are left out") == (silent > 0))
    }
  }

  /// Settings that ask for more than the file has are mistakes of the scenario.
  @Test(arguments: [
    ("run.drops=5", "run.drops must be at most the 4 drops of the recorded data, got 5"),
    (
      "channel.split.fit=9",
      "channel.split.fit needs 9 records, but only 4 are left of the file's 4"
    ),
    ("channel.variable=HT", "expected one variable of that name"),
    ("channel.layout=frequency", "expected complex numbers"),
    ("channel.ports=48", "expected real rows of 2 x 48 angles x delays"),
    ("grid.tones=16", "channel.file holds 32 delay taps, but the grid has only 16 tones"),
  ])
  func settingsThatDoNotFitTheFile(override: String, message: String) throws {
    let folder = try TestFolder([
      "data.yaml": """
      link:
        preset: csinet
        channel: {type: recorded, file: good.npy}
        estimator: perfect
        precoder: {type: mrt, snr_db: 10}
      run: {drops: 4}
      """
    ])
    try folder.write(NPY.file([4, 2048], NPY.csi(rows: 4)), to: "good.npy")
    let good = try Program.run("run", "data.yaml", "--output", "good", in: folder)
    #expect(good.status == 0, "\(good)")
    let result = try Program.run("run", "data.yaml", "--set", override, in: folder)
    #expect(result.status == (message.hasPrefix("expected") ? 1 : 2), "\(result)")
    #expect(result.errors.contains(message), "\(result)")
  }

  static let arrays = [
    BrokenData("empty.npy", "expected an array file, found an empty file") { Data() },
    BrokenData("magic.npy", "expected a NumPy array") { Data([0x93, 0x4e, 0x55, 0x4d]) },
    BrokenData("header.npy", "bytes of NumPy header, found 30 bytes before the end") {
      NPY.file([4, 2048], []).prefix(40)
    },
    BrokenData("truncated.npy", "expected 32768 bytes of values (4 x 2048), found 32764") {
      NPY.file([4, 2048], NPY.csi(rows: 4)).dropLast(4)
    },
    BrokenData("overflow.npy", "expected a shape that fits in memory") {
      NPY.file([1 << 62, 2048], NPY.csi(rows: 4))
    },
    BrokenData("large.npy", "expected 9007199254740992 bytes of values") {
      NPY.file([1 << 40, 2048], NPY.csi(rows: 4))
    },
    BrokenData("negative.npy", "expected axis lengths of 0 or more") {
      NPY.file([-4, 2048], NPY.csi(rows: 4))
    },
    BrokenData("norows.npy", "found 0 x 2048 float32") { NPY.file([0, 2048], []) },
    BrokenData("words.npy", "expected a number type such as '<f4', found '<U1'") {
      NPY.file([4, 2048], NPY.csi(rows: 4), type: "<U1")
    },
    BrokenData("objects.npy", "expected a number type such as '<f4', found '|O'") {
      NPY.file([2, 2048], NPY.csi(rows: 4), type: "|O")
    },
    BrokenData("narrow.npy", "expected real rows of 2 x 32 angles x delays, found 2 x 2047") {
      NPY.file([2, 2047], [Float](repeating: 0.6, count: 4094))
    },
    BrokenData("flat.npy", "found 8192 float32") { NPY.file([8192], NPY.csi(rows: 4)) },
    BrokenData("complex.npy", "complex arrays are read with 'layout: frequency'") {
      NPY.file([4, 1024], NPY.csi(rows: 4), type: "<c8")
    },
  ]

  static let values = [
    BrokenData("nan.npy", "expected finite values in record 1 (counted from 0), found nan") {
      NPY.file([4, 2048], NPY.csi(rows: 4, with: .nan, inRow: 1))
    },
    BrokenData("infinite.npy", "expected finite values in record 2 (counted from 0), found inf") {
      NPY.file([4, 2048], NPY.csi(rows: 4, with: .infinity, inRow: 2))
    },
    BrokenData("range.npy", "expected values in [0, 1] in record 3 (counted from 0), found 1.5") {
      NPY.file([4, 2048], NPY.csi(rows: 4, with: 1.5, inRow: 3))
    },
    BrokenData("nan.csv", "expected finite values in record 0 (counted from 0), found nan") {
      try csv { $0.replacing(/^[^,]+/, with: "nan", maxReplacements: 1) }
    },
  ]

  static let archives = [
    BrokenData("truncated.npz", "expected the directory at the end of a zip archive") {
      try half("umi_los_20.npz")
    },
    BrokenData("flipped.npz", "variable 'HT'") {
      var bytes = try Repository.dataset("umi_los_20.npz")
      bytes[bytes.count / 2] ^= 0xff
      return bytes
    },
    BrokenData("several.npz", "name the variable to read") {
      try Repository.dataset("numpy_several.npz")
    },
    BrokenData("truncated5.mat", "the file is truncated or its header is damaged") {
      try half("umi_los_20_v5.mat")
    },
    BrokenData("header5.mat", "expected a MATLAB variable, found the end of the file") {
      try Repository.dataset("umi_los_20_v5.mat").prefix(128)
    },
    BrokenData("truncated73.mat", "truncated file") { try half("umi_los_200_v73.mat") },
    BrokenData("words.mat", "expected a MATLAB v5 or v7.3 file") {
      Data("these are words, not numbers\n".utf8)
    },
    BrokenData("image.png", "expected a .npy, .npz, .mat, .h5, .csv or .safetensors file") {
      Data([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13])
    },
  ]

  static let texts = [
    BrokenData("truncated.csv", "expected 2048 cells separated by ','") {
      try csv { String($0.dropLast(1000)) }
    },
    BrokenData("words.csv", "expected a number (cells are separated by ',')") {
      try csv { $0.replacing(",", with: ",x", maxReplacements: 1) }
    },
    BrokenData("norows.csv", "found") { Data("\n\n".utf8) },
  ]

  private static func half(_ name: String) throws -> Data {
    let bytes = try Repository.dataset(name)
    return bytes.prefix(bytes.count / 2)
  }

  private static func csv(_ change: (String) -> String) throws -> Data {
    let text = String(decoding: try Repository.dataset("umi_los_4.csv"), as: UTF8.self)
    return Data(change(text).utf8)
  }
}

/// NumPy files written byte by byte, so that they can be wrong.
enum NPY {
  /// Version 1.0 of the format; the header is not checked against the values.
  static func file(_ shape: [Int], _ values: [Float], type: String = "<f4") -> Data {
    let lengths = shape.map { "\($0)," }.joined(separator: " ")
    var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(lengths)), }"
    header += String(repeating: " ", count: 117 - header.utf8.count) + "\n"
    let start: [UInt8] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]
    return Data(start) + Data(header.utf8) + values.withUnsafeBytes { Data($0) }
  }

  /// Rows of 2 x 32 x 32 values in [0, 1] around 0.5, one of them replaced if wanted.
  static func csi(rows: Int, with value: Float? = nil, inRow row: Int = 0) -> [Float] {
    var values = (0..<rows * 2048).map { index -> Float in
      Float(index * 7919 % 101) / 100
    }
    if let value { values[row * 2048 + 100] = value }
    return values
  }
}
