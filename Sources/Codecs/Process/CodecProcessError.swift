/// A program that is a codec did not do what the protocol of ``ProcessCodec`` asks for.
public struct CodecProcessError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The program and its arguments.
  public let command: String
  /// `encoder` or `decoder`.
  public let side: String
  /// What the protocol needs.
  public let expected: String
  /// What there was instead.
  public let found: String
  /// The last lines that the program wrote to its standard error.
  public let messages: [String]
  /// A way out, if one is known.
  public let hint: String?

  /// `codec process 'python3 codec.py' (encoder): expected ..., found ...`, the hint and the program's last lines below.
  public var description: String {
    var text = "codec process '\(command)' (\(side)): expected \(expected), found \(found)"
    if let hint { text += "\n  hint: \(hint)" }
    if !messages.isEmpty {
      text += "\n  the last lines of its standard error:"
      for line in messages { text += "\n  | \(line)" }
    }
    return text
  }
}
