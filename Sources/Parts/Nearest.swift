/// The word closest to a misspelt one, for "did you mean": within a third of its length in single-letter edits.
public func nearestWord(to word: String, among candidates: some Sequence<String>) -> String? {
  candidates.map { ($0, editDistance(Array(word.lowercased()), Array($0.lowercased()))) }
    .filter { $0.1 <= max(1, word.count / 3) }
    .min { ($0.1, $0.0) < ($1.1, $1.0) }?.0
}

/// Damerau-Levenshtein distance with adjacent transpositions. O(a · b).
private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
  var rows = [Array(0...b.count)]
  for i in 1..<(a.count + 1) {
    var row = [i] + Array(repeating: 0, count: b.count)
    for j in 1..<(b.count + 1) {
      let substitution = rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
      row[j] = min(substitution, rows[i - 1][j] + 1, row[j - 1] + 1)
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
        row[j] = min(row[j], rows[i - 2][j - 2] + 1)
      }
    }
    rows.append(row)
  }
  return rows[a.count][b.count]
}
