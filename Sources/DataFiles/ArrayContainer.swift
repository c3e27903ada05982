/// A file of arrays: what is in it, and how to get at each.
protocol ArrayContainer: Sendable {
  var entries: [ArrayEntry] { get }

  /// Opens one entry that holds an array.
  func source(of entry: Int) throws(DataFileError) -> any RowSource
}

/// One named thing in a container: an array, or something that is no array of numbers.
struct ArrayEntry: Sendable {
  let name: String?
  let content: Result<ArrayInfo, DataFileError>

  var info: ArrayInfo? { try? content.get() }

  /// For lists of what a file holds.
  var text: String {
    switch content {
    case .success(let info): info.description
    case .failure(let error): "\(printable(name ?? "")) (not numeric: \(error.found))"
    }
  }
}

/// A container of one array without a name.
struct SingleArray: ArrayContainer {
  let rows: any RowSource

  var entries: [ArrayEntry] { [ArrayEntry(name: nil, content: .success(rows.info))] }

  func source(of entry: Int) -> any RowSource { rows }
}
