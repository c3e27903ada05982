import Foundation

/// A reference value of `Fixtures/link/oracle_values.csv`.
///
/// - Parameters:
///   - id: the column `id`.
///   - parameters: the column `parameters`.
public func oracle(_ id: String, _ parameters: String) throws -> Double {
  let url = fixtures.appending(path: "link/oracle_values.csv")
  for line in try String(contentsOf: url, encoding: .utf8).split(separator: "\n") {
    // Fields with commas are quoted; no field holds a quotation mark.
    let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
    let fields = parts.enumerated().flatMap { index, part in
      index % 2 == 1
        ? [String(part)]
        : part.split(separator: ",").map(String.init)
    }
    guard fields.count == 5, fields[0] == id, fields[2] == parameters else { continue }
    guard let value = Double(fields[3]) else { break }
    return value
  }
  throw MissingOracle(id: id, parameters: parameters)
}

/// The table has no such value.
public struct MissingOracle: Error {
  public let id: String
  public let parameters: String
}
