import DataFiles
import Foundation
import LinkMath

/// A network run over a file of samples, block by block.
public struct ForwardRun: Sendable {
  /// What is run.
  public enum Part: String, Sendable, CaseIterable {
    /// Both halves, or one of them.
    case autoencoder, encoder, decoder

    var sides: [WeightsFile.Side] {
      switch self {
      case .autoencoder: [.encoder, .decoder]
      case .encoder: [.encoder]
      case .decoder: [.decoder]
      }
    }
  }

  /// What came of a run.
  public struct Summary: Sendable {
    /// Samples that were run.
    public fileprivate(set) var sampleCount = 0
    /// Axes of one written sample.
    public let sampleShape: [Int]
    /// Of the reconstructions; nil unless the whole autoencoder was run.
    public fileprivate(set) var error: ErrorTotals?

    /// One value per line.
    public var text: String {
      let shape = sampleShape.map { " x \($0)" }.joined()
      var lines = ["samples              \(sampleCount), written as \(sampleCount)\(shape)"]
      if let error {
        lines += [
          "without energy       \(error.silentCount), left out of the NMSE",
          "NMSE                 \(Self.decibels(error.nmse)), mean of ratios",
          "NMSE, ratio of sums  \(Self.decibels(error.ratioOfSums))",
        ]
      }
      return lines.joined(separator: "\n")
    }

    private static func decibels(_ ratio: Double?) -> String {
      ratio.map { String(format: "%.4f dB", 10 * log10($0)) } ?? "none"
    }
  }

  /// Ended by request; nothing was written.
  public struct Stopped: Error {}

  /// Which sides are run.
  public let part: Part
  /// Files that the weights came from.
  public let weightPaths: [String]
  private let plans: [InferencePlan]

  /// Samples in memory at once.
  static let blockSize = 2048

  /// - Parameters:
  ///   - network: what is run.
  ///   - part: both halves, or one of them.
  ///   - weights: files or folders; the first that has a side is used for it.
  /// - Throws: ``NetworkError`` for unknown networks and for those that cannot be run sample by sample,
  ///   `DataFileError` for unfit weights.
  public init(_ network: NetworkChoice, part: Part, weights: [String]) throws {
    self.part = part
    let autoencoder = network.autoencoder
    for side in part.sides {
      let graph = side.network(of: autoencoder).graph
      if graph.inputShapes.count > 1 { throw NetworkError.needsCleanCodeword(network.name) }
      if graph.attendsAcrossBatch { throw NetworkError.needsWholeBatch(network.name) }
    }
    var plans: [InferencePlan] = []
    var paths: [String] = []
    for side in part.sides {
      let file = try WeightsFile(weights, network, side)
      plans.append(
        try InferencePlan(side.network(of: autoencoder), weights: file.weights))
      paths.append(file.path)
    }
    self.plans = plans
    weightPaths = paths
  }

  /// Runs all samples of an array and writes the results to a .npy file, which appears whole at the end.
  ///
  /// - Parameters:
  ///   - input: `[sample, 2, angle, delay]` or `[sample, 2 · angles · delays]`; for a decoder `[sample, M]` or `[sample, K, 1, 32]`.
  ///   - path: where the results appear.
  ///   - pool: threads that samples are run on.
  ///   - shouldStop: asked before each block.
  /// - Returns: also the NMSE if the whole autoencoder was run.
  /// - Throws: `DataFileError` for unfit shapes, values that are not finite and unwritable places; ``Stopped``.
  public func run(
    _ input: ArrayReader, output path: String, pool: WorkerPool,
    shouldStop: () -> Bool = { false }
  ) throws -> Summary {
    try check(input)
    let shape = outputShape(of: input.info)
    let writer = try NPYWriter(path, rowShape: shape)
    var summary = Summary(sampleShape: shape, error: part == .autoencoder ? .init() : nil)
    for start in stride(from: 0, to: input.info.rowCount, by: Self.blockSize) {
      if shouldStop() { throw Stopped() }
      let rows = start..<min(start + Self.blockSize, input.info.rowCount)
      let values = try input.rows(rows).floats()
      try checkFinite(values, rows, input)
      var result = values
      for index in plans.indices {
        result = plans[index].run([result], count: rows.count, pool: pool)[0]
        try checkOutput(result, of: index, rows, input, values)
      }
      if part == .autoencoder {
        let size = values.count / rows.count
        for sample in rows.indices.map({ $0 - start }) {
          let range = sample * size..<(sample + 1) * size
          summary.error?.add(values[range], result[range])
        }
      }
      try writer.append(result)
    }
    try writer.finish()
    summary.sampleCount = writer.rowCount
    return summary
  }

