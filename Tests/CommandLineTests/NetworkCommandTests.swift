import Foundation
import TestSupport
import Testing

/// inspect, forward and verify of the built program.
@Suite struct NetworkCommandTests {
  private static let fixture =
    Repository.root.appending(path: "Tests/Fixtures/networks/clcrnet_cr16_eval.safetensors").path

  /// Runs `forward cl-crnet` on a file of the folder.
  private static func forward(
    _ input: String, in folder: TestFolder, part: String = "autoencoder", threads: Int = 2,
    output: String = "out.npy"
  ) throws -> Program.Output {
    try Program.run(
      "forward", "cl-crnet", "-c", "16", "--weights", fixture, "--input", input, "--output", output,
      "--part", part, "--threads", "\(threads)", in: folder)
  }

  @Test func inspectPrintsLists() throws {
    let folder = try TestFolder()
    let list = try Program.run("inspect", in: folder)
    #expect(list.status == 0)
    #expect(list.output.contains("\nacrnet-1x ... acrnet-20x "), "\(list)")
    #expect(list.output.contains("\ncllwcsinet                      1/4 1/8 1/16\n"), "\(list)")
    let ratios = try Program.run("inspect", "CsiNet", in: folder)
    let line = [
      "1/16        128     529,868    262,314    267,554", "3,842,048", "3,842,048", "4,065,280",
      " 7,796,608",
    ]
    #expect(
      ratios.output.contains("\n\(line.joined(separator: "  "))\n"), "\(ratios)")
    let one = try Program.run("inspect", "csinet", "-c", "16", in: folder)
    for line in [
      "enc_bn    BatchNorm(2, channel)          2×32×32           4  LeakyReLU(0.3), reshape to 2048",
      "  conv2   Convolution(8 → 16, 3×3, bias)  16×32×32       1,168",
      "multiply-accumulates (MAC)            299,008     3,543,040   3,842,048",
      "with all matrix products (MAC+)       299,008     3,543,040   3,842,048",
      "  in fully connected layers           262,272       264,192     526,464",
      "bits of parameters, as stored       8,394,048     8,561,728  16,955,776",
    ] { #expect(one.output.contains("\n\(line)\n"), "\(one)") }
    for result in [list, ratios, one] { #expect(result.errors.isEmpty) }
  }

  /// Real weights become 8-bit ones, which forward runs and inspect counts.
  @Test func quantizeWritesWeights() throws {
    let folder = try TestFolder()
    try writeDrawnWeights("csinet", compression: 16, in: "\(folder.path)/weights")
    let data = Repository.root.appending(path: "Tests/Fixtures/datasets/umi_los_20.npz").path
    let network = ["csinet {int8: both}", "-c", "16"]
    let made = try Program.run(
      ["quantize"] + network + [
        "--weights", "weights", "--input", data + ":HT", "--output", "int8", "--samples", "15",
        "--calibration", "moving_average",
      ], in: folder)
    #expect(made.status == 0, "\(made)")
    #expect(made.output.contains("# weights: int8/csinet-int8-both-16-encoder.safetensors\n"))
    #expect(made.output.contains("\nsamples              15\n"), "\(made)")
    #expect(made.output.contains(/NMSE quantised +-?\d+\.\d{4} dB\n/), "\(made)")
    let run = try Program.run(
      ["forward"] + network + [
        "--weights", "int8", "--input", data + ":HT", "--output", "out.npy",
      ], in: folder)
    #expect(run.status == 0, "\(run)")
    let file = try Program.run(
      "inspect", "int8/csinet-int8-both-16-encoder.safetensors", in: folder)
    #expect(file.output.contains("Int8Dense(2048 → 128)"), "\(file)")
    #expect(file.output.contains("# calibration: moving_average of 15 samples\n"), "\(file)")
    let real = try Program.run(
      "quantize", "csinet", "-c", "16", "--weights", "weights", "--input", data + ":HT",
      "--output", "int8", in: folder)
    #expect(real.status == 2)
    #expect(real.errors.contains("has no 8-bit layers"), "\(real)")
  }

  @Test func inspectPrintsJSON() throws {
    struct Network: Decodable {
      struct Side: Decodable {
        struct Costs: Decodable { let multiply_accumulates, profiler, distillation, attention: Int }
        let parameters, dense_parameters, weight_bytes: Int
        let costs: Costs
      }
      struct Line: Decodable {
        let key: String
        let shape: [Int]
      }
      let codeword: [Int]
      let encoder, decoder, both: Side
      let encoder_layers: [Line]
    }
    struct Ratios: Decodable { let ratios: [Network] }
    let folder = try TestFolder()
    let one = try Program.run("inspect", "csinet", "-c", "16", "--json", in: folder)
    let network = try JSONDecoder().decode(Network.self, from: Data(one.output.utf8))
    #expect(network.codeword == [128])
    #expect(network.encoder.parameters == 262_314)
    #expect(network.both.costs.profiler == 4_065_280)
    #expect(network.encoder_layers.map(\.key) == ["enc_conv", "enc_bn", "enc_fc"])
    #expect(network.encoder_layers[1].shape == [2, 32, 32])
    let all = try Program.run("inspect", "csinet", "--json", in: folder)
    let ratios = try JSONDecoder().decode(Ratios.self, from: Data(all.output.utf8))
    #expect(ratios.ratios.map(\.both.parameters).last == 136_556)
    let list = try Program.run("inspect", "--json", in: folder)
    #expect(list.output.contains("\"network\" : \"acrnet-7x\""))
  }

  /// Several networks and files are shown one after the other, and those that are wrong told at the end.
  @Test func inspectShowsSeveral() throws {
    let folder = try TestFolder(["a.safetensors": "damaged", "b.safetensors": "damaged"])
    let both = try Program.run("inspect", Self.fixture, "crnet", in: folder)
    #expect(both.status == 0, "\(both)")
    let first = try Program.run("inspect", Self.fixture, in: folder)
    let second = try Program.run("inspect", "crnet", in: folder)
    #expect(both.output == first.output + "\n" + second.output)
    let json = try Program.run("inspect", Self.fixture, "crnet", "--json", in: folder)
    let values = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]]
    #expect(values?.count == 2 && values?[0]["network"] as? String == "cl-crnet")
    let broken = try Program.run(
      "inspect", "a.safetensors", Self.fixture, "b.safetensors", in: folder)
    #expect(broken.status == 1 && broken.output == first.output, "\(broken)")
    #expect(
      broken.errors.contains("a.safetensors: ") && broken.errors.contains("b.safetensors: "),
      "\(broken)")
    let unknown = try Program.run("inspect", Self.fixture, "crnett", in: folder)
    #expect(unknown.status == 2 && unknown.errors.contains("did you mean 'crnet'?"), "\(unknown)")
  }

  @Test func inspectShowsFiles() throws {
    let result = try Program.run("inspect", Self.fixture, in: TestFolder())
    #expect(result.status == 0)
    #expect(result.output.contains("\n# network: CL-CRNet\n"), "\(result)")
    #expect(result.output.contains("\n# encoder: 1,972 parameters, 8,000 bytes\n"), "\(result)")
    #expect(result.output.contains("\n# decoder: 4,874 parameters, "), "\(result)")
  }

  /// The same bytes for any number of threads; decoding what was encoded gives what the autoencoder gives.
  @Test func forwardDoesNotDependOnThreadsOrParts() throws {
    let folder = try TestFolder()
    try folder.write(NPY.file([100, 2048], NPY.csi(rows: 100)), to: "a.npy")
    let whole = try Self.forward("a.npy", in: folder, threads: 1, output: "one.npy")
    #expect(whole.status == 0, "\(whole)")
    #expect(whole.output.contains("\nsamples              100, written as 100 x 2048\n"))
    #expect(whole.output.contains("dB, mean of ratios\n"))
    #expect(whole.output.contains("\nsamples/s "))
    for threads in [2, 3] {
      _ = try Self.forward("a.npy", in: folder, threads: threads, output: "more.npy")
      #expect(try folder.read("one.npy") == folder.read("more.npy"))
    }
    let encoded = try Self.forward("a.npy", in: folder, part: "encoder", output: "codeword.npy")
    #expect(encoded.output.contains("100, written as 100 x 4 x 1 x 32\n"), "\(encoded)")
    #expect(!encoded.output.contains("NMSE"))
    let decoded = try Self.forward("codeword.npy", in: folder, part: "decoder", output: "map.npy")
    #expect(decoded.output.contains("100, written as 100 x 2 x 32 x 32\n"), "\(decoded)")
    #expect(
      try folder.read("map.npy").suffix(100 * 8192) == folder.read("one.npy").suffix(100 * 8192))
  }

  @Test func samplesWithoutEnergyAreLeftOut() throws {
    let folder = try TestFolder()
    let silent = [Float](repeating: 0.5, count: 2048)
    try folder.write(NPY.file([3, 2048], NPY.csi(rows: 2) + silent), to: "one.npy")
    try folder.write(NPY.file([2, 2048], NPY.csi(rows: 2)), to: "none.npy")
    try folder.write(NPY.file([1, 2048], silent), to: "all.npy")
    let (one, none, all) = (
      try Self.forward("one.npy", in: folder), try Self.forward("none.npy", in: folder),
      try Self.forward("all.npy", in: folder)
    )
    func errors(_ result: Program.Output) -> [Substring] {
      result.output.split(separator: "\n").filter { $0.hasPrefix("NMSE") }
    }
    #expect(one.output.contains("\nwithout energy       1, left out"), "\(one)")
    #expect(errors(one) == errors(none))
    #expect(all.status == 0)
    #expect(all.output.contains("\nNMSE                 none, mean of ratios\n"), "\(all)")
  }

  @Test(arguments: [
    BrokenData("narrow.npy", "expected a real array [samples, 2, 32, 32] or [samples, 2048]") {
      NPY.file([2, 2047], [Float](repeating: 0.6, count: 4094))
    },
    BrokenData("swapped.npy", "found 2 x 32 x 32 x 2 float32") {
      NPY.file([2, 32, 32, 2], NPY.csi(rows: 2))
    },
    BrokenData("complex.npy", "found 2 x 2048 complex float32") {
      NPY.file([2, 2048], NPY.csi(rows: 4), type: "<c8")
    },
    BrokenData("norows.npy", "with samples, found 0 x 2048") { NPY.file([0, 2048], []) },
    BrokenData("scalar.npy", "found scalar float32") { NPY.file([], [1]) },
    BrokenData("nan.npy", "found nan in sample 1, value 100 (both counted from 0)") {
      NPY.file([3, 2048], NPY.csi(rows: 3, with: .nan, inRow: 1))
    },
    BrokenData("infinite.npy", "found -inf in sample 2, value 100") {
      NPY.file([3, 2048], NPY.csi(rows: 3, with: -.infinity, inRow: 2))
    },
    BrokenData("large.npy", "expected values that the network keeps finite") {
      NPY.file([1, 2048], [Float](repeating: 3e38, count: 2048))
    },
    BrokenData("truncated.npy", "the file is truncated") {
      NPY.file([4, 2048], NPY.csi(rows: 4)).dropLast(4)
    },
    BrokenData("several.npz", "name the variable to read") {
      try Repository.dataset("numpy_several.npz")
    },
  ])
  func unfitInput(_ broken: BrokenData) throws {
    let folder = try TestFolder(["out.npy": "old"])
    try folder.write(broken.bytes(), to: broken.name)
    let result = try Self.forward(broken.name, in: folder)
    #expect(result.status == 1, "\(result)")
    #expect(result.output.isEmpty)
    #expect(result.errors.contains("\(broken.name):"), "\(result)")
    #expect(result.errors.contains(broken.message), "\(result)")
    #expect(try folder.text("out.npy") == "old")
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(!left.contains { $0.hasSuffix(".tmp") }, "\(left)")
  }

  @Test(arguments: [
    (["crnet", "-c", "16"], 1, "expected the tensors of crnet 1/16, found others"),
    (["cl-crnet", "-c", "8"], 1, "has shape 4x64x1x7, expected 8x64x1x7"),
    (["transnet-cross-batch", "-c", "4"], 2, "attends across the batch"),
    (["cllwcsinet-clean", "-c", "8"], 2, "also reads the codeword before the noise"),
  ])
  func unfitWeights(_ network: [String], _ status: Int32, _ message: String) throws {
    let folder = try TestFolder()
    try folder.write(NPY.file([2, 2048], NPY.csi(rows: 2)), to: "a.npy")
    let result = try Program.run(
      ["forward"] + network + [
        "--weights", Self.fixture, "--input", "a.npy", "--output", "out.npy",
      ], in: folder)
    #expect(result.status == status, "\(result)")
    #expect(result.errors.contains(message), "\(result)")
    #expect(!folder.has("out.npy"))
  }

  @Test func outputMustBeNPY() throws {
    let folder = try TestFolder()
    try folder.write(NPY.file([2, 2048], NPY.csi(rows: 2)), to: "a.npy")
    for output in ["out.csv", "none/out.npy"] {
      let result = try Self.forward("a.npy", in: folder, output: output)
      #expect(result.status == 1)
      #expect(result.errors.hasPrefix("\(output): expected "), "\(result)")
    }
  }

  @Test func interruptedLeavesNothing() throws {
    let folder = try TestFolder()
    // A file with a hole: many samples of zeros that take no room.
    let header = NPY.file([200_000, 2048], [])
    try folder.write(header, to: "a.npy")
    let file = try FileHandle(forUpdating: URL(filePath: "\(folder.path)/a.npy"))
    try file.truncate(atOffset: UInt64(header.count + 200_000 * 8192))
    try file.close()
    let running = try Program.start(
      [
        "forward", "cl-crnet", "-c", "16", "--weights", Self.fixture, "--input", "a.npy",
        "--output", "out.npy", "--threads", "1",
      ], in: folder)
    func files() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: folder.path)
    }
    try running.wait { (try? files().contains { $0.hasSuffix(".tmp") }) ?? false }
    running.send(SIGINT)
    let result = try running.wait()
    #expect(result.status == 130, "\(result)")
    #expect(result.errors.contains("interrupted; nothing was written"), "\(result)")
    #expect(try !files().contains { $0.hasPrefix("out.npy") })
  }

  @Test func verifyTellsRightFromWrong() throws {
    let folder = try TestFolder()
    let good = try Data(contentsOf: URL(filePath: Self.fixture))
    var wrong = good
    // The last byte of a little-endian float of the largest tensor by name, 'output' or a weight: a changed sign.
    wrong[wrong.count - 1] ^= 0x80
    try folder.write(good, to: "good.safetensors")
    try folder.write(wrong, to: "wrong.safetensors")
    try folder.write(good.dropLast(1), to: "cut.safetensors")
    let right = try Program.run("verify", "good.safetensors", in: folder)
    #expect(right.status == 0, "\(right)")
    #expect(right.output.contains("# good.safetensors: CL-CRNet 1/16, eval, inference path\n"))
    #expect(right.output.contains("# good.safetensors: CL-CRNet 1/16, eval, training path\n"))
    #expect(!right.output.contains("FAIL"))
    let one = try Program.run("verify", "good.safetensors", "--path", "inference", in: folder)
    #expect(one.status == 0 && !one.output.contains("training path"), "\(one)")
    let fails = try Program.run("verify", "wrong.safetensors", "good.safetensors", in: folder)
    #expect(fails.status == 1, "\(fails)")
    #expect(fails.output.contains("FAIL"))
    let cut = try Program.run("verify", "cut.safetensors", "wrong.safetensors", in: folder)
    #expect(cut.status == 2, "\(cut)")
    #expect(cut.errors.hasPrefix("cut.safetensors: "), "\(cut)")
    #expect(cut.output.contains("FAIL"))
    let missing = try Program.run("verify", "missing.safetensors", in: folder)
    #expect(missing.status == 2, "\(missing)")
  }

  @Test func trainFilesHaveNoInferencePath() throws {
    let file = Repository.root.appending(
      path: "Tests/Fixtures/networks/cllwcsinet_cr8_train.safetensors"
    ).path
    let folder = try TestFolder()
    let both = try Program.run("verify", file, in: folder)
    #expect(both.status == 0, "\(both)")
    #expect(both.output.contains("CLLWCsiNet 1/8, train, training path\n"))
    let inference = try Program.run("verify", file, "--path", "inference", in: folder)
    #expect(inference.status == 2, "\(inference)")
  }
}
