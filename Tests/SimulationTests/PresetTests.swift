import Channels
import ComplexModule
import DataFiles
import Foundation
import Link
import LinkMath
import Networks
import Parts
import Scenarios
import Simulation
import Synchronization
import TestSupport
import Testing

/// `preset: csinet` is the public data set, indoors.
@Suite struct PresetTests {
  @Test func thePresetHasTheConventionsOfThePublicSet() throws {
    let point = try scenario("link: {preset: csinet}\nrun: {drops: 2}").points[0]
    func value(_ section: Section, _ key: String) -> Setting? {
      point.settings[section]?.values[key]
    }
    #expect(value(.grid, "tones") == .integer(257))
    #expect(value(.grid, "spacing")?.asNumber == 78125)
    #expect(value(.grid, "carrier_frequency")?.asNumber == 5.3e9)
    #expect(point.settings[.channel]?.part == "cost2100")
    #expect(value(.channel, "environment") == .text("indoor"))
    #expect(value(.channel, "ports") == .integer(32))
    #expect(value(.channel, "delay_reference") == .text("absolute"))
    #expect(value(.channel, "normalise") == .text("sample"))
    #expect(value(.transform, "taps") == .integer(32))
    #expect(value(.transform, "guard_rows") == .integer(0))
    #expect(value(.transform, "delay_dft") == .text("inverse"))
    #expect(value(.transform, "angle_dft") == .text("forward"))
    #expect(value(.transform, "angle_shift") == .integer(16))
    #expect(point.settings[.normaliser]?.part == "sample_max_modulus")
  }

  /// A link with perfect estimate and ideal feedback is the network alone on samples of the public set's form,
  /// `0.5 + 0.5 h / max|h|`, [2, angle, delay].
  @Test func thePerfectLinkIsTheNetworkAlone() throws {
    try withTemporaryFolder { folder in
      try writeDrawnWeights("csinet-width", compression: 64, in: folder)
      let yaml = """
        link:
          preset: csinet
          estimator: perfect
          codec: {network: csinet-width, compression: 64, weights: \(folder)}
          precoder: {type: mrt, snr_db: 10}
        run: {seed: 7, drops: 20}
        """
      let result = try execute(prepare(yaml)).points[0]
      let samples = try Self.samples(yaml, count: 20)
      let input = folder + "/samples.npy"
      let writer = try NPYWriter(input, rowShape: [2, 32, 32])
      try writer.append(samples)
      try writer.finish()
      let forward = try ForwardRun(
        NetworkChoice("csinet-width", compression: 64), part: .autoencoder, weights: [folder])
      let summary = try forward.run(
        ArrayFile.open(input), output: folder + "/output.npy", pool: WorkerPool(threadCount: 1))
      let alone = try #require(summary.error?.nmse)
      #expect(abs(result[.nmseDB] - decibels(alone)) < 1e-3)
    }
  }

  private static func samples(_ yaml: String, count: Int) throws -> [Float] {
    let captured = Mutex<(any ChannelModel)?>(nil)
    _ = try PreparedRun(
      scenario(yaml), pool: WorkerPool(threadCount: 1), artefactFolder: nil,
      channels: { channel in
        captured.withLock { $0 = channel }
        return channel
      })
    let channel = try #require(captured.withLock { $0 })
    let response = try channel.frequencyResponse(DropBlock(0..<count, seed: 7), slots: [0])[0]
    let transform = AngularDelayTransform(grid: 257, ports: 32, taps: 32, shift: 16)
    let csi = transform.forward(response)
    return (0..<count).flatMap { drop -> [Float] in
      let largest = csi.slice(drop..<drop + 1).elements.map(\.length).max()!
      return (0..<2048).map { i in
        let value = csi[drop, i % 32, i % 1024 / 32]
        return 0.5 + 0.5 * (i < 1024 ? value.real : value.imaginary) / largest
      }
    }
  }
}
