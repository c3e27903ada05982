/// Texts of users in gnuplot programs.
///
/// The programs set `noenhanced` for every terminal, so that `_`, `^`, `{`, `@`, `&` and `~` are letters.
enum GnuplotText {
  /// A text in single quotes, in which nothing but the quote itself has a meaning; with a quote or a backslash in double
  /// quotes, where what has a meaning is written as an octal number. Not all versions take a doubled quote in a list of tics.
  static func quoted(_ text: String) -> String {
    let line = text.onOneLine
    // Scalars, because a quote with a combining accent is another Character.
    let scalars = line.unicodeScalars
    guard scalars.contains(where: { $0 == "\\" || $0 == "'" }) else { return "'\(line)'" }
    let octal = scalars.map { scalar in
      switch scalar {
      case "\\": "\\134"
      case "\"": "\\042"
      case "`": "\\140"
      case "@": "\\100"
      default: String(scalar)
      }
    }
    return "\"" + octal.joined() + "\""
  }

  /// A text at a tic, where gnuplot takes `%` for a number format.
  static func tic(_ text: String) -> String { quoted(text.replacing("%", with: "%%")) }
}
