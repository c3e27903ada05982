import Codecs
import DataFiles
import Link
import LinkMath

extension DatasetConversion {
  /// Copies channels to another layout.
  ///
  /// csinet holds 0.5 + 0.5 h; delay is the unitary transform of frequency (see `AngularDelayTransform`), whose rows outside
  /// the kept ones are lost, and are zero on the way back. Delay data get the tones of the grid, or as many as rows if
  /// nobody says how many.
  /// - Throws: if values are not finite, or do not fit in [0, 1] without a scale; ``Stopped``.
  public func convert(
    _ reading: RecordReading, to layout: RecordOptions.Layout, scale: Scale = .file,
    name: String? = nil
  ) throws -> Outcome {
    let step = LayoutStep(reading, to: layout)
    let info = step.info(name)
    let factor = layout == .csinet && scale == .file ? try self.factor(step) : nil
    let writer = try ArrayFileWriter(output, [isTable ? info.table : info], format: format)
    try forEachBlock(reading.source) { range, values in
      let csi = try step.matrices(range, values)
      try writer.append(
        .float(layout == .csinet ? images(csi, scale, factor) : csi.floats))
    }
    try writer.finish()
    return Outcome(format: writer.format, arrays: [info], factor: factor.map { Double($0) })
  }

  /// The factor that makes the largest real or imaginary part 1; reads all records.
  private func factor(_ step: LayoutStep) throws -> Float {
    var largest: Float = 0
    try forEachBlock(step.reading.source) { range, values in
      for value in try step.matrices(range, values).floats { largest = max(largest, abs(value)) }
    }
    return largest > 0 ? 1 / largest : 1
  }

  /// [record, 2, angle, delay] of CSI [record, delay, angle].
  private func images(_ csi: ComplexArray, _ scale: Scale, _ factor: Float?) throws -> [Float] {
    let scaled =
      switch scale {
      case .none: csi
      case .file: csi.scaled { _ in factor! }
      case .sample:
        csi.scaled { record in
          let peak = record.reduce(0) { max($0, $1.lengthSquared) }.squareRoot()
          return peak > 0 ? 1 / peak : 1
        }
      }
    let images = CSIImages.images(scaled).elements
    guard images.allSatisfy({ (-1e-6...1 + 1e-6).contains($0) }) else {
      throw RecordOptionError("values leave [0, 1] without a scale; choose --scale file or sample")
    }
    return images
  }
}

/// From the matrices of a file to those of another layout.
private struct LayoutStep {
  let reading: RecordReading
  private let layout: RecordOptions.Layout
  private let rows: Int
  private let transform: AngularDelayTransform

  init(_ reading: RecordReading, to layout: RecordOptions.Layout) {
    self.reading = reading
    self.layout = layout
    let shape = reading.shape
    let isFromFrequency = shape.domain == .frequency
    rows =
      layout == .frequency ? shape.tones ?? shape.rows : isFromFrequency ? shape.taps : shape.rows
    transform = AngularDelayTransform(
      grid: isFromFrequency ? shape.rows : rows, ports: shape.columns,
      taps: isFromFrequency ? shape.taps : shape.rows, guardRows: shape.guardRows,
      angle: shape.angleDFT, shift: shape.angleShift)
  }

  func info(_ name: String?) -> ArrayInfo {
    let columns = reading.shape.columns
    let isReal = layout == .csinet
    return ArrayInfo(
      name: name ?? (isReal ? "HT" : "H"),
      shape: [reading.recordCount] + (isReal ? [2, columns, rows] : [rows, columns]),
      isComplex: !isReal, elementType: .float32)
  }

  /// The matrices of whole rows of the file.
  func matrices(_ range: Range<Int>, _ values: NumericArray.Values) throws -> ComplexArray {
    let floats = values.floats
    try reading.source.checkFinite(floats, firstRow: range.lowerBound)
    var matrices = reading.matrices(floats)
    // Around 0.5 lies half of h.
    if reading.layout.kind == .csinet { matrices = matrices.scaled { _ in 2 } }
    switch (reading.shape.domain, layout) {
    case (.frequency, .delay), (.frequency, .csinet): return transform.forward(matrices)
    case (.delay, .frequency): return transform.inverse(matrices)
    default: return matrices
    }
  }
}

extension Tensor where Element == ComplexFloat {
  fileprivate var floats: [Float] {
    withUnsafeFloats { Array(UnsafeBufferPointer(start: $0, count: 2 * count)) }
  }

  /// Each record of [record, ...] times a factor.
  fileprivate func scaled(
    by factor: (UnsafeBufferPointer<ComplexFloat>) -> Float
  ) -> ComplexArray {
    var result = self
    let size = rowStride
    withUnsafeElements { source in
      result.withUnsafeMutableElements { target in
        for start in stride(from: 0, to: count, by: size) {
          let record = UnsafeBufferPointer(rebasing: source[start..<start + size])
          let factor = factor(record)
          for (index, value) in record.enumerated() {
            target[start + index] = ComplexFloat(value.real * factor, value.imaginary * factor)
          }
        }
      }
    }
    return result
  }
}
