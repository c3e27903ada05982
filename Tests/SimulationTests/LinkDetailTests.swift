import DataFiles
import Foundation
import LinkMath
import Reports
import Simulation
import TestSupport
import Testing

/// Details of the link that a wrong constant would change without an error: clipping, sent gains, sources of fits, drops
/// without energy, numbers that are not finite.
@Suite struct LinkDetailTests {
  /// Reals of variance 1/2 beyond ±c are clipped: a share erfc(c), in the report as on every drop.
  @Test(arguments: [0.3, 0.8, 1.5])
  func clippedValuesAreCounted(limit: Double) throws {
    let yaml = """
      link:
        grid: {tones: 1}
        channel: {type: rayleigh, ports: 16, taps: 1, normalise: none}
        estimator: perfect
        transform: {taps: 1}
        normaliser: none
        codec: none
        quantizer: {type: uniform, bits: 8, range: [-\(limit), \(limit)]}
        precoder: mrt
      run: {seed: 4, drops: 3000}
      """
    let run = try prepare(yaml)
    let expected = erfc(limit)
    let spread = (expected * (1 - expected) / (32 * 3000)).squareRoot()
    let share = try #require(try execute(run).points[0].number(.quantizerClipFraction))
    #expect(abs(share - expected) < 5 * spread, "\(share)")
    var counts = RunningMean()
    try forEachDrop(run) { counts.add($1(.clippedValues)) }
    #expect(abs(counts.mean / 32 - share) < 1e-12)
  }

  /// With `gain: quantized` the BS scales by the gain it was sent: with one bit over ±1 dB that is +-0.5 dB, and a drop
  /// of gain g has the error (1 - g'/g)², whatever the UE knows.
  @Test func theStationUsesTheGainItWasSent() throws {
    let yaml = """
      link:
        grid: {tones: 1}
        channel: {type: rayleigh, ports: 4, taps: 1, normalise: none}
        estimator: perfect
        transform: {taps: 1}
        normaliser: {type: sample_unit_power, gain: quantized, gain_bits: 1, gain_range_db: [-1, 1]}
        codec: none
        quantizer: {type: uniform, bits: 16, range: [-4, 4]}
        precoder: mrt
      run: {seed: 6, drops: 200}
      """
    var errors = 0.0
    try forEachDrop(prepare(yaml)) { _, value in
      let gain = (value(.referenceEnergy) / 4).squareRoot()
      let sent = pow(10, (gain < 1 ? -0.5 : 0.5) / 20)
      let expected = pow(1 - sent / gain, 2)
      #expect(abs(value(.errorRatio) - expected) < 1e-2 * expected + 1e-6)
      errors += expected
    }
    // The genie's gain would leave the quantiser's error alone, some -80 dB.
    #expect(errors / 200 > 0.05)
  }

  /// A range fitted on estimates at -10 dB covers the noise, one fitted on true channels does not.
  @Test func fitsTakeTheSourceTheyAreGiven() throws {
    let yaml = """
      link:
        grid: {tones: 1}
        channel: {type: rayleigh, ports: 8, taps: 1}
        pilots: {type: dft, snr_db: -10, pilot_power: unitary}
        estimator: ls
        transform: {taps: 1}
        normaliser: none
        codec: none
        quantizer: {type: uniform, bits: 6, range: minmax, fit.drops: 300}
        precoder: mrt
      sweep: {quantizer.fit.source: [truth, estimate]}
      run: {seed: 7, drops: 200}
      """
    let points = try execute(prepare(yaml)).points
    let shares = try points.map { try #require($0.number(.quantizerClipFraction)) }
    #expect(shares[0] > 0.2, "\(shares)")
    #expect(shares[1] < 0.02, "\(shares)")
  }

  // MARK: Drops without energy

  /// Records [tone, port] of made-up channels, some of them silent.
  private func records(_ silent: [Int], count: Int, in folder: String) throws -> String {
    let channel = complexNormal([count, 8, 4], seed: 12).elements
    var kept: [Float] = []
    for record in 0..<count {
      for value in channel[record * 32..<(record + 1) * 32] {
        kept += silent.contains(record) ? [0, 0] : [value.real, value.imaginary]
      }
    }
    let file = "\(folder)/records-\(silent.count).npy"
    try ArrayFile.write(
      [NumericArray(shape: [count, 8, 4], isComplex: true, floats: kept)], to: file)
    return file
  }

  private func yaml(_ file: String, fit: Int, drops: Int) -> String {
    """
    link:
      grid: {tones: 8}
      channel: {type: recorded, file: \(file), layout: frequency, split: {fit: 30}}
      estimator: perfect
      transform: {taps: 8}
      normaliser: none
      codec: {type: pca, length: 8, fit.drops: \(fit)}
      quantizer: {type: uniform, bits: 5, range: minmax, fit.drops: \(fit)}
      precoder: mrt
    run: {seed: 2, drops: \(drops)}
    """
  }

  /// Silent records change neither what is learned nor what is measured: the report is that of the others.
  @Test func silentRecordsAreLeftOut() throws {
    try withTemporaryFolder { folder in
      let all = try records([], count: 40, in: folder)
      // The last two of the fit and the last two of the run.
      let some = try records([28, 29, 38, 39], count: 40, in: folder)
      let expected = try execute(prepare(yaml(all, fit: 28, drops: 8))).points[0]
      let found = try execute(prepare(yaml(some, fit: 30, drops: 10))).points[0]
      #expect(found.drops == 10 && found[.zeroEnergyDrops] == 2)
      #expect(found[.nmseDB] == expected[.nmseDB])
      #expect(found[.rate] == expected[.rate])
      #expect(found.number(.quantizerClipFraction) == expected.number(.quantizerClipFraction))
      #expect(found.interval(.nmse) == expected.interval(.nmse))
    }
  }

  /// More than half of the drops of a run or of a fit: an error that counts them.
  @Test func mostlySilentRecordsAreRefused() throws {
    try withTemporaryFolder { folder in
      let run = try records(Array(34..<40), count: 40, in: folder)
      let error = #expect(throws: SilentDropsError.self) {
        try execute(prepare(yaml(run, fit: 30, drops: 10)))
      }
      #expect(error?.silent == 6 && error?.drops == 10)
      let fit = try records(Array(0..<16), count: 40, in: folder)
      let other = #expect(throws: SilentDropsError.self) {
        try prepare(yaml(fit, fit: 30, drops: 10))
      }
      #expect(other?.silent == 16 && other?.drops == 30)
    }
  }

  /// Numbers whose energy single precision does not hold are an error that names drop and metric.
  @Test func numbersBeyondSinglePrecision() throws {
    try withTemporaryFolder { folder in
      let values = [Float](repeating: 1e19, count: 4 * 64)
      let file = "\(folder)/huge.npy"
      try ArrayFile.write(
        [NumericArray(shape: [4, 8, 4], isComplex: true, floats: values)], to: file)
      let yaml = """
        link:
          grid: {tones: 8}
          channel: {type: recorded, file: \(file), layout: frequency, normalise: none}
          estimator: perfect
          transform: {taps: 8}
          normaliser: none
          codec: none
          quantizer: none
          precoder: mrt
        run: {drops: 4}
        """
      let error = #expect(throws: MetricError.self) { try execute(prepare(yaml)) }
      #expect(error?.drop == 0)
      #expect(error.map { "\($0)".contains("drop 0: ") } == true)
    }
  }
}
