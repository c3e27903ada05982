/// The word closest to a misspelt one, for "did you mean": within a third of its length in single-letter edits, or else
/// the shortest word that it is the beginning of (`snr` for `snr_db`).
public func nearestWord(to word: String, among candidates: some Sequence<String>) -> String? {
  let typed = Array(word.lowercased())
  let close = candidates.map { ($0, editDistance(typed, Array($0.lowercased()))) }
    // One letter says nothing about another.
    .filter { $0.1 <= min(max(1, typed.count / 3), typed.count - 1) }
    .min { ($0.1, $0.0) < ($1.1, $1.0) }?.0
  return close
    ?? candidates.filter { word.count > 1 && $0.lowercased().hasPrefix(word.lowercased()) }
    .min { ($0.count, $0) < ($1.count, $1) }
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
