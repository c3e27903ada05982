import Foundation
import LinkMath
import Reports
import Simulation
import TestSupport
import Testing

/// Differences of results, held against the drops themselves.
@Suite struct ComparisonTests {
  private static let yaml = """
    link:
      grid: {tones: 32}
      channel: {type: rayleigh, ports: 16}
      transform: {taps: 8}
      estimator: ls
      quantizer: {type: uniform, bits: 4, fit.drops: 32}
      precoder: {type: mrt, snr_db: 10}
    sweep:
      pilots.snr_db: [0, 10]
      codec: [{type: pca, fit.drops: 300}, none]
    run: {seed: 1, drops: 40, block: 8}
    """

  private func run(_ folder: String, set overrides: [String] = []) throws -> RecordedResult {
    let result = try execute(prepare(Self.yaml, set: overrides), folder: folder)
    let execution = Execution(
      startTime: Date(timeIntervalSince1970: 0), wallSeconds: 1, threads: 1, commandLine: [])
    try ReportCSV.write(result, toFolder: folder)
    try Manifest.write(result, execution, toFolder: folder)
    return try RecordedResult(reading: folder)
  }

  /// What the blocks themselves tell, without journal and report.
  private func drops(_ number: DropNumber, set overrides: [String] = []) throws -> [[Double]] {
    let prepared = try prepare(Self.yaml, set: overrides)
    let blocks = try (0..<prepared.blockCount).map { try prepared.metrics(ofBlock: $0) }
    return (0..<4).map { point in
      blocks.flatMap { block in (0..<block.dropCount).map { block[point, $0, number] } }
    }
  }

  @Test func pairedDrops() throws {
    try withTemporaryFolder { folder in
      let a = try run("\(folder)/a")
      let b = try run("\(folder)/b", set: ["quantizer.bits=6"])
      let comparison = try Comparison([a, b])
      #expect(comparison.changes.map(\.key) == ["quantizer.bits"])
      #expect(comparison.changes.first.map { [$0.reference, $0.value] } == ["4", "6"])
      #expect(comparison.notes.isEmpty)
      // NMSE, NMSE over all tones, similarity, rate at four points.
      #expect(comparison.rows.count == 16)
      #expect(comparison.rows.allSatisfy { $0.paired && $0.drops == 40 })
      for (number, column, scale) in [
        (DropNumber.errorRatio, Column.nmseDB, PairedDifference.Scale.decibels),
        (.rate, .rate, .linear),
      ] {
        let (old, new) = (try drops(number), try drops(number, set: ["quantizer.bits=6"]))
        let rows = comparison.rows.filter { $0.column == column.name }
        #expect(rows.map { $0.point["codec"] } == ["pca", "none", "pca", "none"])
        for (point, row) in rows.enumerated() {
          let expected = PairedDifference(from: old[point], to: new[point], scale)
          #expect(row.difference == expected.value && row.low == expected.interval?.lowerBound)
          let change = try #require(row.value) - #require(row.referenceValue)
          #expect(abs(row.difference - change) < 1e-6)
        }
      }
      // More bits lower the error of what is not compressed, at high SNR beyond doubt.
      let best = comparison.rows.last { $0.column == "nmse_db" }
      #expect(best?.verdict == .better)
      let itself = try Comparison([a, try RecordedResult(reading: "again=\(folder)/a")])
      #expect(itself.count(.equal) == 16 && itself.rows.allSatisfy { $0.difference == 0 })
    }
  }

  /// Where one result has more drops, both values are those of the drops that both have.
  @Test func valuesAreThoseOfSharedDrops() throws {
    try withTemporaryFolder { folder in
      let a = try run("\(folder)/a")
      let b = try run("\(folder)/b", set: ["run.drops=24"])
      for row in try Comparison([a, b]).rows {
        #expect(row.drops == 24 && row.verdict == .equal && row.difference == 0)
        #expect(row.value == row.referenceValue)
      }
      // With itself the values are those of the report.
      let own = try Comparison([b, RecordedResult(reading: "again=\(folder)/b")])
      for (row, expected) in zip(try Comparison([b, a]).rows, own.rows) {
        #expect(abs(try #require(row.value) - #require(expected.value)) < 1e-6)
      }
    }
  }

