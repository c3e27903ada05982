import Foundation
import LinkMath
import Simulation
import TestSupport
import Testing

/// Several slots of a drop: noise of its own in each, metrics over all, and points that do not see each other's clock.
@Suite struct SlotTests {
  /// A UE at rest reports in three slots: whatever differs between them is noise.
  private static func still(_ more: String) -> String {
    """
    link:
      grid: {tones: 16}
      channel: {type: rayleigh, ports: 4, taps: 3}
      pilots: {type: dft, snr_db: 3}
      transform: {taps: 16}
      normaliser: none
      timing: {slots: 3, report_period: 1}
    \(more)
    run: {seed: 19, drops: 12}
    """
  }

  private func still() throws -> [DirectLink.Matrix] {
    try DirectLink.rayleigh(tones: 16, ports: 4, taps: 3, drops: 0..<12, seed: 19)[0]
  }

  /// Unitary pilots: the error has the energy of the received noise, `Σ_s ‖N_s‖² / 3 ‖H‖²`.
  @Test func everySlotHasItsPilotNoise() throws {
    let channels = try still()
    var drop = 0
    try forEachDrop(prepare(Self.still("  estimator: ls"))) { _, value in
      let noise = (0..<3).reduce(0.0) { sum, slot in
        sum
          + DirectLink.energy(
            DirectLink.pilotNoise(
              tones: 16, symbols: 4, snrDB: 3, drop: drop, .run, seed: 19, slot: slot))
      }
      let energy = DirectLink.energy(channels[drop])
      #expect(abs(value(.estimateRatio) / (noise / 3 / energy) - 1) < 1e-4, "drop \(drop)")
      #expect(abs(value(.errorEnergy) / noise - 1) < 1e-4, "drop \(drop)")
      #expect(abs(value(.referenceEnergy) / (3 * energy) - 1) < 1e-5, "drop \(drop)")
      drop += 1
    }
    #expect(drop == 12)
  }

  @Test func everyReportHasItsAnalogueNoise() throws {
    let channels = try still()
    var drop = 0
    let more = "  estimator: perfect\n  feedback: {type: analogue, snr_db: 4}"
    try forEachDrop(prepare(Self.still(more))) { _, value in
      let noise = (0..<3).reduce(0.0) { sum, slot in
        var stream = StreamKey(seed: 19, domain: .run, purpose: .feedbackNoise)
          .stream(drop: drop, slot: slot)
        return stream.normal(count: 128).reduce(sum) { $0 + Double($1) * Double($1) }
      }
      let expected = noise * DirectLink.energy(channels[drop]) / 128 * pow(10, -0.4)
      #expect(abs(value(.errorEnergy) / expected - 1) < 1e-4, "drop \(drop)")
      drop += 1
    }
    #expect(drop == 12)
  }

  /// Three reports of the same bits with the same noise would have three times the same number of errors.
  @Test(arguments: [
    "{type: bsc, p: 0.2}", "{type: bpsk, snr_db: 0}", "{type: qpsk, snr_db: 0}",
    "{type: qpsk, snr_db: 3, fading: iid, branches: 2}", "{type: bpsk, snr_db: 0, fading: block}",
  ])
  func everyReportHasItsBitErrors(feedback: String) throws {
    let more = """
        estimator: perfect
        quantizer: {type: uniform, bits: 4, range: [-3, 3]}
        feedback: \(feedback)
      """
    var remainders: Set<Int> = []
    try forEachDrop(prepare(Self.still(more))) { _, value in
      remainders.insert(Int(value(.bitErrors)) % 3)
    }
    #expect(remainders == [0, 1, 2], "\(remainders)")
  }

  /// What the transform cuts off of a channel at rest does not depend on the number of slots.
  @Test func sharesAreAveragedOverTheSlots() throws {
    let more = "  estimator: perfect"
    let channels = try still()
    var drop = 0
    try forEachDrop(prepare(Self.still(more), set: ["transform.taps=2"])) { _, value in
      let energy = DirectLink.energy(channels[drop])
      let kept = DirectLink.energy(DirectLink.csi(channels[drop], taps: 2))
      #expect(abs(value(.truncationRatio) - (1 - kept / energy)) < 1e-6, "drop \(drop)")
      #expect(abs(value(.gainFraction) - 1) > 1e-3, "a third of the mean power is missing")
      drop += 1
    }
    #expect(drop == 12)
  }