  private var inputShape: Shape { plans[0].network.graph.inputShapes[0] }

  /// The shapes of one sample that are taken.
  private var acceptedShapes: [[Int]] {
    let map = [inputShape.channels, inputShape.height, inputShape.width]
    return [map, [inputShape.count]]
  }

  private func check(_ input: ArrayReader) throws(DataFileError) {
    let info = input.info
    let isVector = inputShape.axes.count == 1
    let shapes = acceptedShapes.dropFirst(isVector ? 1 : 0).map {
      "[samples, \($0.map(String.init).joined(separator: ", "))]"
    }
    .joined(separator: " or ")
    guard !info.isComplex, !info.shape.isEmpty,
      acceptedShapes.contains(Array(info.shape.dropFirst())),
      info.rowCount > 0
    else {
      throw DataFileError(
        file: input.path, variable: info.name, expected: "a real array \(shapes) with samples",
        found: info.named(nil).description)
    }
  }

  /// Reconstructions have the axes of the input, codewords and maps those of the network.
  private func outputShape(of info: ArrayInfo) -> [Int] {
    part == .autoencoder
      ? Array(info.shape.dropFirst()) : plans[0].network.graph.outputShapes[0].axes
  }

  private func checkFinite(
    _ values: [Float], _ rows: Range<Int>, _ input: ArrayReader
  ) throws(DataFileError) {
    guard let index = values.firstIndex(where: { !$0.isFinite }) else { return }
    let size = values.count / rows.count
    throw DataFileError(
      file: input.path, variable: input.info.name, expected: "finite values",
      found: "\(values[index]) in sample \(rows.lowerBound + index / size),"
        + " value \(index % size) (both counted from 0)")
  }

  /// Blames a value that is not finite on the weights, or on an input far outside what networks see.
  private func checkOutput(
    _ values: [Float], of plan: Int, _ rows: Range<Int>, _ input: ArrayReader, _ inputs: [Float]
  ) throws(DataFileError) {
    guard let index = values.firstIndex(where: { !$0.isFinite }) else { return }
    let (size, inputSize) = (values.count / rows.count, inputs.count / rows.count)
    let sample = index / size
    let found =
      "\(values[index]) in sample \(rows.lowerBound + sample),"
      + " output \(index % size) (both counted from 0)"
    let largest = inputs[sample * inputSize..<(sample + 1) * inputSize].reduce(0) {
      max($0, $1.magnitude)
    }
    guard largest < 1e6 else {
      throw DataFileError(
        file: input.path, variable: input.info.name,
        expected: "values that the network keeps finite", found: found,
        hint: "the sample has values up to \(largest)")
    }
    throw DataFileError(
      file: weightPaths[plan],
      expected: "weights that keep the \(part.sides[plan])'s values finite", found: found,
      hint: "train the network again, or use other weights")
  }
}

extension ArrayFile {
  /// Opens `file` or `file:variable`.
  public static func open(naming text: String) throws(DataFileError) -> ArrayReader {
    guard !FileManager.default.fileExists(atPath: text), let colon = text.lastIndex(of: ":"),
      FileManager.default.fileExists(atPath: String(text[..<colon]))
    else { return try open(text) }
    return try open(
      String(text[..<colon]), variable: String(text[text.index(after: colon)...]))
  }
}

extension ArrayInfo {
  fileprivate func named(_ name: String?) -> ArrayInfo {
    var copy = self
    copy.name = name
    return copy
  }
}
