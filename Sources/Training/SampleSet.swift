import DataFiles
import LinkMath

/// Samples for training or judging a network, in files read by rows: what the encoder sees and what the decoder should give.
public struct SampleSet: Sendable {
  /// Values of one sample, `[2, angle, delay]`.
  public let sampleSize: Int
  /// Samples.
  public let count: Int
  private let inputs: ArrayReader
  /// Nil if the decoder should give what the encoder saw.
  private let targets: ArrayReader?

  /// - Parameters:
  ///   - inputs: file of one array `[sample, 2, angle, delay]`.
  ///   - targets: file of the same shape; nil if the inputs are the targets.
  ///   - shape: of one sample.
  /// - Throws: `DataFileError` for unreadable files and other shapes.
  public init(inputs: String, targets: String? = nil, shape: [Int]) throws(DataFileError) {
    sampleSize = shape.reduce(1, *)
    self.inputs = try Self.open(inputs, shape: shape)
    count = self.inputs.info.rowCount
    self.targets = if let targets { try Self.open(targets, shape: shape) } else { nil }
    if let targets = self.targets, targets.info.rowCount != count {
      throw DataFileError(
        file: targets.path, expected: "\(count) samples, as \(inputs) has",
        found: "\(targets.info.rowCount)")
    }
  }

  private static func open(_ path: String, shape: [Int]) throws(DataFileError) -> ArrayReader {
    let reader = try ArrayFile.open(path)
    guard Array(reader.info.shape.dropFirst()) == shape, !reader.info.isComplex else {
      throw DataFileError(
        file: path,
        expected: "a real array [sample, \(shape.map(String.init).joined(separator: ", "))]",
        found: reader.info.description)
    }
    return reader
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
    try copy(self.inputs, sample, count, to: inputs)
    if let reader = self.targets {
      try copy(reader, sample, count, to: targets)
    } else if inputs != targets {
      targets.update(from: inputs, count: count * sampleSize)
    }
  }

  private func copy(
    _ reader: ArrayReader, _ sample: Int, _ count: Int, to memory: UnsafeMutablePointer<Float>
  ) throws(DataFileError) {
    let values = try reader.rows(sample..<sample + count).floats()
    guard values.allSatisfy(\.isFinite) else {
      throw DataFileError(
        file: reader.path, expected: "finite values",
        found: "a value that is not, in the samples from \(sample) to \(sample + count - 1)")
    }
    memory.update(from: values, count: values.count)
  }

  /// Whether inputs and targets are the same numbers.
  public var targetsAreInputs: Bool { targets == nil }
}
