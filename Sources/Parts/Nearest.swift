/// The word closest to a misspelt one, for "did you mean": within a third of its length in single-letter edits, or else the shortest word
/// that it is the beginning of (`snr` for `snr_db`), or else the shortest one that has it between its `_` and dots.
///
/// Of words that begin alike those that are `preferred` come first, and ends of intervals (`rate_low`) last.
public func nearestWord(
  to word: String, among candidates: some Sequence<String>,
  preferring isPreferred: (String) -> Bool = { _ in false }
) -> String? {
  let lower = word.lowercased()
  let typed = Array(lower)
  let close = candidates.map { ($0, editDistance(typed, Array($0.lowercased()))) }
    // One letter says nothing about another.
    .filter { $0.1 <= min(max(1, typed.count / 3), typed.count - 1) }
    .min { ($0.1, $0.0) < ($1.1, $1.0) }?.0
  guard close == nil, word.count > 1 else { return close }
  func first(_ words: [String], preferring isPreferred: (String) -> Bool) -> String? {
    func rank(_ word: String) -> Int {
      isPreferred(word) ? 0 : word.hasSuffix("_low") || word.hasSuffix("_high") ? 2 : 1
    }
    return words.min { (rank($0), $0.count, $0) < (rank($1), $1.count, $1) }
  }
  let beginning = candidates.filter { $0.lowercased().hasPrefix(lower) }
  return first(beginning, preferring: isPreferred)
    ?? first(candidates.filter { $0.lowercased().tokens.contains(lower) }) { _ in false }
}

extension String {
  /// What stands between its `_` and dots.
  fileprivate var tokens: [String] { split { "_.".contains($0) }.map { String($0) } }
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
