import Foundation
import Reports
import Simulation
import Testing

@Suite struct ReportCSVTests {
  @Test func columnsAreThoseOfTheFormat() throws {
    let expected = try fixture("columns.txt").split(separator: "\n").map(String.init)
    #expect(ReportCSV.columns(of: awkward) == expected)
  }

  @Test func goldenText() throws {
    #expect(ReportCSV.text(of: awkward) == (try fixture("golden.csv")))
  }

  @Test func readsBack() throws {
    let records = try #require(parseCSV(ReportCSV.text(of: awkward)))
    #expect(records[0] == awkward.axes + ReportCSV.columns(of: awkward))
    #expect(records.count == 1 + awkward.points.count)
    for (record, point) in zip(records.dropFirst(), awkward.points) {
      let fields = Dictionary(uniqueKeysWithValues: zip(records[0], record))
      #expect(record.count == records[0].count)
      #expect(fields["codec"] == point.coordinates[0])
      #expect(fields["pilots.snr_db"] == point.coordinates[1] ?? "")
      #expect(fields["payload_bits"].flatMap { Double($0) } == point.number(.payloadBits))
      #expect(isClose(fields["nmse_db"], point[.nmseDB]))
      #expect(isClose(fields["nmse_db_low"], point.interval(.nmse)?.lowerBound))
      #expect(isClose(fields["rate_high"], point.interval(.rate)?.upperBound))
      #expect(isClose(fields["rate_bits_per_s_hz"], point[.rate]))
      #expect(isClose(fields["quantizer_clip_fraction"], point.number(.quantizerClipFraction)))
      #expect(isClose(fields["truncation_loss_db"], point[.truncationLossDB]))
      #expect(
        isClose(fields["nmse_effective_drops"], point.number(.nmseEffectiveDrops)))
      #expect(
        fields["nmse_interval_reliable"]
          == point.isReliable(.nmse).map { $0 ? "yes" : "no" } ?? "")
      #expect(fields["zero_energy_drops"] == String(Int(point[.zeroEnergyDrops])))
    }
  }

  @Test func nothingSwept() throws {
    let records = try #require(parseCSV(ReportCSV.text(of: result(axes: [], [point([])]))))
    #expect(records[0] == ReportCSV.columns(of: awkward))
    #expect(records[1].first == "8192")
  }

  @Test func writesTheTextAndNothingElse() throws {
    try withFolder { folder in
      try ReportCSV.write(awkward, toFolder: folder)
      try ReportCSV.write(awkward, toFolder: folder)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["report.csv"])
      let written = try String(contentsOfFile: "\(folder)/report.csv", encoding: .utf8)
      #expect(written == ReportCSV.text(of: awkward))
    }
  }

  @Test func missingFolderIsAnError() {
    #expect(throws: (any Error).self) {
      try ReportCSV.write(awkward, toFolder: "/nonexistent-folder")
    }
  }

  /// Nine digits: relative error at most 5e-9.
  private func isClose(_ field: String?, _ value: Double?) -> Bool {
    guard let value else { return field == "" }
    guard let number = field.flatMap({ Double($0) }) else { return false }
    return number.isNaN && value.isNaN || number == value
      || abs(number - value) <= 5e-9 * abs(value)
  }
}

/// Records of a CSV text by the grammar of RFC 4180 with line feeds; nil if it is violated.
private func parseCSV(_ text: String) -> [[String]]? {
  var records: [[String]] = []
  var (record, field) = ([String](), "")
  var (isQuoted, wasQuoted) = (false, false)
  var scalars = text.unicodeScalars[...]
  while let scalar = scalars.popFirst() {
    switch (isQuoted, scalar) {
    case (true, "\"") where scalars.first == "\"":
      scalars.removeFirst()
      field.unicodeScalars.append("\"")
    case (true, "\""): isQuoted = false
    case (true, _): field.unicodeScalars.append(scalar)
    case (false, "\""):
      guard field.isEmpty, !wasQuoted else { return nil }
      (isQuoted, wasQuoted) = (true, true)
    case (false, ","), (false, "\n"):
      record.append(field)
      (field, wasQuoted) = ("", false)
      if scalar == "\n" {
        records.append(record)
        record = []
      }
    default:
      guard !wasQuoted, scalar != "\r" else { return nil }
      field.unicodeScalars.append(scalar)
    }
  }
  return isQuoted || !record.isEmpty || !field.isEmpty ? nil : records
}
