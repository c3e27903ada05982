import Codecs
import DataFiles
import Link
import LinkMath

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
    public let format: ArrayFormat
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
  ///   - output: its extension is the format, unless one is given.
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

    public init(axes: [Int], isComplex: Bool) {
      self.axes = axes
      self.isComplex = isComplex
    }
  }

  /// Copies arrays as they are.
  ///
  /// - Parameters:
  ///   - name: of a single array in the output; its own, or `H`, if nil.
  ///   - table: how columns become axes.
  ///   - single: complex numbers and fractions are written in single precision.
  /// - Throws: if the format cannot hold the arrays; ``Stopped``.
  public func copy(
    _ sources: [RecordSource], name: String? = nil, table: TableShape? = nil, single: Bool = false
  ) throws -> Outcome {
    let infos = try sources.map { source in
      var info = source.info
      info.name = (sources.count == 1 ? name : nil) ?? info.name ?? "H"
      if let table { info = try reshaped(info, table, source.path) }
      if single && info.writtenType == .float64 { info.elementType = .float32 }
      return isTable ? info.table : info
    }
    let writer = try ArrayFileWriter(output, infos, format: format)
    for (source, info) in zip(sources, infos) {
      try forEachBlock(source) { range, values in
        try writer.append(info.writtenType == .float32 ? .float(values.floats) : values)
      }
    }
    try writer.finish()
    return Outcome(format: writer.format, arrays: infos, factor: nil)
  }

  private var isTable: Bool { output.lowercased().hasSuffix(".csv") }

  private func reshaped(
    _ info: ArrayInfo, _ table: TableShape, _ path: String
  ) throws -> ArrayInfo {
    let count = table.axes.reduce(table.isComplex ? 2 : 1, *)
    guard !info.isComplex, count == info.valuesPerRow else {
      throw DataFileError(
        file: path, variable: info.name, expected: "real rows of \(count) numbers",
        found: info.description)
    }
    var result = info
    result.shape = [info.rowCount] + table.axes
    result.isComplex = table.isComplex
    return result
  }

  private func forEachBlock(
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

  /// Copies channels to another layout.
  ///
  /// csinet holds 0.5 + 0.5 h; delay is the unitary transform of frequency (see `AngularDelayTransform`), whose rows outside
  /// the kept ones are lost, and are zero on the way back.
  /// - Parameters:
  ///   - tones: of the grid, for data in the delay domain that are brought to tones; as many as rows if nil.
  /// - Throws: if values are not finite, or do not fit in [0, 1] without a scale; ``Stopped``.
  public func convert(
    _ reading: RecordReading, to layout: RecordOptions.Layout, scale: Scale = .file,
    name: String? = nil
  ) throws -> Outcome {
    let shape = reading.shape
    let isFromFrequency = shape.domain == .frequency
    let rows =
      layout == .frequency ? shape.tones ?? shape.rows : isFromFrequency ? shape.taps : shape.rows
    let transform = AngularDelayTransform(
      grid: isFromFrequency ? shape.rows : rows, ports: shape.columns,
      taps: isFromFrequency ? shape.taps : shape.rows,
      guardRows: isFromFrequency || layout == .frequency ? shape.guardRows : 0,
      angle: shape.angleDFT, shift: shape.angleShift)
    let step: (ComplexArray) -> ComplexArray =
      switch (isFromFrequency, layout) {
      case (true, .delay), (true, .csinet): transform.forward
      case (false, .frequency): transform.inverse
      default: { $0 }
      }
    let matrices: (Range<Int>, NumericArray.Values) throws -> ComplexArray = { range, values in
      let floats = values.floats
      try reading.source.checkFinite(floats, firstRow: range.lowerBound)
      return step(doubled(reading.matrices(floats), reading))
    }
    let leading = [reading.recordCount]
    let info =
      layout == .csinet
      ? ArrayInfo(
        name: name ?? "HT", shape: leading + [2, shape.columns, rows], isComplex: false,
        elementType: .float32)
      : ArrayInfo(
        name: name ?? "H", shape: leading + [rows, shape.columns], isComplex: true,
        elementType: .float32)
    var factor: Float = 1
    if layout == .csinet, scale == .file {
      var largest: Float = 0
      try forEachBlock(reading.source) { range, values in
        let csi = try matrices(range, values)
        largest = csi.withUnsafeElements {
          $0.reduce(largest) { max($0, max(abs($1.real), abs($1.imaginary))) }
        }
      }
      factor = largest > 0 ? 1 / largest : 1
    }
    let writer = try ArrayFileWriter(output, [isTable ? info.table : info], format: format)
    try forEachBlock(reading.source) { range, values in
      let csi = try matrices(range, values)
      guard layout == .csinet else {
        return try writer.append(
          .float(
            csi.withUnsafeFloats { Array(UnsafeBufferPointer(start: $0, count: 2 * csi.count)) })
        )
      }
      let images = NetworkMap.images(scaled(csi, scale, factor)).elements
      guard images.allSatisfy({ (-1e-6...1 + 1e-6).contains($0) }) else {
        throw RecordOptionError(
          "values leave [0, 1] without a scale; choose --scale file or sample")
      }
      try writer.append(.float(images))
    }
    try writer.finish()
    return Outcome(
      format: writer.format, arrays: [info],
      factor: layout == .csinet && scale == .file ? Double(factor) : nil)
  }

  /// Of layout csinet, h and not what lies around 0.5.
  private func doubled(_ csi: ComplexArray, _ reading: RecordReading) -> ComplexArray {
    reading.layout.kind == .csinet ? Self.times(csi, csi.shape[0], { _ in 2 }) : csi
  }

  private func scaled(_ csi: ComplexArray, _ scale: Scale, _ factor: Float) -> ComplexArray {
    switch scale {
    case .none: return csi
    case .file: return Self.times(csi, csi.shape[0]) { _ in factor }
    case .sample:
      let size = csi.rowStride
      let peaks = csi.withUnsafeElements { values in
        (0..<csi.shape[0]).map { record in
          values[record * size..<(record + 1) * size].reduce(0) { max($0, $1.lengthSquared) }
            .squareRoot()
        }
      }
      return Self.times(csi, csi.shape[0]) { peaks[$0] > 0 ? 1 / peaks[$0] : 1 }
    }
  }

  private static func times(
    _ csi: ComplexArray, _ records: Int, _ factor: (Int) -> Float
  ) -> ComplexArray {
    var result = csi
    let size = 2 * csi.rowStride
    result.withUnsafeMutableFloats { values in
      for record in 0..<records {
        let factor = factor(record)
        for index in record * size..<(record + 1) * size { values[index] *= factor }
      }
    }
    return result
  }
}
