import DataFiles

/// Copies arrays to another format, and channels to another layout, block by block.
public struct DatasetConversion: Sendable {
  /// How channels are brought to [0, 1] of layout csinet: the value is 0.5 + 0.5 h after h was multiplied by the scale.
  public enum Scale: String, Sendable, CaseIterable {
    /// One factor that makes the largest real or imaginary part of all records 1.
    case file
    /// A factor for each record that makes its largest modulus 1, as the public data sets.
    case sample
    /// As they are.
    case none
  }

  /// What came of a conversion.
  public struct Outcome: Sendable, Equatable {
    /// Format of the file that was written.
    public let format: ArrayFormat
    /// Name, shape and type of its arrays.
    public let arrays: [ArrayInfo]
    /// The factor of ``Scale/file``.
    public let factor: Double?
  }

  /// Ended by request; nothing was written.
  public struct Stopped: Error {}

  let output: String
  let format: ArrayFormat?
  let progress: @Sendable (Int, Int) -> Void
  let shouldStop: @Sendable () -> Bool

  /// - Parameters:
  ///   - output: the file; its extension is the format, unless one is given.
  ///   - format: the format, whatever the extension.
  ///   - progress: told the rows done and all.
  ///   - shouldStop: asked before each block.
  public init(
    output: String, format: ArrayFormat? = nil,
    progress: @escaping @Sendable (Int, Int) -> Void = { _, _ in },
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) {
    self.output = output
    self.format = format
    self.progress = progress
    self.shouldStop = shouldStop
  }

  /// The shape that a table is given: .csv has but two axes and real numbers.
  public struct TableShape: Sendable {
    /// Axes after the first.
    public var axes: [Int]
    /// Whether columns are real and imaginary parts in turn.
    public var isComplex: Bool

    /// A shape for the columns of a table.
    public init(axes: [Int], isComplex: Bool) {
      self.axes = axes
      self.isComplex = isComplex
    }
  }

  /// Copies arrays as they are.
  ///
  /// - Parameters:
  ///   - sources: the arrays of a file or data set.
  ///   - name: of a single array in the output, or of the channels of a generated data set; its own, else `H`, if nil.
  ///   - table: how columns become axes.
  ///   - single: complex numbers and fractions are written in single precision.
  /// - Throws: if the format cannot hold the arrays; ``Stopped``.
  public func copy(
    _ sources: [RecordSource], name: String? = nil, table: TableShape? = nil, single: Bool = false
  ) throws -> Outcome {
    let infos = try sources.enumerated().map { index, source in
      // Of a generated data set the channels come first, then their levels.
      let isMain = sources.count == 1 || (index == 0 && source.manifest != nil)
      var info = source.info
      info.name = (isMain ? name : nil) ?? info.name ?? "H"
      if let table, isMain || source.manifest == nil {
        info = try reshaped(info, table, source.path)
      }
      if single && info.writtenType == .float64 { info.elementType = .float32 }
      return isTable ? info.table : info
    }
    let writer = try ArrayFileWriter(output, infos, format: format)
    for (source, info) in zip(sources, infos) {
      try forEachBlock(source) { range, values in
        try writer.append(
          info.writtenType == .float32 ? narrowed(values, range, source) : values)
      }
    }
    try writer.finish()
    return Outcome(format: writer.format, arrays: infos, factor: nil)
  }

  var isTable: Bool { ArrayFormat.suffix(of: output) == "csv" }

  /// In single precision.
  ///
  /// - Throws: for the first finite number that single precision cannot hold.
  private func narrowed(
    _ values: NumericArray.Values, _ range: Range<Int>, _ source: RecordSource
  ) throws(DataFileError) -> NumericArray.Values {
    let floats = values.floats
    if case .double(let values) = values,
      let index = values.indices.first(where: { values[$0].isFinite && !floats[$0].isFinite })
    {
      throw DataFileError(
        file: source.path, variable: source.info.name,
        expected: "numbers up to \(Float.greatestFiniteMagnitude) for single precision",
        found: "\(values[index]) in row \(range.lowerBound + index / source.info.valuesPerRow)",
        hint: "leave out --single")
    }
    return .float(floats)
  }

  private func reshaped(
    _ info: ArrayInfo, _ table: TableShape, _ path: String
  ) throws -> ArrayInfo {
    var result = info
    result.shape = [info.rowCount] + table.axes
    result.isComplex = table.isComplex || info.isComplex
    try result.checkSize(path)
    guard result.valuesPerRow == info.valuesPerRow else {
      throw DataFileError(
        file: path, variable: info.name,
        expected: "rows of \(result.valuesPerRow) real numbers", found: info.description)
    }
    return result
  }

  func forEachBlock(
    _ source: RecordSource, _ body: (Range<Int>, NumericArray.Values) throws -> Void
  ) throws {
    let step = source.blockRows
    for start in stride(from: 0, to: source.info.rowCount, by: step) {
      if shouldStop() { throw Stopped() }
      let range = start..<min(start + step, source.info.rowCount)
      try body(range, try source.rows(range))
      progress(range.upperBound, source.info.rowCount)
    }
  }
}