  @Test func pointsOfOneResult() throws {
    try withTemporaryFolder { folder in
      let a = try run("\(folder)/a")
      let comparison = try Comparison(
        [a], across: ["codec"], reference: [.init(key: "codec", values: ["none"])],
        columns: ["nmse_db"])
      let absent = #expect(throws: FigureError.self) {
        try Comparison([a], across: ["codec"], reference: [.init(key: "codec", values: ["nope"])])
      }
      #expect("\(try #require(absent))".contains("no point has codec=nope"))
      let high = try Comparison(
        [a], across: ["codec"], where: [.init(key: "pilots.snr_db", values: ["10 dB"])],
        columns: ["nmse_db"])
      #expect(high.rows.map(\.difference) == [-comparison.rows[1].difference])
      #expect(high.rows[0].reference == "pca" && high.notes.isEmpty)
      for (key, value, complaint) in [
        ("codec", "nope", "no point has codec=nope"), ("colour", "red", "no result has 'colour'"),
      ] {
        let wrong = #expect(throws: FigureError.self) {
          try Comparison([a], across: ["codec"], where: [.init(key: key, values: [value])])
        }
        #expect("\(try #require(wrong))".contains(complaint))
      }
      #expect(comparison.rows.map(\.reference) == ["none", "none"])
      #expect(comparison.rows.map(\.compared) == ["pca", "pca"])
      #expect(comparison.rows.map { $0.point["pilots.snr_db"] } == ["0", "10"])
      let json = try comparison.text(.json)
      let read = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
      #expect((read?["rows"] as? [Any])?.count == 2)
      let markdown = try comparison.text(.markdown).split(separator: "\n")
      #expect(markdown[1].hasPrefix("| --- | --- |") && markdown.count == 5)
      #expect(try comparison.text(.table).hasSuffix("undecided"))
    }
  }

  /// Without journals the intervals of the reports are put together.
  @Test func withoutJournals() throws {
    try withTemporaryFolder { folder in
      let a = try run("\(folder)/a")
      let b = try run("\(folder)/b", set: ["quantizer.bits=6"])
      let paired = try Comparison([a, b], columns: ["nmse_db"])
      try FileManager.default.removeItem(atPath: "\(folder)/b/journal.log")
      let loose = try Comparison([a, b], columns: ["nmse_db"])
      #expect(loose.notes.count == 1 && loose.notes[0].contains("holds no journal"))
      for (one, other) in zip(paired.rows, loose.rows) {
        #expect(!other.paired && abs(one.difference - other.difference) < 1e-6)
        let narrow = try #require(one.high) - #require(one.low)
        #expect(try #require(other.high) - #require(other.low) > narrow)
      }
    }
  }

  /// Columns that are no means over drops have differences without intervals.
  @Test func columnsWithoutIntervals() throws {
    try withTemporaryFolder { folder in
      let a = try run("\(folder)/a")
      let b = try run("\(folder)/b", set: ["quantizer.bits=6"])
      let comparison = try Comparison([a, b], columns: ["payload_bits", "drops"])
      let bits = comparison.rows.filter { $0.column == "payload_bits" }
      // 2 bits more for each of 2 · 16 · 8 values, a quarter of them of PCA.
      #expect(bits.filter { $0.point["codec"] == "none" }.map(\.difference) == [512, 512])
      #expect(bits.allSatisfy { $0.verdict == .different && $0.low == nil && !$0.paired })
      #expect(comparison.count(.equal) == 4 && comparison.count(.undecided) == 0)
      #expect(try comparison.text(.table).hasSuffix("4 equal, 4 different, 0 undecided"))
    }
  }

  /// A setting of listed parts is compared at points that have the other settings in common.
  @Test func acrossASettingOfListedParts() throws {
    try withTemporaryFolder { folder in
      let quantizers =
        "sweep.quantizer=[{type: uniform, bits: 4, fit.drops: 32}, {type: uniform, bits: 6, fit.drops: 32}, none]"
      let a = try run("\(folder)/a", set: [quantizers])
      let comparison = try Comparison(
        [a], across: ["quantizer.bits"],
        reference: [.init(key: "quantizer.bits", values: ["6"])], columns: ["nmse_db"])
      #expect(comparison.rows.count == 4)
      #expect(comparison.rows.allSatisfy { $0.reference == "6" && $0.compared == "4" && $0.paired })
      #expect(comparison.rows.allSatisfy { $0.point["quantizer.type"] == "uniform" })
      #expect(comparison.notes == ["4 points have no partner"])
    }
  }

  @Test func mistakesHaveHints() throws {
    try withTemporaryFolder { folder in
      let a = try run("\(folder)/a")
      for (attempt, hint) in [
        ({ try Comparison([a]) }, "--across KEY"),
        ({ try Comparison([a], across: ["codecs"]) }, "swept: pilots.snr_db, codec"),
        ({ try Comparison([a, a], columns: ["nmse"]) }, "did you mean 'nmse_db'?"),
        ({ try Comparison([a, a], columns: ["stop_reason"]) }, "columns: drops, payload_bits, "),
        ({ try Comparison([a, a], columns: ["sum_rate"]) }, "report.columns=[sum_rate]"),
      ] as [(() throws -> Comparison, String)] {
        do {
          _ = try attempt()
          Issue.record("\(hint) was expected")
        } catch {
          #expect("\(error)".contains(hint), "\(error)")
        }
      }
    }
  }
}