  /// A moving UE: energies are summed over the reports, each of its own channel.
  @Test func energiesAreSummedOverTheReports() throws {
    let slots = try DirectLink.rayleigh(
      tones: 16, ports: 4, taps: 3, drops: 0..<12, seed: 19, slots: [0, 1, 2], speed: 60)
    var drop = 0
    let run = try prepare(Self.still("  estimator: perfect"), set: ["timing.speed=60 m/s"])
    try forEachDrop(run) { _, value in
      let expected = slots.reduce(0) { $0 + DirectLink.energy($1[drop]) }
      #expect(abs(value(.referenceEnergy) / expected - 1) < 1e-5, "drop \(drop)")
      let first = 3 * DirectLink.energy(slots[0][drop])
      #expect(abs(expected / first - 1) > 1e-4, "it moves")
      drop += 1
    }
    #expect(drop == 12)
  }

  /// With 64 KiB for the channel of a slot, 8 MiB hold all 40 slots of one drop and 16 slots of eight: what UE and BS remember goes over
  /// from one flight of slots to the next.
  @Test(arguments: [
    "prediction=hold", "prediction=linear", "codec={type: differential, range: 4}",
    "channel={type: rayleigh, ports: 32, taps: 3, fading: ar1, delay_reference: strongest}",
  ])
  func tracksDoNotDependOnTheSlotsInFlight(change: String) throws {
    let yaml = """
      link:
        grid: {tones: 256}
        channel: {type: rayleigh, ports: 32, taps: 3}
        pilots: {type: dft, snr_db: 10}
        transform: {taps: 4}
        normaliser: none
        timing: {slots: 40, report_period: 3, feedback_delay: 5, speed: 10 m/s}
      sweep: {feedback: [{type: erasure, loss: 0, snr_db: 8}, {type: erasure, loss: 0.3, snr_db: 8}]}
      run: {seed: 20, drops: 8}
      """
    let bits =
      change.hasPrefix("codec") ? "quantizer=none" : "quantizer={type: uniform, range: [-4, 4]}"
    let results = try [1, 8].map {
      try execute(prepare(yaml, set: [change, bits, "run.block=\($0)"]))
    }
    for (a, b) in zip(results[0].points, results[1].points) {
      for column in Column.standard {
        #expect(a.value(column) == b.value(column), "\(a.coordinates), \(column.name)")
      }
      #expect(a[.nmseFullDB].isFinite && a.drops == 8)
    }
  }

  /// A point of a sweep over the clock is the point alone.
  @Test(arguments: [
    "timing.speed=[0 m/s, 5 m/s, 40 m/s]", "timing.slot=[1 ms, 3 ms]",
    "timing.feedback_delay=[3, 0, 1]", "timing.processing_delay=[0, 2]",
    "timing.report_period=[1, 2, 5]", "timing.slots=[6, 9]",
  ])
  func pointsDoNotSeeEachOthersClock(axis: String) throws {
    let yaml = """
      link:
        grid: {tones: 16}
        channel: {type: rayleigh, ports: 4, taps: 3}
        pilots: {type: dft, snr_db: 10}
        transform: {taps: 8}
        timing: {slots: 6, report_period: 4, feedback_delay: 1, speed: 20 m/s}
      run: {seed: 20, drops: 6}
      """
    let points = try execute(prepare(yaml, set: ["sweep.\(axis)"])).points
    let parts = axis.split(separator: "=")
    let values = parts[1].dropFirst().dropLast().split(separator: ",")
    try #require(points.count == values.count)
    for (point, value) in zip(points, values) {
      let text = value.trimmingCharacters(in: .whitespaces)
      let alone = try execute(prepare(yaml, set: ["\(parts[0])=\(text)"])).points[0]
      #expect(point.number(.nmseFullDB) == alone.number(.nmseFullDB), "\(axis): \(text)")
      #expect(point[.nmseDB] == alone[.nmseDB], "\(axis): \(text)")
      #expect(point[.rate] == alone[.rate], "\(axis): \(text)")
    }
    #expect(Set(points.map { $0[.rate] }).count == points.count, "\(axis) changes the result")
  }
}
