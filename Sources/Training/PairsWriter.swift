import DataFiles
import LinkMath
import Networks

/// Writes a ``PairsFile``: the CSI of three sets and the codewords that an encoder makes of it.
public struct PairsWriter: Sendable {
  private let network: NetworkChoice
  private let encoder: InferencePlan
  private let sets: [SampleSet]
  private let bits: Int?
  private let pool: WorkerPool

  /// - Parameters:
  ///   - network: whose encoder makes the codewords.
  ///   - weights: of its encoder.
  ///   - data: the CSI.
  ///   - bits: of each real of a codeword, 1...16, on a grid between its smallest and largest value in the training
  ///     set, beyond which
  ///     it is clipped; nil for single precision.
  ///   - pool: divides the samples; the bytes do not depend on it.
  /// - Throws: `NetworkError` for an encoder that cannot be run sample by sample, ``TrainingError`` for training data without end.
  public init(
    _ network: NetworkChoice, weights: Weights, data: TrainingData, bits: Int?, pool: WorkerPool
  ) throws {
    precondition(bits.map { (1...16).contains($0) } ?? true)
    self.network = network
    encoder = try InferencePlan(network.autoencoder.encoder, weights: weights)
    guard let training = data.training as? SampleSet else {
      throw TrainingError(
        description:
          "a file of pairs holds a training set, not new drops for every epoch: leave out training.data"
      )
    }
    sets = [training, data.validation, data.test]
    self.bits = bits
    self.pool = pool
  }

  /// Writes the file, whole or not at all.
  ///
  /// - Parameters:
  ///   - path: must end in `.safetensors`.
  ///   - normaliser: rule of the data.
  ///   - progress: told the samples done, of all.
  ///   - shouldStop: looked at between pieces.
  /// - Returns: false if stopped.
  /// - Throws: `DataFileError` if nothing can be written there or the data cannot be read.
  /// - Complexity: memory of one piece of samples.
  public func write(
    to path: String, normaliser: String, progress: (_ done: Int, _ total: Int) -> Void,
    shouldStop: () -> Bool
  ) throws -> Bool {
    var metadata = [
      "format": PairsFile.format, "normaliser": normaliser, "network": network.name,
      "cr": "\(network.compression)", "image": network.image.imageSize,
      "codeword_length": "\(length)",
    ]
    if let bits { metadata["bits"] = "\(bits)" }
    var grid: Grid?
    if let bits {
      grid = try self.grid(bits, shouldStop)
      if grid == nil { return false }
    }
    let arrays = self.arrays
    let writer = try ArrayFileWriter(path, arrays, format: .safetensors, metadata: metadata)
    var digest = ContentDigest(metadata)
    if let grid {
      for (info, values) in zip(arrays, [grid.minimum, grid.step]) {
        digest.begin(info)
        digest.add(values)
        try writer.append(.float(values))
      }
    }
    let total = sets.reduce(0) { $0 + $1.count }
    var done = 0
    for (index, set) in sets.enumerated() {
      let first = (grid == nil ? 0 : 2) + 2 * index
      for isCodeword in [false, true] {
        digest.begin(arrays[isCodeword ? first + 1 : first])
        for piece in pieces(of: set) {
          if shouldStop() { return false }
          var values = try csi(set, piece)
          if isCodeword { values = try codewords(values, piece.count) }
          if isCodeword, let grid { values = grid.numbers(of: values) }
          digest.add(values)
          try writer.append(.float(values))
          if isCodeword {
            done += piece.count
            progress(done, total)
          }
        }
      }
    }
    try writer.append(.float(digest.finish().map { Float($0) }))
    try writer.finish()
    return true
  }

  private var length: Int { network.autoencoder.codewordLength }

  private var arrays: [ArrayInfo] {
    func info(_ name: String, _ shape: [Int], _ type: ElementType = .float32) -> ArrayInfo {
      ArrayInfo(name: name, shape: shape, isComplex: false, elementType: type)
    }
    let image = [2, network.image.height, network.image.width]
    let type: ElementType = bits.map { $0 <= 8 ? .uint8 : .uint16 } ?? .float32
    let grid = [PairsFile.minimum, PairsFile.step].map { info($0, [length]) }
    let pairs = zip(PairsFile.sets, sets).flatMap { name, set in
      [
        info("\(name).csi", [set.count] + image),
        info("\(name).codeword", [set.count, length], type),
      ]
    }
    return (bits == nil ? [] : grid) + pairs + [info(PairsFile.seal, [32], .uint8)]
  }

  private func pieces(of set: SampleSet) -> [Range<Int>] {
    let size = max(1, PairsFile.piece / set.sampleSize)
    return stride(from: 0, to: set.count, by: size).map { $0..<min($0 + size, set.count) }
  }

  private func csi(_ set: SampleSet, _ samples: Range<Int>) throws -> [Float] {
    var values = [Float](repeating: 0, count: samples.count * set.sampleSize)
    try values.withUnsafeMutableBufferPointer {
      try set.read(
        samples.lowerBound, count: samples.count, inputs: $0.baseAddress!, targets: $0.baseAddress!)
    }
    return values
  }

  private func codewords(_ csi: [Float], _ count: Int) throws -> [Float] {
    let values = encoder.run([csi], count: count, pool: pool)[0]
    guard values.allSatisfy(\.isFinite) else {
      throw TrainingError(
        description: "the encoder of \(network.title) gives codewords that are not finite")
    }
    return values
  }

  /// From the smallest to the largest value of each real in the training set; nil if stopped.
  private func grid(_ bits: Int, _ shouldStop: () -> Bool) throws -> Grid? {
    var minimum = [Float](repeating: .infinity, count: length)
    var maximum = [Float](repeating: -.infinity, count: length)
    for piece in pieces(of: sets[0]) {
      if shouldStop() { return nil }
      for (i, value) in try codewords(csi(sets[0], piece), piece.count).enumerated() {
        minimum[i % length] = min(minimum[i % length], value)
        maximum[i % length] = max(maximum[i % length], value)
      }
    }
    let last = Float((1 << bits) - 1)
    return Grid(minimum: minimum, step: zip(minimum, maximum).map { ($1 - $0) / last }, last: last)
  }

  /// Whole numbers that stand for the values of each real.
  private struct Grid {
    let minimum, step: [Float]
    let last: Float

    func numbers(of codewords: [Float]) -> [Float] {
      codewords.enumerated().map { i, value in
        let place = i % minimum.count
        guard step[place] > 0 else { return 0 }
        let number = ((value - minimum[place]) / step[place]).rounded()
        return min(max(number, 0), last)
      }
    }
  }
}
