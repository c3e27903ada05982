import LinkMath
import Simulation
import TestSupport
import Testing

/// What `check` says about memory and disk, against the sizes of the arrays that must be there.
@Suite struct MemoryEstimateTests {
  private func mebibytes(_ yaml: String, _ what: String, threads: Int = 1) throws -> Double {
    let text = try ScenarioCheck.text(scenario(yaml), threads: threads)
    let pattern = try Regex<(Substring, Substring)>("# \(what): about (\\d+) MiB")
    return Double(try #require(text.firstMatch(of: pattern), "\(text)").1)!
  }

  struct Shape: Sendable {
    let tones: Int
    let ports: Int
    let taps: Int
    let reports: Int
    let block: Int
  }

  /// Few tones and many rows: the CSI is most of it. A block holds the channel, and the true, the estimated, the normalised
  /// and the reconstructed CSI, of the slots that 8 MiB of channels have room for; a quarter more than eight times the CSI would be a waste.
  @Test(arguments: [
    Shape(tones: 64, ports: 64, taps: 32, reports: 1, block: 512),
    Shape(tones: 64, ports: 64, taps: 64, reports: 1, block: 512),
    Shape(tones: 256, ports: 32, taps: 256, reports: 4, block: 64),
    Shape(tones: 2048, ports: 32, taps: 4, reports: 2, block: 32),
  ])
  func memoryHoldsTheChannelAndTheCSI(shape: Shape) throws {
    let yaml = """
      link:
        grid: {tones: \(shape.tones)}
        channel: {type: rayleigh, ports: \(shape.ports), taps: 2}
        transform: {taps: \(shape.taps)}
        timing: {slots: \(shape.reports), report_period: 1}
      run: {seed: 1, drops: \(shape.block), block: \(shape.block)}
      """
    let mebibyte = Double(1 << 20)
    let slot = 8 * shape.block * shape.tones * shape.ports
    let slots = min(shape.reports, max(1, (8 << 20) / slot))
    let drop = Double(8 * shape.block * slots * shape.ports) / mebibyte
    let (channel, csi) = (drop * Double(shape.tones), drop * Double(shape.taps))
    for threads in [1, 2] {
      let found = try mebibytes(yaml, "memory", threads: threads) / Double(threads)
      #expect(found >= channel + 4 * csi, "\(shape): \(found)")
      #expect(found <= channel + 10 * csi + 4, "\(shape): \(found)")
    }
  }

  /// 4 bytes for each of 2048 values of a sample, twice if targets are stored apart.
  @Test(arguments: [("truth", 78), ("estimate", 156)])
  func samplesOnDisk(source: String, expected: Double) throws {
    let yaml = """
      link:
        grid: {tones: 64}
        channel: {type: rayleigh, ports: 32, taps: 3}
        pilots: {type: dft, snr_db: 10}
        codec: {network: cl-acrnet-1x, compression: 64}
      training:
        {source: \(source), samples: 7000, validation_samples: 2000, test_samples: 1000, batch: 2}
      run: {seed: 3}
      """
    #expect(try mebibytes(yaml, "samples on disk") == expected)
  }
}
