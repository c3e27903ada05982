import Foundation
import Mustache

/// What a page shows, in the words of its template.
struct PageContent {
  /// How a text begins that says why something is missing.
  static let missing = "Not shown"

  /// A part of the page with a heading and an entry in the list at its top.
  struct Section {
    let id, heading: String
    var texts: [String] = []
    var pictures: [PagePicture] = []
    var tables: [Table] = []
    var glossaries: [Glossary] = []
    var listings: [Listing] = []
  }

  struct Table {
    let caption: String
    /// Headings of the cells that name a row, and of the others.
    let keys, columns: [String]
    let rows: [Row]
    /// Whether its cells are words, which may be long.
    var isText = false
  }

  struct Row {
    /// Cells that name the row.
    let heads: [String]
    let cells: [String]
  }

  struct Glossary {
    let terms: [Term]
  }

  struct Term {
    let name, text: String
  }

  /// Text as it is, such as a command or a scenario.
  struct Listing {
    let caption, text: String
    /// Whether it is shown without being opened.
    var isOpen = false
  }

  let title, description, version: String
  let sections: [Section]

  /// The page as HTML.
  func html() throws -> String {
    MustacheContentTypes.register(PageText(), named: PageText.name)
    return try MustacheTemplate(string: PageTemplate.text).render(self)
  }
}

/// Text in HTML: every scalar that means something there is escaped, so that nothing of a scenario becomes markup.
///
/// The library's own rule looks at characters, and leaves a quote with a combining accent as it is.
struct PageText: MustacheContentType {
  static let name = "PAGE"

  func escapeText(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "&": escaped += "&amp;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      case "\n": escaped += "\n"
      default:
        // Control characters and noncharacters do not belong into HTML.
        let isText =
          scalar.properties.generalCategory != .control
          && !scalar.properties.isNoncharacterCodePoint
        escaped.unicodeScalars.append(isText ? scalar : " ")
      }
    }
    return escaped
  }
}
