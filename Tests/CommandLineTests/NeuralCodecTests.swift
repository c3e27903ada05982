import DataFiles
import Foundation
import Networks
import TestSupport
import Testing

/// The learned codecs through the program: mistakes are placed, damaged weights are errors, results belong to the weights.
@Suite struct NeuralCodecTests {
  /// A link for 32 taps and 32 ports in three lines; a test adds more.
  private static let start =
    "link:\n  channel: {type: rayleigh, ports: 32, taps: 8}\n  grid: {tones: 64}\n"

  /// Weights below `weights`, and below `power` of another normaliser.
  private static func folder(_ more: String) throws -> TestFolder {
    let folder = try TestFolder(["learned.yaml": start + more + "\nrun: {drops: 6, block: 2}\n"])
    try writeDrawnWeights("crnet", compression: 64, in: "\(folder.path)/weights")
    try writeDrawnWeights(
      "crnet", compression: 64, normaliser: "sample_unit_power", in: "\(folder.path)/power")
    return folder
  }

  /// Of two bad files both are told at their places; a folder that has neither side is told once.
  @Test func bothFilesAreTold() throws {
    let folder = try Self.folder(
      "  codec: {network: crnet, compression: 64, weights: [a.safetensors, b.safetensors]}")
    for name in ["a", "b"] {
      try folder.write(Data("damaged \(name)".utf8), to: "\(name).safetensors")
      try folder.write(Data("damaged \(name)".utf8), to: "\(name).onnx")
    }
    let weights = try Program.run("check", "learned.yaml", in: folder)
    #expect(weights.status == 1, "\(weights)")
    for (place, file) in [("4:54", "a.safetensors"), ("4:69", "b.safetensors")] {
      let start = "learned.yaml:\(place): error: codec.weights: ./\(file): "
      #expect(weights.errors.contains(start), "\(weights)")
    }
    let onnx = try Program.run(
      "check", "learned.yaml", "--set", "codec={type: onnx, encoder: a.onnx, decoder: b.onnx}",
      in: folder)
    #expect(onnx.status == 1, "\(onnx)")
    #expect(onnx.errors.contains("codec.encoder: ./a.onnx: "), "\(onnx)")
    #expect(onnx.errors.contains("codec.decoder: ./b.onnx: "), "\(onnx)")
    try AtomicFile.createFolder("\(folder.path)/empty")
    for place in ["empty", "nowhere"] {
      let none = try Program.run(
        "check", "learned.yaml", "--set", "codec.weights=\(place)", in: folder)
      #expect(none.status == 1 && none.errors.contains("no such file"), "\(none)")
      #expect(none.errors.matches(of: #/error: /#).count == 1, "\(none)")
    }
  }

  struct Mistake: Sendable, CustomTestStringConvertible {
    let text: String
    let place: String
    let message: String
    let hint: String
    init(_ text: String, _ place: String, _ message: String, hint: String) {
      (self.text, self.place, self.message, self.hint) = (text, place, message, hint)
    }
    var testDescription: String { message }
  }

