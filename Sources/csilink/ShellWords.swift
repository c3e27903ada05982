/// Words of a command as a shell takes a line apart: separated by blanks, with '…', "…" and \ as usual, # to the end.
enum ShellWords {
  /// The words; nil if a quotation is left open.
  static func split(_ line: String) -> [String]? {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var rest = line[...]
    while let next = rest.popFirst() {
      if next == quote {
        quote = nil
      } else if next == "\\", quote != "'" {
        guard let escaped = rest.popFirst() else { return nil }
        word = (word ?? "") + String(escaped)
      } else if quote != nil {
        word!.append(next)
      } else if next == "'" || next == "\"" {
        quote = next
        word = word ?? ""
      } else if next.isWhitespace {
        word.map { words.append($0) }
        word = nil
      } else if next == "#", word == nil {
        break
      } else {
        word = (word ?? "") + String(next)
      }
    }
    word.map { words.append($0) }
    return quote == nil ? words : nil
  }
}
