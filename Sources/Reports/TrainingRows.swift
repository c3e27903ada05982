import DataFiles
import Foundation
import LinkMath

/// The rows of `training.csv`: one for each set of weights that lies in the folder, whichever training left it.
package struct TrainingRows {
  static let heading = "# csilink training 1"
  /// Names of the columns; those that came later stand behind.
  package static let columns = [
    "network", "compression", "parameters", "samples", "epochs", "best_epoch", "stop_reason",
    "training_loss", "validation_nmse_db", "test_nmse_db", "seed", "data_digest", "weights",
    "weights_digest",
  ]
  private static let stem = columns.firstIndex(of: "weights")!
  private static let digest = columns.firstIndex(of: "weights_digest")!

  /// Fields of each row.
  package private(set) var rows: [[String]] = []
  /// Whether the text that the rows were read from was another table.
  package private(set) var wasOther = false

  /// No rows.
  package init() {}

  /// Reads a table as it was left; one of other columns gives no rows.
  package init(_ text: String, file: String) {
    let records = (try? CSVRecords.parse(text, file: file)) ?? []
    let count = records.count > 1 ? records[1].count : 0
    // Tables from before the weights were named end before their column.
    guard records.first == [Self.heading], count >= Self.stem,
      records[1] == Array(Self.columns.prefix(count)),
      records.dropFirst(2).allSatisfy({ $0.count == count })
    else {
      wasOther = true
      return
    }
    let missing = [String](repeating: "", count: Self.columns.count - count)
    rows = records.dropFirst(2).map { $0 + missing }
  }

  /// Puts rows in the places of those of the same weights, or behind; a row that does not name its weights gives way to one
  /// of the same network and ratio.
  package mutating func put(_ new: [[String]]) {
    for row in new {
      let place = rows.firstIndex { old in
        old[Self.stem].isEmpty
          ? old.prefix(2) == row.prefix(2) : old[Self.stem] == row[Self.stem]
      }
      if let place {
        rows[place] = row
      } else {
        rows.append(row)
      }
    }
  }

  /// Leaves out rows whose weights are no longer in the folder, or others.
  package mutating func keepTrue(in folder: String) {
    rows.removeAll { row in
      !row[Self.stem].isEmpty
        && Self.digest(of: row[Self.stem], in: folder) != row[Self.digest]
    }
  }

  /// The table.
  package var text: String {
    ([Self.heading, Self.columns.joined(separator: ",")] + rows.map { ReportCSV.line($0) })
      .joined(separator: "\n") + "\n"
  }

  /// The SHA-256 over the digests of a stem's files of weights; nil without files.
  package static func digest(of stem: String, in folder: String) -> String? {
    let digests = ["-decoder", "-encoder", ""].compactMap { end in
      Digest.sha256(ofFile: "\(folder)/\(stem)\(end).safetensors")?.sha256
    }
    return digests.isEmpty ? nil : Digest.sha256(digests.joined(separator: " "))
  }
}