  @Test(arguments: [
    Mistake(
      "  codec: {network: crnett, compression: 64, weights: weights}", "4:20",
      "codec.network must be one of csinet, csinet-width,", hint: "did you mean 'crnet'?"),
    Mistake(
      "  codec: {network: crnet, compression: 64}", "4:11", "codec.weights is needed to run",
      hint: "'csilink train' makes them"),
    Mistake(
      "  codec: {type: network, weights: weights}", "4:17", "codec.network is required",
      hint: "Name of the autoencoder"),
    Mistake(
      "  codec: {network: crnet, compression: 7, weights: weights}", "4:40",
      "codec.compression of crnet must be one of 4, 8, 16, 32, 64, got 7", hint: ""),
    Mistake(
      "  codec: {network: cllwcsinet-clean, weights: weights}", "4:20",
      "codec.network cllwcsinet-clean cannot run in a link: its decoder needs",
      hint: "write 'network: cllwcsinet'"),
    Mistake(
      "  codec: {network: transnet-cross-batch, weights: weights}", "4:20",
      "codec.network transnet-cross-batch cannot run in a link: it attends across the batch",
      hint: "write 'network: transnet'"),
    Mistake(
      "  codec: {network: crnet, compression: 5, weights: weights}\n  transform: {taps: 16}",
      "4:40",
      "codec.compression of crnet must be one of 4, 8, 16, 32, 64 for 32 ports and 16 taps, got 5",
      hint: ""),
    Mistake(
      "  codec: {network: 'acrnet {expanse: 4}', weights: weights}", "4:20",
      "codec.network is unfit: acrnet.expanse codec 'acrnet' has no such key", hint: ""),
    Mistake(
      "  codec: {network: crnet, compression: 64, weights: weights}\n  normaliser: none", "4:20",
      "codec.network crnet gives values in [0, 1] only, but CSI of normaliser none goes beyond",
      hint: "write 'normaliser: sample_max_modulus'"),
    Mistake(
      "  codec: {network: crnet, compression: 64, weights: power}", "4:53",
      "codec.weights was trained with normaliser sample_unit_power, but the link has "
        + "sample_max_modulus", hint: "or train with normaliser sample_max_modulus"),
    Mistake(
      "  codec: {compression: 64}\nsweep: {codec: [dft_selection, {network: crnet}]}", "5:32",
      "codec.weights is needed to run: the folder or file with the trained weights "
        + "(at codec = crnet)", hint: "csilink train"),
    Mistake(
      "sweep: {codec.network: [crnet, clnet]}", "4:9", "codec.weights is needed to run", hint: ""),
  ])
  func isReported(_ mistake: Mistake) throws {
    let folder = try Self.folder(mistake.text)
    for command in ["check", "run"] {
      let result = try Program.run(command, "learned.yaml", in: folder)
      #expect(result.status == 2, "\(result)")
      #expect(
        result.errors.contains("learned.yaml:\(mistake.place): error: \(mistake.message)"),
        "\(result)")
      #expect(mistake.hint.isEmpty || result.errors.contains(mistake.hint), "\(result)")
      #expect(!folder.has("results/learned/report.csv"))
    }
  }

  private static let good = "  codec: {network: crnet, compression: 64, weights: weights}"

  struct Damage: Sendable, CustomTestStringConvertible {
    let message: String
    let bytes: @Sendable (Data) -> Data?
    init(_ message: String, _ bytes: @escaping @Sendable (Data) -> Data?) {
      (self.message, self.bytes) = (message, bytes)
    }
    var testDescription: String { message }
  }

  /// Weights that are missing or damaged fail with their path and exit code 1, on either side.
  @Test(
    arguments: [
      Damage("found an empty file") { _ in Data() },
      Damage("bytes") { $0.prefix(7) },
      Damage("bytes of safetensors header") { $0.prefix(40) },
      Damage("the file is truncated or its header is damaged") { $0.dropLast(1000) },
      Damage("expected finite values") { data in
        var data = data
        for byte in data.suffix(4).indices { data[byte] = 0xff }
        return data
      },
      Damage("found no such file") { _ in nil },
    ], ["encoder", "decoder"])
  func damagedWeights(_ damage: Damage, side: String) throws {
    let folder = try Self.folder(Self.good)
    let name = "weights/crnet-64-\(side).safetensors"
    if let bytes = damage.bytes(try folder.read(name)) {
      try folder.write(bytes, to: name)
    } else {
      try FileManager.default.removeItem(atPath: "\(folder.path)/\(name)")
    }
    for command in ["check", "run"] {
      let result = try Program.run(command, "learned.yaml", in: folder)
      #expect(result.status == 1, "\(result)")
      #expect(result.output.isEmpty, "\(result)")
      #expect(
        result.errors.hasPrefix("learned.yaml:4:53: error: codec.weights: ./\(name):"), "\(result)")
      #expect(result.errors.contains(damage.message), "\(result)")
    }
    #expect(!folder.has("results/learned/report.csv"))
  }

  /// Weights so large that values overflow end with their path in run and forward, not as drops without energy.
  @Test(arguments: ["encoder", "decoder"])
  func weightsThatOverflow(side: String) throws {
    let folder = try Self.folder(Self.good + "\n  quantizer: none")
    let name = "weights/crnet-64-\(side).safetensors"
    try folder.write(try Self.scaled(folder.read(name), by: 1e37), to: name)
    try folder.write(NPY.file([2, 2048], NPY.csi(rows: 2)), to: "in.npy")
    let commands = [
      ["run", "learned.yaml"],
      [
        "forward", "crnet", "-c", "64", "--weights", "weights", "--input", "in.npy", "--output",
        "out.npy",
      ],
    ]
    for command in commands {
      let result = try Program.run(command, in: folder)
      #expect(result.status == 1, "\(result)")
      #expect(result.output.isEmpty, "\(result)")
      #expect(result.errors.contains("\(name): expected weights that keep the \(side)'s values"))
      #expect(result.errors.contains("finite"), "\(result)")
    }
    #expect(!folder.has("results/learned/report.csv") && !folder.has("out.npy"))
  }

  /// A variance below zero is refused when the file is read.
  @Test func negativeVariances() throws {
    let folder = try Self.folder(Self.good)
    let network = try NetworkChoice("crnet", compression: 64)
    let autoencoder = network.autoencoder
    var weights = drawnWeights(autoencoder)
    let key = try #require(
      autoencoder.decoder.parameters.map(\.key).first { $0.hasSuffix("running_var") })
    weights[key]![0] = -1
    try WeightsFile.write(
      weights, network, metadata: ["normaliser": "sample_max_modulus"], in: "\(folder.path)/weights"
    )
    for command in ["check", "run"] {
      let result = try Program.run(command, "learned.yaml", in: folder)
      #expect(result.status == 1, "\(result)")
      #expect(result.errors.contains(" ./weights/crnet-64-decoder.safetensors:"), "\(result)")
      #expect(result.errors.contains(key) && result.errors.contains("variances of at least zero"))
    }
  }

  /// A safetensors file of float32 with all values multiplied.
  private static func scaled(_ data: Data, by factor: Float) -> Data {
    let header = 8 + Int(data.prefix(8).enumerated().reduce(0) { $0 | UInt64($1.1) << (8 * $1.0) })
    let values = data.suffix(data.count - header).withUnsafeBytes { raw in
      (0..<raw.count / 4).map {
        raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) * factor
      }
    }
    return data.prefix(header) + values.withUnsafeBytes { Data($0) }
  }

  /// Value of a column in the first row of a report.
  private static func value(_ column: String, in report: String) throws -> String {
    let lines = report.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    return lines[1][try #require(lines[0].firstIndex(of: column))]
  }

  @Test func resultsBelongToTheWeights() throws {
    let folder = try Self.folder(Self.good + "\n  quantizer: {type: uniform, fit.drops: 20}")
    let command = ["run", "learned.yaml", "--output", "out"]
    let one = try Program.run(command + ["--threads", "1"], in: folder)
    #expect(one.status == 0, "\(one)")
    let report = try folder.text("out/report.csv")
    let digest = try Self.value("weights_digest", in: report)
    #expect(digest.count == 16)
    #expect(one.output.contains("  weights \(digest)"), "\(one)")
    #expect(try folder.text("out/manifest.json").contains("\"weights_digest\" : \"\(digest)\""))
    let two = try Program.run(
      "run", "learned.yaml", "--output", "two", "--threads", "2", in: folder)
    #expect(two.status == 0, "\(two)")
    #expect(try folder.text("two/report.csv") == report)

    try writeDrawnWeights("crnet", compression: 64, seed: 2, in: "\(folder.path)/weights")
    let other = try Program.run(command, in: folder)
    #expect(other.status == 1, "\(other)")
    #expect(other.errors.contains("holds results of other data or weights"), "\(other)")
    #expect(try folder.text("out/report.csv") == report)
    let fresh = try Program.run(command + ["--fresh"], in: folder)
    #expect(fresh.status == 0, "\(fresh)")
    #expect(try Self.value("weights_digest", in: folder.text("out/report.csv")) != digest)
  }

  /// Relative weights start from the scenario's folder, those of an extended file from that file's; the resolved scenario
  /// gives the same report.
  @Test func pathsAndTheResolvedScenario() throws {
    let folder = try Self.folder(Self.good + "\nsweep: {codec: [none, {network: crnet}]}")
    let below = "\(folder.path)/below"
    try FileManager.default.createDirectory(atPath: below, withIntermediateDirectories: true)
    try folder.write(Data("extends: ../learned.yaml\n".utf8), to: "below/learned.yaml")
    let first = try Program.run("run", "learned.yaml", "--output", "a", in: folder)
    #expect(first.status == 0, "\(first)")
    let second = try Program.run("run", "below/learned.yaml", "--output", "b", in: folder)
    #expect(second.status == 0, "\(second)")
    let manifest = try #require(
      JSONSerialization.jsonObject(with: folder.read("a/manifest.json")) as? [String: Any])
    try folder.write(
      Data(try #require(manifest["scenario"] as? String).utf8), to: "resolved.yaml")
    let third = try Program.run("run", "resolved.yaml", "--output", "c", in: folder)
    #expect(third.status == 0, "\(third)")
    let report = try folder.text("a/report.csv")
    #expect(try folder.text("c/report.csv") == report)
    #expect(report.contains("\nnone,") && report.contains("\ncrnet,"))
    // The path is part of the scenario's digest, the content of the weights' digest.
    #expect(
      try Self.value("weights_digest", in: folder.text("b/report.csv"))
        == Self.value("weights_digest", in: report))
  }

  /// The published test vectors' weights are of another program: one file with both sides and without a rule.
  @Test func weightsOfAnotherProgram() throws {
    let file = networkFixture("clcsinet_cr8_eval")
    let folder = try Self.folder("  codec: {network: cl-csinet, compression: 8, weights: \(file)}")
    let check = try Program.run("check", "learned.yaml", in: folder)
    #expect(check.status == 0, "\(check)")
    #expect(check.output.contains("cl-csinet 1/8: encoder "), "\(check)")
    let run = try Program.run("run", "learned.yaml", "--set", "codec.compression=16", in: folder)
    #expect(run.status == 1, "\(run)")
    #expect(run.errors.contains("expected the tensors of cl-csinet 1/16, found others"), "\(run)")
  }
}
