import Foundation
import LinkMath
import TestSupport
import Testing

/// Reports at every kernel level of this machine, and with every core that an OpenBLAS behind LAPACK may choose.
@Suite struct KernelLevelTests {
  /// Channels with and without angles, both kinds of filters, a transformer and convolutions, eigenvectors of bands.
  private static let networks = """
    link:
      grid: {tones: 64, spacing: 240 kHz}
      transform: {taps: 32, guard_rows: 2}
      precoder: {type: subband, subband_tones: 16, snr_db: 10}
    sweep:
      channel:
        - {type: cdl, profile: C, delay_spread: 100 ns, ports: 32}
        - {type: rayleigh, ports: 32, taps: 8, correlation: exponential, correlation_coefficient: 0.7}
        - {type: cost2100, environment: indoor, ports: 32}
        - {type: tr38901, scenario: umi, state: mixed, ports: 32, environment: cell}
      estimator: [ls, {type: lmmse, fit.drops: 40}]
      codec: [{network: transnet, compression: 16, weights: weights}, {network: crnet, compression: 16, weights: weights}]
    run: {seed: 5, drops: 12, block: 4}
    """

  /// All other families of networks.
  private static let families = [
    "csinet", "cl-csinet", "acrnet-1x", "bcsinet-b2", "csinetplus", "csinetpro", "cllwcsinet",
    "clnet", "kd-crnet-se", "dcrnet-1x", "dcrnetv2-mini", "lrp", "dnnet",
  ]
  private static let zoo = """
    link:
      grid: {tones: 64, spacing: 240 kHz}
      channel: {type: cdl, profile: C, delay_spread: 100 ns, ports: 32}
      transform: {taps: 32}
    sweep:
      codec: [\(families.map { "{network: \($0), compression: 16, weights: weights}" }.joined(separator: ", "))]
    run: {seed: 5, drops: 8, block: 4}
    """

  /// PCA, whose eigenvectors are fitted, with quantisers and FFTW's transforms.
  private static let fitted = """
    link:
      grid: {tones: 60, spacing: 240 kHz}
      channel: {type: tdl, profile: B, delay_spread: 100 ns, ports: 6, correlation: one_ring, angle_spread: 10 deg}
      transform: {taps: 10, guard_rows: 2}
      quantizer: {type: lloyd_max, bits: 4, fit.drops: 300}
    sweep:
      estimator: [ls, {type: lmmse, fit.drops: 40}]
      codec: [{type: pca, fit.drops: 400}, dft_selection]
    run: {seed: 5, drops: 30, block: 4}
    """

  private struct Report: Equatable {
    var bytes = Data()
    var numbers: [[Double]] = []
  }

  private func reports(_ environment: [String: String]) throws -> Report {
    var whole = Report()
    for scenario in [Self.networks, Self.zoo, Self.fitted] {
      let part = try report(scenario, environment)
      whole.bytes += part.bytes
      whole.numbers += part.numbers
    }
    return whole
  }

  private func report(_ scenario: String, _ environment: [String: String]) throws -> Report {
    let folder = try TestFolder(["all.yaml": scenario])
    for network in ["transnet", "crnet"] + Self.families {
      try writeDrawnWeights(network, compression: 16, in: "\(folder.path)/weights")
    }
    let run = try Program.run(
      ["run", "all.yaml", "--output", "out", "--threads", "1"], in: folder, environment: environment
    )
    try #require(run.status == 0, "\(environment) \(run)")
    let rows = try folder.text("out/report.csv").split(separator: "\n")
    let columns = rows.first!.split(separator: ",", omittingEmptySubsequences: false)
    let wanted = ["estimate_nmse_db", "nmse_db", "sgcs", "rate_bits_per_s_hz"]
      .map { columns.firstIndex(of: Substring($0))! }
    // Cells of text may hold commas, so count from the end.
    let numbers = rows.dropFirst().map { row in
      let cells = row.split(separator: ",", omittingEmptySubsequences: false)
      return wanted.map { Double(cells[cells.count - columns.count + $0]) ?? .nan }
    }
    return Report(bytes: try folder.read("out/report.csv"), numbers: numbers)
  }

  @Test func levelsOfOneRoundingGiveTheSameBytes() throws {
    let fused = KernelLevel.available.filter { $0 != "baseline" }
    let reference = try reports([KernelLevel.variable: KernelLevel.available[0]])
    #expect(reference.numbers.count == 20 + Self.families.count)
    #expect(reference.numbers.allSatisfy { $0.allSatisfy(\.isFinite) })
    for level in fused.dropFirst() {
      #expect(try reports([KernelLevel.variable: level]).bytes == reference.bytes, "\(level)")
    }
    for core in ["Haswell", "Nehalem"] + (fused.contains("x86-64-v4") ? ["SkylakeX"] : []) {
      #expect(try reports(["OPENBLAS_CORETYPE": core]).bytes == reference.bytes, "\(core)")
    }
    // Without fused multiply-adds only the last digits differ.
    if KernelLevel.available.last == "baseline" {
      let plain = try reports([KernelLevel.variable: "baseline"])
      for (a, b) in zip(plain.numbers, reference.numbers) {
        #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-3 * max(abs($1), 1) }, "\(a) \(b)")
      }
    }
  }

  @Test func levelsThatTheMachineLacksAreRefused() throws {
    let folder = try TestFolder()
    let run = try Program.run(
      ["list"], in: folder, environment: [KernelLevel.variable: "x86-64-v9"])
    #expect(run.status == 2 && run.output.isEmpty, "\(run)")
    #expect(
      run.errors.contains(
        "CSILINK_KERNEL must be one of \(KernelLevel.available.joined(separator: ", "))"))
  }
}
