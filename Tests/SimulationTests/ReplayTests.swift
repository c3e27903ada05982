import DataFiles
import Foundation
import LinkMath
import Reports
import Simulation
import TestSupport
import Testing

/// Drops that are run again, dumps and worst drops, held against the run itself.
@Suite struct ReplayTests {
  /// Bit errors, a gain that is sent, delays, several slots: whatever a drop could be made to depend on.
  static let yaml = DeterminismTests.yaml.replacing("drops: 90", with: "drops: 45, worst: 4")

  private func floats(_ array: NumericArray) -> [Float] {
    guard case .float(let values) = array.values else { return [] }
    return values
  }

  /// All numbers of the journal have the bits of the replay, and the NMSE follows from the arrays.
  @Test func aReplayedDropHasTheBitsOfTheRun() throws {
    try withTemporaryFolder { folder in
      let run = try prepare(Self.yaml)
      let result = try execute(run, folder: folder)
      let recorded = try RecordedDrops(folders: [folder], drops: 45)
      for (point, drop) in [(0, 0), (1, 13), (3, 44)] {
        let replay = try Replay(run, point: point, drop: drop)
        #expect(Set(replay.numbers.keys) == Set(recorded.names))
        for name in recorded.names {
          let (old, new) = (
            recorded.values(of: name, point: point)![drop], replay.numbers[name]!
          )
          #expect(old.bitPattern == new.bitPattern || (old.isNaN && new.isNaN), "\(name)")
        }
        let arrays = replay.arrays.reduce(into: [:]) { $0[$1.info.name!] = $1 }
        let (truth, seen) = (floats(arrays["truth"]!), floats(arrays["reconstruction"]!))
        // A report in each of the two slots.
        #expect(arrays["truth"]!.info.shape == [2, 8, 8] && seen.count == 256)
        let ratios = [0..<128, 128..<256].map { report in
          let error = report.reduce(0.0) { $0 + pow(Double(truth[$1]) - Double(seen[$1]), 2) }
          return error / report.reduce(0.0) { $0 + pow(Double(truth[$1]), 2) }
        }
        let ratio = replay.numbers["error_ratio"]!
        #expect(abs((ratios[0] + ratios[1]) / 2 - ratio) < 1e-5 * ratio)
        let sent = arrays["payload"]!.info.shape
        #expect(Double(sent[0] * sent[1]) == replay.numbers["sent_bits"]!)
      }
      #expect(result.worst.count == 4)
    }
  }

  @Test func dumpsHoldTheDropsInTheirOrder() throws {
    let run = try prepare(Self.yaml)
    try withTemporaryFolder { folder in
      for threads in [1, 3] {
        let other = try prepare(Self.yaml, set: threads == 1 ? [] : ["run.block=4"])
        for stage in StageDump.allCases {
          _ = try stage.write(
            other, drops: 45, to: "\(folder)/\(threads)", pool: WorkerPool(threadCount: threads))
        }
      }
      let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/1").sorted()
      // Estimates and codewords are those of the SNR, reconstructions of each point.
      #expect(
        names == [
          "codeword-0.npy", "codeword-2.npy", "estimate-0.npy", "estimate-2.npy",
          "reconstruction-0.npy", "reconstruction-1.npy", "reconstruction-2.npy",
          "reconstruction-3.npy",
        ])
      for name in names {
        let bytes = try ["1", "3"].map {
          try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)/\(name)"))
        }
        #expect(bytes[0] == bytes[1], "\(name)")
      }
      for (stage, point, file) in [
        ("reconstruction", 3, "reconstruction-3"), ("estimate", 3, "estimate-2"),
        ("codeword", 1, "codeword-0"),
      ] {
        let all = try ArrayFile.readAll("\(folder)/1/\(file).npy")[0]
        #expect(all.info.shape[0] == 45)
        for drop in [0, 20, 44] {
          let replay = try Replay(run, point: point, drop: drop)
          let own = try #require(replay.arrays.first { $0.info.name == stage })
          #expect(Array(all.info.shape.dropFirst()) == own.info.shape)
          let size = floats(own).count
          #expect(Array(floats(all)[drop * size..<(drop + 1) * size]) == floats(own))
        }
      }
    }
  }

  /// All errors sorted, against what is kept while blocks pass, of whole runs and of shards in any order.
  @Test func worstDropsAreThoseOfAllDrops() throws {
    try withTemporaryFolder { folder in
      let run = try prepare(Self.yaml)
      let whole = try execute(run, threads: 2, folder: "\(folder)/whole")
      let recorded = try RecordedDrops(folders: ["\(folder)/whole"], drops: 45)
      for point in 0..<4 {
        let errors = recorded.values(of: "error_ratio", point: point)!.enumerated()
          .sorted { ($1.element, $0.offset) < ($0.element, $1.offset) }.prefix(4)
        #expect(whole.worst[point].map(\.drop) == errors.map(\.offset))
        #expect(whole.worst[point].map(\.errorRatio) == errors.map(\.element))
      }
      for index in [2, 1] {
        let runner = Runner(
          try prepare(Self.yaml), pool: WorkerPool(threadCount: 1), folder: "\(folder)/part",
          shard: Shard("\(index)/2")!)
        _ = try runner.execute()
      }
      let merged = try Merge.result(run, folders: ["\(folder)/part"])
      #expect(merged.worst == whole.worst)
      #expect(WorstCSV.text(of: merged) == WorstCSV.text(of: whole))
      let plain = try execute(prepare(Self.yaml, set: ["run.worst=0"]))
      #expect(ReportCSV.text(of: plain) == ReportCSV.text(of: whole))
      #expect(WorstCSV.text(of: plain) == nil)
    }
  }

  @Test func whatTheRunDoesNotHaveIsRefused() throws {
    let run = try prepare(Self.yaml)
    #expect(throws: ReplayError.self) { try Replay(run, point: 4, drop: 0) }
    #expect(throws: ReplayError.self) { try Replay(run, point: 0, drop: 45) }
    let directions = try prepare(
      """
      name: directions
      link:
        grid: {tones: 16}
        channel: {type: rayleigh, ports: 4, taps: 2}
        pilots: {type: dft, snr_db: 10}
        estimator: perfect
        transform: {type: subband_eigenvectors, subband_tones: 1}
        normaliser: none
        codec: {type: rvq, bits: 4}
        precoder: {type: mrt, snr_db: 10}
      run: {drops: 10}
      """)
    try withTemporaryFolder { folder in
      _ = #expect(throws: ReplayError.self) {
        try StageDump.codeword.write(
          directions, drops: 7, to: folder, pool: WorkerPool(threadCount: 1))
      }
    }
  }
}
