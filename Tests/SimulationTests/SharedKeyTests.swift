import Foundation
import Parts
import Scenarios
import Simulation
import TestSupport
import Testing

/// The parts of the link keep the keys that they share with another type, pair by pair of the whole catalogue.
@Suite struct SharedKeyTests {
  /// A value of a kind that is not the default, as a scenario writes it; nil for kinds without one.
  private static func sample(_ kind: ValueKind, not taken: Setting?) -> String? {
    let candidates: [Setting]
    switch kind {
    case .flag: candidates = [.flag(true), .flag(false)]
    case .integer(let range):
      candidates = (0..<4).compactMap {
        range.contains(range.lowerBound + $0) ? .integer(range.lowerBound + $0) : nil
      }
    case .number(_, let range):
      let low = max(range.lowerBound, -1e3)
      let high = min(range.upperBound, low + 1)
      candidates = [.number((low + high) / 2), .number(high)]
    case .choice(let words), .name(let words): candidates = words.map(Setting.text)
    default: return nil
    }
    return candidates.first { $0 != taken && kind.accepts($0) }.map(kind.format)
  }

  private static func `default`(_ parameter: ParameterDeclaration) -> Setting? {
    if case .value(let value) = parameter.absence { value } else { nil }
  }

  /// What a part must be given, except one key.
  private static func required(_ part: PartSchema, but key: String) -> String {
    part.parameters.filter { $0.absence == .required && $0.key != key }
      .map { parameter in
        if case .list = parameter.kind { return ", \(parameter.key): [x]" }
        return ", \(parameter.key): \(sample(parameter.kind, not: nil) ?? "x")"
      }.joined()
  }

  @Test func everyPairOfParts() throws {
    var (kept, apart) = (0, 0)
    for section in Section.stages {
      let parts = PartRegistry.standard.parts(of: section)
      for old in parts {
        for new in parts where new.name != old.name {
          for mine in old.parameters {
            guard let other = new.parameter(mine.key),
              let text = Self.sample(mine.kind, not: Self.default(mine)),
              let value = other.kind.parse(text), value != Self.default(other)
            else { continue }
            let entry = "{type: \(new.name)\(Self.required(new, but: mine.key))}"
            // The channel must be given, and is not needed.
            let channel = section == .channel ? "" : "channel: rayleigh, "
            let yaml = """
              link: {\(channel)\(section): {type: \(old.name), \(mine.key): \(text)\(Self.required(old, but: mine.key))}}
              sweep: {\(section): [\(entry)]}
              """
            let isShared = mine.isSame(as: other)
            guard isShared || other.absence != .required else { continue }
            let (scenario, warnings) = try ScenarioReader.standard.read(text: yaml, path: "x.yaml")
            let found = scenario.points[0].settings[section]?.values[mine.key]
            #expect((found == value) == isShared, "\(yaml)")
            let isNamed = warnings.contains { $0.message.contains("'\(mine.key)' of") }
            #expect(isNamed == !isShared, "\(yaml): \(warnings)")
            if isShared { kept += 1 } else { apart += 1 }
          }
        }
      }
    }
    // Ports, spacings, SNRs, bits, fitted drops on one side; the delay spreads of COST 2100's clusters on the other.
    #expect(kept > 60 && apart > 0, "\(kept) kept, \(apart) apart")
  }

  /// The data SNR holds for each precoder: a common upper bound, and the whole band's vector does not exceed it.
  @Test func theDataSNRHoldsForEveryPrecoder() throws {
    let yaml = """
      link:
        grid: {tones: 32, spacing: 60 kHz}
        channel: {type: rayleigh, ports: 4, taps: 6}
        pilots: {type: dft, snr_db: 25}
        transform: {taps: 16}
        precoder: {type: mrt, snr_db: -3}
      sweep: {precoder: [mrt, {type: subband, subband_tones: 4}, wideband]}
      run: {drops: 40}
      """
    for points in [
      try execute(prepare(yaml)).points,
      try ["mrt", "{type: subband, subband_tones: 4}", "wideband"].map { precoder in
        try execute(prepare(yaml, set: ["precoder=\(precoder)"])).points[0]
      },
    ] {
      #expect(Set(points.map { $0[.perfectRate] }).count == 1)
      #expect(points[1][.rate] < points[0][.rate])
      #expect(points[2][.rate] < points[1][.rate])
    }
  }
}
