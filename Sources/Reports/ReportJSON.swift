import Foundation
import Simulation

/// The rows of `report.csv` for programs that read JSON.
public enum ReportJSON {
  /// An array with an object for each operating point; numbers and counts are numbers, missing values and those that are not
  /// finite `null`, but for an infinite end of an interval, which is the text `-inf` or `inf`. Swept values are texts as they are
  /// written. Keys are in alphabetical order.
  ///
  /// - Complexity: O(points · columns).
  public static func text(of result: RunResult) -> String {
    let records = ReportCSV.records(of: result)
    let swept = result.axes.count
    let texts = Set(["seed", "scenario_digest", "data_digest", "weights_digest", "stop_reason"])
    let rows = records.dropFirst().map { record -> [String: Field] in
      var row: [String: Field] = [:]
      for (place, name) in records[0].enumerated() {
        let text = record[place]
        row[name] =
          text.isEmpty
          ? .null
          : place >= swept && !texts.contains(name) ? Field(number: text) : .text(text)
      }
      return row
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      return String(decoding: try encoder.encode(rows), as: UTF8.self)
    } catch {
      // Texts and finite numbers always have a JSON form.
      preconditionFailure("report without JSON form: \(error)")
    }
  }

  private enum Field: Encodable {
    case null
    case text(String)
    case number(Double)

    init(number text: String) {
      guard let value = Double(text) else {
        self = .text(text)
        return
      }
      self = value.isFinite ? .number(value) : value.isNaN ? .null : .text(text)
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .null: try container.encodeNil()
      case .text(let text): try container.encode(text)
      case .number(let value): try container.encode(value)
      }
    }
  }
}
