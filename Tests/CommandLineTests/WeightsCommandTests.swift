import Foundation
import TestSupport
import Testing

/// Weights of other frameworks on the command line and in scenarios.
@Suite struct WeightsCommandTests {
  private static func fixture(_ name: String) -> String {
    Repository.root.appending(path: "Tests/Fixtures/foreign/\(name)").path
  }

  private static func `import`(
    _ arguments: String..., in folder: TestFolder
  ) throws -> Program.Output {
    try Program.run(
      ["weights", "import"] + arguments + ["--image", "8x8", "--output", "w"], in: folder)
  }

  @Test func importWritesWeights() throws {
    let folder = try TestFolder()
    let result = try Self.import(
      Self.fixture("crnet_16_zip.pth"), "--network", "crnet", "-c", "16", in: folder)
    #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
    for line in [
      "# crnet 1/16 of 8x8 from ", "encoder_fc.weight ", "state_dict.module.encoder_fc.weight ",
      "# normaliser: sample_max_modulus", "# weights: w/crnet-8x8-16-encoder.safetensors",
      "# weights: w/crnet-8x8-16-decoder.safetensors",
    ] { #expect(result.output.contains(line), "\(result)") }
    let shown = try Program.run(
      "inspect", "w/crnet-8x8-16-encoder.safetensors", in: folder)
    #expect(shown.status == 0 && shown.output.contains("normaliser: sample_max_modulus"))
  }

  @Test func networkRatioAndNotesArePrinted() throws {
    let folder = try TestFolder()
    let keras = try Self.import(Self.fixture("csinet_last_16.h5"), in: folder)
    #expect(keras.status == 0, "\(keras)")
    for line in [
      "# csinet 1/16 of 8x8", "channels last", "HWIO to OIHW", "w/csinet-8x8-16-decoder",
    ] {
      #expect(keras.output.contains(line), "\(keras)")
    }
    let sides = try Self.import(
      Self.fixture("clnet_16_encoder.pth.tar"), Self.fixture("clnet_16_decoder.pth.tar"),
      "--label", "public", in: folder)
    #expect(sides.output.contains("w/clnet-8x8-16-public-encoder.safetensors"), "\(sides)")
  }

  /// Failures leave nothing behind.
  @Test func failuresAreTold() throws {
    let folder = try TestFolder()
    let wrong = try Self.import(
      Self.fixture("crnet_16_zip.pth"), "--network", "crnet", "-c", "8", in: folder)
    #expect(wrong.status == 1)
    #expect(wrong.errors.contains("'encoder_fc.weight' has shape 8x128, expected 16x128"))
    let absent = try Self.import("nowhere.pth", "--network", "crnet", "-c", "16", in: folder)
    #expect(absent.status == 1 && absent.errors.contains("nowhere.pth"))
    for arguments in [
      ["--network", "crnett"], ["--normaliser", "max"], ["--label", "a/b"],
      ["--network", "crnet", "-c", "7"],
    ] {
      let usage = try Program.run(
        ["weights", "import", Self.fixture("crnet_16_zip.pth"), "--image", "8x8", "-o", "w"]
          + arguments, in: folder)
      #expect(usage.status == 2, "\(usage)")
    }
    #expect(!FileManager.default.fileExists(atPath: "\(folder.path)/w"))
  }

  /// A checkpoint is the weights of a codec as imported files are, and the report has the same numbers.
  @Test func checkpointsRunInALink() throws {
    let folder = try TestFolder()
    _ = try Self.import(
      Self.fixture("crnet_16_zip.pth"), "--network", "crnet", "-c", "16", in: folder)
    func scenario(_ weights: String) -> String {
      """
      name: foreign
      link:
        grid: {tones: 64, spacing: 60 kHz, carrier_frequency: 2 GHz}
        channel: {type: tdl, profile: A, delay_spread: 100 ns, ports: 8}
        pilots: {type: dft}
        estimator: perfect
        transform: {taps: 8}
        normaliser: sample_max_modulus
        codec: {network: crnet, compression: 16, weights: \(weights)}
        quantizer: none
        feedback: ideal
        precoder: {type: mrt, snr_db: 10}
      sweep: {pilots.snr_db: [10]}
      run: {seed: 1, drops: 16}
      """
    }
    var columns: [[Substring]] = []
    for (index, weights) in ["w", Self.fixture("crnet_16_zip.pth")].enumerated() {
      try folder.write(Data(scenario(weights).utf8), to: "\(index).yaml")
      let result = try Program.run("run", "\(index).yaml", "--output", "r\(index)", in: folder)
      #expect(result.status == 0, "\(result)")
      let report = try String(
        contentsOfFile: "\(folder.path)/r\(index)/report.csv", encoding: .utf8)
      // The scenario's and the weights' digests differ.
      columns.append(Array(report.split(separator: "\n").last!.split(separator: ",").prefix(14)))
    }
    #expect(columns[0] == columns[1])
    let halves = ["encoder", "decoder"].map { Self.fixture("clnet_16_\($0).pth.tar") }
    let clnet = scenario("[\(halves.joined(separator: ", "))]").replacing("crnet", with: "clnet")
    try folder.write(Data(clnet.utf8), to: "halves.yaml")
    let joined = try Program.run("run", "halves.yaml", "--output", "h", in: folder)
    #expect(joined.status == 0, "\(joined)")
    // Drawn weights do harm, which is told.
    #expect(joined.errors.contains("1 of 1 points have an NMSE above 0 dB"), "\(joined)")
    let half = try Program.run(
      "check", "halves.yaml", "--set", "codec.weights=\(halves[0])", in: folder)
    #expect(half.status == 1 && half.errors.contains("name the decoder's file as well"), "\(half)")
    try folder.write(
      Data(scenario(Self.fixture("clnet_16_encoder.pth.tar")).utf8), to: "wrong.yaml")
    let wrong = try Program.run("check", "wrong.yaml", in: folder)
    #expect(wrong.status == 2 || wrong.status == 1)
    #expect(wrong.errors.contains("missing "), "\(wrong)")
  }

  /// Files that are larger than they look are read within the memory that the program needs anyway.
  @Test func bombsTakeNoMemory() throws {
    let folder = try TestFolder()
    for (index, bomb) in HostilePickles.bombs.enumerated() {
      let container = TorchContainer.allCases[index % 2]
      try folder.write(Data(container.file(Pickle.of(bomb.object))), to: "bomb.pth")
      // A gigabyte of addresses, most of them for libraries.
      let result = try Program.run(
        [
          "-c", "ulimit -v 1000000; exec \"$0\" weights import bomb.pth --network crnet -c 16 -o w",
          Program.path,
        ], in: folder, program: "/bin/sh")
      #expect(result.status == 1, "\(bomb.name): \(result)")
    }
  }
}
