import DataFiles
import Foundation
import LinkMath
import Networks
import Testing

/// Files of expected results that are wrong, unfit or damaged.
@Suite struct VectorFileTests {
  static let source = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../Fixtures/networks/clcrnet_cr16_eval.safetensors").standardizedFileURL.path

  /// Verifies the fixture after a change of its arrays and texts.
  static func verify(
    _ change: (inout [String: NumericArray], inout [String: String]) throws -> Void
  ) throws -> [GoldenVector.Report] {
    var metadata = try ArrayFile.metadata(source)
    var arrays: [String: NumericArray] = [:]
    for array in try ArrayFile.readAll(source) { arrays[array.name!] = array }
    try change(&arrays, &metadata)
    let path = NSTemporaryDirectory() + "/\(UUID().uuidString).safetensors"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try ArrayFile.write(
      arrays.sorted { $0.key < $1.key }.map { $0.value.named($0.key) }, metadata: metadata, to: path
    )
    return try GoldenVector.verify(path, pool: WorkerPool(threadCount: 1))
  }

  static func array(_ shape: [Int], _ value: Float = 0.5) -> NumericArray {
    NumericArray(shape: shape, floats: [Float](repeating: value, count: shape.reduce(1, *)))
  }

  @Test func untouchedPasses() throws {
    #expect(try Self.verify { _, _ in }.allSatisfy(\.passes))
  }

  @Test func wrongValuesFail() throws {
    for key in ["output", "codeword", "decoder_feature.conv5x5_bn.conv.weight"] {
      let reports = try Self.verify { arrays, _ in
        var values = arrays[key]!.floats()
        values[3] += 0.01
        arrays[key] = NumericArray(shape: arrays[key]!.shape, floats: values)
      }
      #expect(reports.count == 2)
      for report in reports {
        #expect(!report.passes, "\(key)")
        #expect(report.text.contains("FAIL"))
      }
    }
  }

  /// Values that are not numbers are no match, on either side.
  @Test(arguments: ["output", "input"])
  func notANumberFails(_ key: String) throws {
    let reports = try Self.verify { arrays, _ in
      arrays[key] = Self.array(arrays[key]!.shape, .nan)
    }
    #expect(reports.allSatisfy { !$0.passes })
  }

  @Test(arguments: [
    ("no network", "the file's metadata has no 'network'"),
    ("no ratio", "the file's metadata has no 'cr'"),
    ("ratio in words", "the file's metadata has no 'cr'"),
    ("unknown ratio", "cl-crnet is not defined at 1/7"),
    ("unknown network", "unknown network 'cl-crnt'"),
    ("unknown mode", "unknown mode 'test'"),
    ("train without gradients", "no tensor 'loss'"),
    ("no input", "no tensor 'input'"),
    ("no output", "no tensor 'output'"),
    ("no samples", "tensor 'input' has shape [0, 2, 32, 32], expected [1, 2, 32, 32]"),
    ("scalar input", "tensor 'input' has shape [], expected [1, 2, 32, 32]"),
    ("narrow input", "tensor 'input' has shape [4, 2, 32, 31], expected [4, 2, 32, 32]"),
    ("fewer outputs", "tensor 'output' has shape [3, 2, 32, 32], expected [8192]"),
    ("fewer noises", "tensor 'noise' has shape [2, 4, 1, 32], expected [4, 4, 1, 32]"),
    ("integers", "tensor 'input' holds int32, expected floating point"),
    ("transposed weight", "expected [2, 2, 5, 5]"),
    ("codeword of no layer", "no tensor 'layers.0.weight'"),
    ("layer of no rows", "tensor 'layers.0.weight' has shape [0, 4], expected"),
  ])
  func unfitFiles(_ change: String, _ message: String) throws {
    let error = #expect(throws: (any Error).self) {
      try Self.verify { arrays, metadata in try Self.apply(change, &arrays, &metadata) }
    }
    #expect(error.map { "\($0)".contains(message) } == true, "\(String(describing: error))")
  }

  private static func apply(
    _ change: String, _ arrays: inout [String: NumericArray], _ metadata: inout [String: String]
  ) throws {
    switch change {
    case "no network": metadata["network"] = nil
    case "no ratio": metadata["cr"] = nil
    case "ratio in words": metadata["cr"] = "sixteen"
    case "unknown ratio": metadata["cr"] = "7"
    case "unknown network": metadata["network"] = "CL-CRNt"
    case "unknown mode": metadata["mode"] = "test"
    case "train without gradients": metadata["mode"] = "train"
    case "no input": arrays["input"] = nil
    case "no output": arrays["output"] = nil
    case "no samples": arrays["input"] = array([0, 2, 32, 32])
    case "scalar input": arrays["input"] = array([])
    case "narrow input": arrays["input"] = array([4, 2, 32, 31])
    case "fewer outputs": arrays["output"] = array([3, 2, 32, 32])
    case "fewer noises": arrays["noise"] = array([2, 4, 1, 32])
    case "integers": arrays["input"] = try integers()
    case "transposed weight":
      arrays["decoder_feature.conv5x5_bn.conv.weight"] = array([2, 5, 2, 5])
    case "codeword of no layer": metadata["network"] = "DNNet"
    case "layer of no rows":
      metadata["network"] = "DNNet"
      arrays["layers.0.weight"] = array([0, 4])
    default: preconditionFailure("no such change")
    }
  }

  /// An array of 32-bit integers.
  private static func integers() throws -> NumericArray {
    try ArrayFile.read(
      URL(filePath: source).deletingLastPathComponent()
        .appending(path: "../datasets/numpy_be_i4.npy").standardizedFileURL.path)
  }

  @Test func trainNeedsTheTrainingPath() throws {
    let path = URL(filePath: Self.source).deletingLastPathComponent()
      .appending(path: "cllwcsinet_cr8_train.safetensors").path
    #expect(throws: NetworkError.needsTrainingPath) {
      try GoldenVector.verify(path, by: [.inference], pool: WorkerPool(threadCount: 1))
    }
  }

  /// Flipped bytes and cut files end in an error or in a report, never in a crash.
  @Test func damagedFiles() throws {
    let bytes = try Data(contentsOf: URL(filePath: Self.source))
    let header = 8 + bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let path = NSTemporaryDirectory() + "/\(UUID().uuidString).safetensors"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let pool = WorkerPool(threadCount: 1)
    var stream = StreamKey(seed: 3, domain: .test, purpose: .selection).stream(drop: 0)
    func below(_ count: Int) -> Int { min(Int(stream.uniform() * Double(count)), count - 1) }
    var (refused, failed) = (0, 0)
    for round in 0..<300 {
      var damaged = bytes
      switch round % 3 {
      case 0: damaged[below(header)] = UInt8(below(256))
      case 1: damaged = damaged.prefix(below(bytes.count))
      // The highest byte of a number: sign and exponent.
      default: damaged[header + 4 * below((bytes.count - header) / 4) + 3] ^= UInt8(1 + below(255))
      }
      try damaged.write(to: URL(filePath: path))
      do {
        let reports = try GoldenVector.verify(path, pool: pool)
        if reports.contains(where: { !$0.passes }) { failed += 1 }
      } catch is NetworkError {
        refused += 1
      } catch is DataFileError {
        refused += 1
      }
    }
    #expect(refused >= 100)
    #expect(failed >= 50)
  }
}
