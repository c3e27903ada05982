import Foundation
import Testing

/// `csilink choose`: measured networks within limits.
@Suite struct ChooseCommandTests {
  private static let scenario = """
    name: small
    link:
      grid: {tones: 64}
      channel: {type: rayleigh, ports: 32, taps: 3}
      transform: {taps: 32}
      codec: {network: cl-acrnet-1x, compression: 64}
    sweep:
      codec.network: [cl-acrnet-1x, cl-crnet]
      codec.compression: [32, 64]
      quantizer: [none, {type: uniform, bits: 2, range: [-1, 1]}, {type: uniform, bits: 4, range: [-1, 1]}]
    training: {samples: 16, validation_samples: 4, test_samples: 4, epochs: 1, batch: 8}
    run: {seed: 3, drops: 6}

    """

  /// Rows of the table as words, without its head.
  private func rows(_ output: String) -> [[String]] {
    output.split(separator: "\n").dropFirst().map {
      $0.split(separator: " ").map(String.init)
    }
  }

  @Test func listsWhatFits() throws {
    let folder = try TestFolder(["small.yaml": Self.scenario])
    for arguments in [
      ["train", "small.yaml", "--output", "out"],
      ["run", "small.yaml", "--output", "res", "--set", "codec.weights=out"],
    ] {
      let result = try Program.run(arguments, in: folder)
      try #require(result.status == 0, "\(result)")
    }
    let all = try Program.run("choose", "res", in: folder)
    try #require(all.status == 0, "\(all)")
    let errors = rows(all.output).compactMap { Double($0[0]) }
    #expect(errors.count == 12 && errors == errors.sorted())
    // 32 and 64 reals of 2 and 4 bits; the networks' encoders have 1/64 and 1/32 of 2048 · 7 weights and more.
    let some = try Program.run("choose", "res", "--bits", "130", in: folder)
    try #require(some.status == 0, "\(some)")
    let bits = rows(some.output).map { $0[7] }
    #expect(bits.sorted() == ["128", "128", "128", "128", "64", "64"])
    // The encoder of cl-acrnet-1x has 724 trainable values at 1/64 and more at 1/32.
    let small = try Program.run("choose", "res", "--ue-memory", "724", in: folder)
    try #require(small.status == 0, "\(small)")
    let sizes = rows(small.output).compactMap { Int($0[8]) }
    #expect(sizes.contains(724) && sizes.count < 12 && sizes.allSatisfy { $0 <= 724 })
    let none = try Program.run("choose", "res", "--ue-memory", "10", in: folder)
    #expect(none.status == 1 && none.errors.contains("none of the 12 measured points"))
    #expect(rows(none.output).count == 12)
    // A report of another scenario is refused.
    let report = folder.path + "/res/report.csv"
    let text = try String(contentsOfFile: report, encoding: .utf8)
    try text.replacing("\ncl-crnet,32", with: "\ncl-crnet,16")
      .write(toFile: report, atomically: true, encoding: .utf8)
    let wrong = try Program.run("choose", "res", in: folder)
    #expect(wrong.status == 1 && wrong.errors.contains("codec.compression"), "\(wrong)")
    let missing = try Program.run("choose", "nothing", in: folder)
    #expect(missing.status == 1 && missing.errors.contains("manifest.json"))
    #expect(try Program.run("choose", "res", "--bits", "0", in: folder).status == 2)
  }
}
