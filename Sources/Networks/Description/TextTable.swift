/// Rows of text in columns as wide as their widest cell.
package struct TextTable {
  private let rows: [[String]]
  private let rightAligned: Set<Int>

  /// - Parameter rightAligned: columns of numbers.
  package init(header: [String], rows: [[String]], rightAligned: Set<Int> = []) {
    self.rows = [header] + rows
    self.rightAligned = rightAligned
  }

  /// Header and rows, two spaces between columns.
  package var text: String {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max()! }
    return rows.map { row in
      let line = row.enumerated().map { column, cell in
        let padding = String(repeating: " ", count: widths[column] - cell.count)
        return rightAligned.contains(column) ? padding + cell : cell + padding
      }.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
  }
}

extension Int {
  /// Digits in groups of three: `2,103,116`.
  package var grouped: String {
    guard magnitude >= 1000 else { return String(self) }
    let last = String(1000 + magnitude % 1000).dropFirst()
    return (self / 1000).grouped + "," + last
  }
}
