import Foundation
import Scenarios
import Simulation
import Testing

/// What `check`, `run` and `data` say about legal values that grid, pilots and slots cannot show.
@Suite struct ChannelWarningTests {
  private func warnings(_ yaml: String) throws -> [String] {
    ChannelWarnings.of(try scenario(yaml)).map(\.description)
  }

  private func link(_ channel: String, grid: String, pilots: String = "dft", timing: String = "{}")
    throws -> [String]
  {
    try warnings(
      """
      link:
        grid: \(grid)
        channel: \(channel)
        pilots: \(pilots)
        timing: \(timing)
        transform: {taps: 4}
      run: {drops: 10}
      """)
  }

  /// TDL-C ends at 8.6523 DS, CDL-B at 4.7834 DS; a grid of 30 kHz shows 33.3 us.
  @Test(arguments: [
    ("{type: tdl, profile: C, delay_spread: 3.8 us, ports: 2}", false, "delay_spread"),
    ("{type: tdl, profile: C, delay_spread: 3.9 us, ports: 2}", true, "delay_spread"),
    ("{type: cdl, profile: B, delay_spread: 6.9 us, ports: 2}", false, "delay_spread"),
    ("{type: cdl, profile: B, delay_spread: 7 us, ports: 2}", true, "delay_spread"),
    ("{type: rayleigh, ports: 2, taps: 64}", false, "taps"),
    ("{type: rayleigh, ports: 2, taps: 65}", true, "taps"),
    ("{type: rayleigh, ports: 2, delays: [0, 63.5]}", false, "delays"),
    ("{type: rayleigh, ports: 2, delays: [3, 70]}", true, "delays"),
    ("{type: rayleigh, ports: 2, taps: 33, tap_spacing: 2}", true, "tap_spacing"),
    ("{type: rayleigh, ports: 2, delays: [10, 70], delay_reference: first}", false, "delays"),
  ])
  func delaysThatWrapAround(channel: String, isTooLong: Bool, key: String) throws {
    let found = try link(channel, grid: "{tones: 64, spacing: 30 kHz}")
    #expect(found.count == (isTooLong ? 1 : 0), "\(found)")
    guard isTooLong else { return }
    #expect(found[0].contains("channel.\(key) "), "\(found)")
    #expect(found[0].contains("1 / grid.spacing = 33.3 us"), "\(found)")
    #expect(found[0].contains("us for ns"), "\(found)")
  }

  @Test func largestDelayIsNamed() throws {
    let found = try link(
      "{type: cdl, profile: B, delay_spread: 10 us, ports: 2}", grid: "{tones: 64, spacing: 30 kHz}"
    )
    #expect(found[0].contains("delays up to 47.8 us"), "\(found)")
  }

  /// Random delays are known from a few drops; distances of a cell are kilometres, the grid shows a few hundred metres.
  @Test(arguments: ["30 kHz", "10 MHz"])
  func randomDelays(spacing: String) throws {
    let grid = "{tones: 16, spacing: \(spacing), carrier_frequency: 2 GHz}"
    let isCoarse = spacing == "10 MHz"
    let urban = try link("{type: tr38901, scenario: uma, ports: 2}", grid: grid)
    #expect(urban.contains { $0.contains("wrap around") } == isCoarse, "\(urban)")
    let hall = try link(
      "{type: cost2100, environment: indoor, ports: 2}",
      grid: grid.replacing("2 GHz", with: "5.3 GHz"))
    #expect(hall.contains { $0.contains("wrap around") } == isCoarse, "\(hall)")
  }

  /// Pilots on every fourth tone tell 8.33 us apart.
  @Test func delaysBetweenSparsePilots() throws {
    let grid = "{tones: 64, spacing: 30 kHz}"
    for (spread, isTooLong) in [("0.9 us", false), ("1 us", true)] {
      let found = try link(
        "{type: tdl, profile: C, delay_spread: \(spread), ports: 2}", grid: grid,
        pilots: "{type: dft, tone_spacing: 4}")
      #expect(found.count == (isTooLong ? 1 : 0), "\(found)")
      if isTooLong {
        #expect(found[0].contains("pilots.tone_spacing"), "\(found)")
        #expect(found[0].contains("8.33 us") && found[0].contains("8.65 us"), "\(found)")
      }
    }
  }

  /// 10 m/s at 15 GHz are 500.3 Hz: slots of 1 ms follow 500 Hz.
  @Test(arguments: [("10 m/s", 2, true), ("9.9 m/s", 2, false), ("10 m/s", 1, false)])
  func dopplerBeyondTheSlots(speed: String, slots: Int, isTooFast: Bool) throws {
    let found = try link(
      "{type: rayleigh, ports: 2, taps: 2}",
      grid: "{tones: 16, spacing: 30 kHz, carrier_frequency: 15 GHz}",
      timing: "{slot: 1 ms, slots: \(slots), speed: \(speed)}")
    #expect(found.count == (isTooFast ? 1 : 0), "\(found)")
    if isTooFast {
      #expect(found[0].contains("timing.speed"), "\(found)")
      #expect(found[0].contains("500 Hz"), "\(found)")
    }
  }

  @Test(arguments: [0, 3])
  func speedOfRecordedData(speed: Int) throws {
    let found = try link(
      "{type: recorded, file: h.npy, layout: frequency}", grid: "{tones: 16}",
      timing: "{speed: \(speed) m/s}")
    #expect(found.contains { $0.contains("timing.speed has no effect") } == (speed > 0), "\(found)")
  }

  /// A sweep complains once about each value that it concerns.
  @Test func sweptValues() throws {
    let found = try warnings(
      """
      link:
        grid: {tones: 64, spacing: 30 kHz}
        channel: {type: tdl, profile: C, delay_spread: 100 ns, ports: 2}
        transform: {taps: 4}
      sweep:
        pilots.snr_db: [0, 10]
        channel.delay_spread: [100 ns, 5 us, 6 us]
      run: {drops: 10}
      """)
    #expect(found.count == 2, "\(found)")
  }
}
