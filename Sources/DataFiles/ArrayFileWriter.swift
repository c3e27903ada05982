/// Writes arrays of known shapes to a file row by row, for arrays that do not fit in memory.
///
/// Rows are given in order, all of the first array, then all of the second. The file appears under its name with
/// ``finish()``, whole and flushed to the disk; without it nothing is left. Equal arrays give equal bytes, however
/// their rows were divided.
public final class ArrayFileWriter {
  /// Where the file appears.
  public let path: String
  /// Format in which the arrays are written.
  public let format: ArrayFormat
  private let arrays: [ArrayInfo]
  private let sink: any ArraySink
  /// The array that the next rows belong to, and how many values of it were given.
  private var current = 0
  private var valueCount = 0

  /// Creates the temporary file.
  ///
  /// - Parameters:
  ///   - path: where the file appears.
  ///   - arrays: name, shape and type of each; `.npy` and `.csv` take one, whose name is not kept.
  ///   - format: that of the extension if left out.
  ///   - metadata: texts for `__metadata__`; only for .safetensors.
  /// - Throws: ``DataFileError`` if the format cannot hold the arrays or nothing can be written there.
  public init(
    _ path: String, _ arrays: [ArrayInfo], format: ArrayFormat? = nil,
    metadata: [String: String] = [:]
  ) throws(DataFileError) {
    for array in arrays { try array.checkSize(path) }
    var found: ArrayFormat
    if let format { found = format } else { found = try ArrayFormat(of: path, for: arrays) }
    self.path = path
    self.format = found
    self.arrays = arrays
    guard metadata.isEmpty || found == .safetensors else {
      throw DataFileError(
        file: path, expected: "a .safetensors file to hold metadata", found: "another format")
    }
    if found.holdsSeveral {
      try Self.checkNames(arrays, path)
    } else if arrays.count != 1 {
      throw DataFileError(
        file: path, expected: "one array", found: "\(arrays.count)",
        hint: ".npz, .mat and .safetensors hold several")
    }
    sink =
      switch found {
      case .npy: try NPYSink(path, arrays[0])
      case .npz: try NPZSink(path, arrays)
      case .csv: try CSVSink(path, arrays[0])
      case .safetensors: try SafetensorsSink(path, arrays, metadata)
      case .mat5: try MAT5Sink(path, arrays)
      case .mat73: try MAT73Sink(path, arrays)
      }
    try begin()
  }

  private static func checkNames(_ arrays: [ArrayInfo], _ path: String) throws(DataFileError) {
    var seen: Set<String> = []
    for array in arrays {
      guard let name = array.name, !name.isEmpty, seen.insert(name).inserted else {
        throw DataFileError(
          file: path, variable: array.name, expected: "a different name for each array",
          found: array.name == nil ? "an array without a name" : "the name again or an empty name")
      }
    }
  }

  /// Starts the next array, and ends those without elements.
  private func begin() throws(DataFileError) {
    while current < arrays.count {
      try sink.begin(arrays[current])
      if arrays[current].valueCount > 0 { return }
      try sink.end()
      current += 1
    }
  }

  /// Appends whole rows, row-major, complex interleaved.
  ///
  /// - Precondition: the values are whole rows of the array that is being written, in the type it was declared with.
  public func append(_ values: NumericArray.Values) throws(DataFileError) {
    guard values.count > 0 else { return }
    precondition(current < arrays.count, "more rows than declared")
    let array = arrays[current]
    let perRow = array.valuesPerRow
    valueCount += values.count
    precondition(
      values.count % perRow == 0 && valueCount <= array.valueCount, "not whole rows of the array")
    try sink.append(array, values)
    guard valueCount == array.valueCount else { return }
    try sink.end()
    current += 1
    valueCount = 0
    try begin()
  }

  /// Puts the file in its place.
  ///
  /// - Precondition: all rows of all arrays were given; called once.
  public func finish() throws(DataFileError) {
    precondition(current == arrays.count, "rows are missing")
    try sink.finish()
  }
}

/// One format's way of writing arrays whose rows come in order.
protocol ArraySink: AnyObject {
  func begin(_ array: ArrayInfo) throws(DataFileError)
  /// Whole rows of the array that was begun.
  func append(_ array: ArrayInfo, _ values: NumericArray.Values) throws(DataFileError)
  func end() throws(DataFileError)
  func finish() throws(DataFileError)
}

extension ArraySink {
  func begin(_ array: ArrayInfo) {}
  func end() {}
}

extension ArrayFile {
  /// Writes arrays in the format of the extension: .npy, .npz, .mat, .csv or .safetensors.
  ///
  /// `.npy` and `.csv` take one array (its name is not kept); the others need a name for each. A .mat file is v5, or
  /// v7.3 if a variable has 2 GiB or more. The file appears whole or not at all, and equal arguments give equal
  /// bytes.
  ///
  /// - Parameters:
  ///   - arrays: what is written.
  ///   - metadata: texts for `__metadata__`; only for .safetensors.
  ///   - path: where the file appears.
  /// - Throws: ``DataFileError`` if the format cannot hold the arrays, before anything is written, or
  ///   if writing fails; the old file is then still there.
  public static func write(
    _ arrays: [NumericArray], metadata: [String: String] = [:], to path: String
  ) throws(DataFileError) {
    let writer = try ArrayFileWriter(path, arrays.map(\.info), metadata: metadata)
    for array in arrays { try writer.append(array.values) }
    try writer.finish()
  }
}
