import ComplexModule
import DataFiles
import Foundation
import LinkMath
import Simulation
import TestSupport
import Testing

/// Several users that are served at the same time: closed forms, what they share and what they do not.
@Suite struct SeveralUsersTests {
  private static let yaml = """
    name: users
    link:
      grid: {tones: 8}
      channel: {type: rayleigh, ports: 4, taps: 3}
      pilots: {type: dft, snr_db: 15}
      transform: {taps: 8}
      normaliser: {type: sample_unit_power, gain: quantized, gain_bits: 6}
      quantizer: {type: uniform, bits: 5, range: [-6, 6]}
      feedback: {type: bsc, p: 0.01}
      precoder: {type: zero_forcing, users: 3, snr_db: 10}
    report: {columns: [sum_rate, rate_5_percentile]}
    run: {seed: 4, drops: 20, block: 6}
    """

  /// Zero-forcing rate: the gain of K users of N independent Rayleigh ports is Gamma(N - K + 1) with the share 1/K of the power,
  /// within 0.01 bit/s/Hz.
  @Test(arguments: [(8, 4), (32, 8)])
  func zeroForcingHasItsRate(ports: Int, users: Int) throws {
    let point = try execute(
      prepare(
        """
        link:
          grid: {tones: 64}
          channel: {type: rayleigh, ports: \(ports), taps: 64}
          estimator: perfect
          transform: {taps: 64}
          normaliser: none
          precoder: {type: zero_forcing, users: \(users), snr_db: 10}
        report: {columns: [sum_rate]}
        run: {seed: 12, drops: \(ports == 8 ? 400 : 100)}
        """), threads: 2
    ).points[0]
    let rate = try oracle("RATE_ZF_PERFECT", "N=\(ports),K=\(users),SNR_dB=10")
    #expect(abs(point[.rate] - rate) < 0.01, "\(point[.rate]), theory \(rate)")
    #expect(abs(point[.perfectRate] - point[.rate]) < 1e-4, "the CSI is perfect")
    #expect(abs(point[.sumRate] - Double(users) * point[.rate]) < 1e-9)
    let gain = linear(decibels: point[.beamformingGainDB])
    #expect(abs(gain / Double(ports - users + 1) - 1) < 0.02, "\(gain)")
  }

  /// Maximum ratio with perfect CSI, every rate from the channels themselves in double precision:
  /// `SINR = s |h w|² / (1 + s Σ |h w'|²)`, s = SNR / K.
  @Test func ratesWithInterferenceAreTheirDefinition() throws {
    let run = try prepare(
      Self.yaml,
      set: [
        "precoder.type=mrt", "estimator=perfect", "normaliser=none", "quantizer=none",
        "feedback=ideal",
      ])
    let channels = try (0..<3).map {
      try DirectLink.rayleigh(tones: 8, ports: 4, taps: 3, drops: 0..<6, seed: 4, user: $0)[0]
    }
    let block = try run.metrics(ofBlock: 0)
    for drop in 0..<6 {
      for user in 0..<3 {
        let rate = (0..<8).reduce(0.0) { sum, tone in
          let h = channels[user][drop][tone]
          let powers = channels.map { channel in
            let g = channel[drop][tone]
            let product = zip(h, g).reduce(Complex<Double>.zero) { $0 + $1.0 * $1.1.conjugate }
            return product.lengthSquared / g.reduce(0) { $0 + $1.lengthSquared }
          }
          let interference = powers.reduce(0, +) - powers[user]
          return sum + log2(1 + 10 / 3 * powers[user] / (1 + 10 / 3 * interference)) / 8
        }
        let found = block[0, drop, user: user, .rate]
        #expect(abs(found / rate - 1) < 1e-5, "drop \(drop), user \(user): \(found), \(rate)")
        #expect(abs(block[0, drop, user: user, .perfectRate] / rate - 1) < 1e-5)
      }
    }
  }

  /// The first users are the same ones whatever their number, with the same channel, pilots, reports and bit errors.
  @Test func moreUsersJoinTheSameOnes() throws {
    let three = try prepare(Self.yaml).metrics(ofBlock: 1)
    let one = try prepare(Self.yaml, set: ["precoder.type=mrt", "precoder.users=1"]).metrics(
      ofBlock: 1)
    let own: [DropNumber] = [.estimateRatio, .errorRatio, .errorEnergy, .bitErrors, .fullRatio]
    for drop in 0..<6 {
      for number in own {
        #expect(three[0, drop, number] == one[0, drop, number], "\(number)")
        #expect(three[0, drop, user: 1, .errorEnergy] != three[0, drop, user: 2, .errorEnergy])
      }
      #expect(one[0, drop, .rate] > three[0, drop, .rate], "the power is shared")
    }
    for other in 1...2 {
      let errors = (0..<6).map { (three[0, $0, .bitErrors], three[0, $0, user: other, .bitErrors]) }
      #expect(errors.contains { $0.0 != $0.1 }, "each report crosses a link of its own")
    }
  }

