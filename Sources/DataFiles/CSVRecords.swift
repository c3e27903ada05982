/// The records of a text of comma-separated values with quoted fields.
///
/// Reference: RFC 4180, section 2; lines may also end in a line feed alone.
public enum CSVRecords {
  /// The fields of each record; an empty line is a record with one empty field, an empty text has none.
  ///
  /// - Parameters:
  ///   - text: the records.
  ///   - file: what errors call the text.
  /// - Throws: ``DataFileError`` for a quote in the middle of a field or one that is not closed.
  /// - Complexity: O(length).
  public static func parse(_ text: String, file: String) throws(DataFileError) -> [[String]] {
    var records: [[String]] = []
    var (record, field) = ([String](), String.UnicodeScalarView())
    var (isQuoted, wasQuoted, line) = (false, false, 1)
    var scalars = text.unicodeScalars[...]
    let error = { (found: String) in
      DataFileError(
        file: file, place: .text(line: line, column: 1),
        expected: "comma-separated values as in RFC 4180", found: found)
    }
    func endField() {
      record.append(String(field))
      field = String.UnicodeScalarView()
      wasQuoted = false
    }
    while let scalar = scalars.popFirst() {
      if scalar == "\n" { line += 1 }
      switch (scalar, isQuoted) {
      case ("\"", true):
        if scalars.first == "\"" {
          field.append(scalars.removeFirst())
        } else {
          (isQuoted, wasQuoted) = (false, true)
        }
      case (_, true): field.append(scalar)
      case ("\"", false):
        guard field.isEmpty, !wasQuoted else { throw error("a quote inside a field") }
        isQuoted = true
      case (",", false): endField()
      case ("\n", false):
        endField()
        records.append(record)
        record = []
      case ("\r", false) where scalars.first == "\n": break
      default:
        guard !wasQuoted else { throw error("text behind a quoted field") }
        field.append(scalar)
      }
    }
    guard !isQuoted else { throw error("a quote that is not closed") }
    if !field.isEmpty || wasQuoted || !record.isEmpty {
      endField()
      records.append(record)
    }
    return records
  }
}
