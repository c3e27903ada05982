import Foundation

/// The numbers of each drop that the journals of a result hold, read without the scenario that they belong to.
public struct RecordedDrops: Sendable {
  /// Names of the numbers that were read.
  public let names: [String]
  /// Operating points.
  public let pointCount: Int
  /// Drops of each point.
  public let dropCount: Int
  /// [number][point][drop], the mean over the users of a drop; NaN where a drop has none.
  private let values: [[[Double]]]

  /// Reads the drops of a result.
  ///
  /// - Parameters:
  ///   - folders: result folders of one run or of its shards.
  ///   - drops: how many drops the report counts.
  ///   - wanted: which numbers are wanted, those of the journal that are there; all if nil.
  /// - Throws: ``JournalError`` if no journal is there, blocks are missing, or the journals are of different runs.
  /// - Complexity: O(size of the journals) time, memory for the wanted numbers.
  public init(folders: [String], drops: Int, numbers wanted: [String]? = nil) throws {
    let paths = folders.flatMap { folder in
      ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        .filter { $0.hasPrefix("journal") && $0.hasSuffix(".log") }.map { "\(folder)/\($0)" }
    }
    guard let first = paths.first else {
      throw JournalError(
        path: folders.joined(separator: ", "), problem: "holds no journal",
        hint:
          "the numbers of each drop are kept in journal.log, which is not committed with results")
    }
    let header = try JournalReader.header(of: first)
    let size = header.blockSize
    let journals = try paths.map { path in
      try JournalReader(reading: path, header: header) { min(($0 + 1) * size, drops) - $0 * size }
    }
    let names = header.numbers.filter { wanted?.contains($0) ?? true }
    let places = names.map { name in header.numbers.firstIndex(of: name)! }
    var values = names.map { _ in
      header.users.map { _ in
        var list: [Double] = []
        list.reserveCapacity(drops)
        return list
      }
    }
    for index in 0..<(drops + size - 1) / size {
      guard let journal = journals.first(where: { $0.blocks[index] != nil }) else {
        throw JournalError(
          path: first, problem: "block \(index), which the report counts, is missing",
          hint: "run the same command again")
      }
      let block = try journal.read(index)
      for point in header.users.indices {
        for (number, place) in places.enumerated() {
          for drop in 0..<block.dropCount {
            values[number][point].append(
              block.mean(point: point, drop: drop, users: header.users[point], place: place))
          }
        }
      }
    }
    (self.names, self.values, dropCount) = (names, values, drops)
    pointCount = header.users.count
  }

  /// A number of all drops of a point, in their order; nil if the journal does not have it.
  public func values(of number: String, point: Int) -> [Double]? {
    names.firstIndex(of: number).map { values[$0][point] }
  }
}

extension BlockMetrics {
  /// Mean over the users of a drop that have a number; NaN if none has it.
  func mean(point: Int, drop: Int, users: Int, place: Int) -> Double {
    var (sum, count) = (0.0, 0)
    for user in 0..<users {
      let row = layout.offset(point: point, row: user * dropCount + drop, drops: dropCount)
      if !values[row + place].isNaN {
        sum += values[row + place]
        count += 1
      }
    }
    return count > 0 ? sum / Double(count) : .nan
  }
}