  /// Numbers of users as an axis: each point is that of a run of its own.
  @Test func numbersOfUsersAreSwept() throws {
    let swept = try execute(
      prepare(Self.yaml, set: ["sweep.precoder.users=[1,2,4]"]), threads: 2)
    for (point, users) in zip(swept.points, [1, 2, 4]) {
      let alone = try execute(prepare(Self.yaml, set: ["precoder.users=\(users)"])).points[0]
      for column in swept.columns { #expect(point.value(column) == alone.value(column)) }
    }
    let rates = swept.points.map { $0[.rate] }
    #expect(rates[0] > rates[1] && rates[1] > rates[2])
  }

  /// Means are over drops and users, the 5th percentile over all users.
  @Test func columnsAreOfAllUsers() throws {
    let run = try prepare(Self.yaml)
    var rates: [Double] = []
    for block in 0..<run.blockCount {
      let metrics = try run.metrics(ofBlock: block)
      for drop in 0..<metrics.dropCount {
        rates += (0..<3).map { metrics[0, drop, user: $0, .rate] }
      }
    }
    let point = try execute(run).points[0]
    #expect(rates.count == 60 && point.drops == 20)
    #expect(abs(point[.rate] - rates.reduce(0, +) / 60) < 1e-12)
    #expect(point[.rate5Percentile] == rates.sorted()[2])
    #expect(abs(point[.sumRate] - rates.reduce(0, +) / 20) < 1e-12)
  }

  /// Threads, blocks and interruptions change no byte.
  @Test func reportsDoNotDependOnBlocks() throws {
    let values = try ["1", "6", "20"].map { size in
      let result = try execute(prepare(Self.yaml, set: ["run.block=\(size)"]), threads: 2)
      return result.columns.map { result.points[0].value($0) }
    }
    #expect(values[0] == values[1] && values[1] == values[2])
    try withTemporaryFolder { folder in
      let first = try execute(prepare(Self.yaml, set: ["run.drops=12"]), folder: folder)
      let grown = try execute(prepare(Self.yaml), folder: folder)
      #expect(first.points[0].drops == 12)
      #expect(grown.columns.map { grown.points[0].value($0) } == values[1])
      let other = #expect(throws: JournalError.self) {
        try execute(prepare(Self.yaml, set: ["precoder.users=2"]), folder: folder)
      }
      #expect(other?.problem.contains("another scenario") == true)
    }
  }

  /// Perfect CSI is worth more to several users than to one: quantised reports let interference through.
  @Test func zeroForcingLivesOnGoodCSI() throws {
    let points = try execute(
      prepare(
        Self.yaml, set: ["sweep.quantizer.bits=[2,5,10]", "feedback=ideal", "run.drops=100"])
    ).points
    let rates = points.map { $0[.rate] }
    #expect(rates[0] < rates[1] && rates[1] < rates[2] && rates[2] < points[2][.perfectRate])
  }

  /// The users of recorded data have records of their own, which must be enough.
  @Test func recordedUsersHaveRecordsOfTheirOwn() throws {
    try withTemporaryFolder { folder in
      let values = complexNormal([25, 8, 4], seed: 3)
      let floats = values.elements.flatMap { [$0.real, $0.imaginary] }
      try ArrayFile.write(
        [NumericArray(shape: [25, 8, 4], isComplex: true, floats: floats)],
        to: "\(folder)/h.npy")
      let set = [
        "channel={type: recorded, file: h.npy, layout: frequency, normalise: none, split: {fit: 1}}",
        "normaliser=none", "precoder.type=mrt",
      ]
      let path = "\(folder)/test.yaml"
      let block = try prepare(Self.yaml, path: path, set: set + ["run.drops=8", "run.block=8"])
        .metrics(ofBlock: 0)
      for user in 0..<3 {
        for drop in 0..<8 {
          let record = 1 + 8 * user + drop
          let energy = values.slice(record..<record + 1).energy
          #expect(abs(block[0, drop, user: user, .referenceEnergy] / energy - 1) < 1e-5)
        }
      }
      let told = complaints(Self.yaml, path: path, set: set + ["run.drops=9"])
      #expect(told.first?.contains("at most the 8 drops of the recorded data for 3 users") == true)
    }
  }

  @Test func mistakesAreTold() {
    let many = complaints(Self.yaml, set: ["precoder.users=5"])
    #expect(many.first?.contains("precoder.users") == true, "\(many)")
    #expect(many.first?.contains("at most the 4 ports, got 5") == true, "\(many)")
    let inFile = complaints(Self.yaml.replacing("users: 3", with: "users: 9"))
    #expect(inFile.first?.hasPrefix("test.yaml:10:") == true, "\(inFile)")
    let scale = complaints(
      Self.yaml,
      set: ["precoder.regularised=true", "normaliser={type: sample_unit_power, gain: unit}"])
    #expect(scale.first?.contains("scale of the channel") == true, "\(scale)")
  }
}
