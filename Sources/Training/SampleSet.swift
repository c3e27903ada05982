import DataFiles
import LinkMath

/// Samples for training or judging a network, in files read by rows: what the encoder sees and what the decoder
/// should give.
public struct SampleSet: Sendable {
  /// Values of one sample, `[2, angle, delay]`.
  public let sampleSize: Int
  /// Values of what it should become.
  public let targetSize: Int
  /// The value of a target that has no energy.
  let centre: Double
  /// Samples.
  public let count: Int
  private let inputs: SampleColumn
  /// Nil if the decoder should give what the encoder saw.
  private let targets: SampleColumn?

  /// - Parameters:
  ///   - inputs: file of one array `[sample, 2, angle, delay]`.
  ///   - targets: file of the same shape; nil if the inputs are the targets.
  ///   - shape: of one sample.
  /// - Throws: `DataFileError` for unreadable files and other shapes.
  public init(inputs: String, targets: String? = nil, shape: [Int]) throws(DataFileError) {
    try self.init(
      SampleColumn(inputs, shape: shape),
      targets.map { path throws(DataFileError) in try SampleColumn(path, shape: shape) })
  }

  /// Puts two columns together.
  ///
  /// - Parameters:
  ///   - inputs: what the encoder sees.
  ///   - targets: nil if the inputs are the targets.
  ///   - centre: the value of a target that has no energy.
  /// - Throws: `DataFileError` for columns of different lengths.
  init(_ inputs: SampleColumn, _ targets: SampleColumn?, centre: Double = 0.5)
    throws(DataFileError)
  {
    (self.inputs, self.targets, self.centre) = (inputs, targets, centre)
    sampleSize = inputs.size
    targetSize = targets?.size ?? inputs.size
    count = inputs.count
    if let targets, targets.count != count {
      throw DataFileError(
        file: targets.path, variable: targets.variable,
        expected: "\(count) samples, as \(inputs.variable ?? inputs.path) has",
        found: "\(targets.count)")
    }
  }

  /// Copies samples into memory, `[sample, 2, angle, delay]`.
  ///
  /// - Parameters:
  ///   - targets: may be the same memory as `inputs` if the inputs are the targets.
  /// - Throws: `DataFileError` if the file cannot be read or a value is not finite.
  func read(
    _ sample: Int, count: Int = 1, inputs: UnsafeMutablePointer<Float>,
    targets: UnsafeMutablePointer<Float>
  ) throws(DataFileError) {
    try self.inputs.copy(sample, count, to: inputs)
    if let column = self.targets {
      try column.copy(sample, count, to: targets)
    } else if inputs != targets {
      targets.update(from: inputs, count: count * sampleSize)
    }
  }

  /// Whether inputs and targets are the same numbers.
  public var targetsAreInputs: Bool { targets == nil }
}

/// One array of a file, read by rows: inputs or targets.
struct SampleColumn: Sendable {
  /// Values of one sample.
  let size: Int
  /// Value 0 and step of the numbers that stand for each place's values; nil if the values stand there.
  var grid: (minimum: [Float], step: [Float])?
  private let reader: ArrayReader

  var count: Int { reader.info.rowCount }
  var path: String { reader.path }
  var variable: String? { reader.info.name }

  init(_ path: String, variable: String? = nil, shape: [Int]) throws(DataFileError) {
    size = shape.reduce(1, *)
    reader = try ArrayFile.open(path, variable: variable)
    guard Array(reader.info.shape.dropFirst()) == shape, !reader.info.isComplex else {
      throw DataFileError(
        file: path, variable: variable,
        expected: "a real array [sample, \(shape.map(String.init).joined(separator: ", "))]",
        found: reader.info.description)
    }
  }

  /// - Throws: `DataFileError` if the file cannot be read or a value is not finite.
  func copy(_ sample: Int, _ count: Int, to memory: UnsafeMutablePointer<Float>)
    throws(DataFileError)
  {
    let values = try reader.rows(sample..<sample + count).floats()
    guard values.allSatisfy(\.isFinite) else {
      throw DataFileError(
        file: path, variable: variable, expected: "finite values",
        found: "a value that is not, in the samples from \(sample) to \(sample + count - 1)")
    }
    guard let grid else { return memory.update(from: values, count: values.count) }
    for (i, value) in values.enumerated() {
      memory[i] = grid.minimum[i % size] + grid.step[i % size] * value
    }
  }
}
