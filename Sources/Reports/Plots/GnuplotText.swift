/// Texts of users in gnuplot programs.
///
/// The programs set `noenhanced` for every terminal, so that `_`, `^`, `{`, `@`, `&` and `~` are letters.
enum GnuplotText {
  /// A text in single quotes, in which nothing but the quote itself has a meaning.
  static func quoted(_ text: String) -> String {
    "'" + text.onOneLine.replacing("'", with: "''") + "'"
  }

  /// A text at a tic, where gnuplot takes `%` for a number format.
  static func tic(_ text: String) -> String { quoted(text.replacing("%", with: "%%")) }
}
