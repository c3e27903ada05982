import Foundation

/// The one way numbers are written into files: nine significant digits, `-inf`, `inf` and `nan`; empty if missing.
///
/// Nine digits are far beyond any Monte-Carlo error and few enough to read.
func numberText(_ value: Double?) -> String {
  guard let value else { return "" }
  if value.isNaN { return "nan" }
  // Without a sign of zero, and in the C locale.
  return value == 0 ? "0" : String(format: "%.9g", value)
}

extension String {
  /// The text on one line: line breaks and control characters become spaces.
  ///
  /// A name from a scenario file must not break a table or steer a terminal.
  var onOneLine: String {
    String(
      String.UnicodeScalarView(
        unicodeScalars.map { scalar in
          switch scalar.properties.generalCategory {
          case .control, .format, .lineSeparator, .paragraphSeparator: " "
          default: scalar
          }
        }))
  }
}
