/// A codebook of scalars for each output of an encoder, ascending, of 2^B_m levels.
///
/// A value takes the nearest level: thresholds `(y_k + y_{k+1}) / 2`, of which a value that lies on one takes the upper
/// level; or thresholds are given, as those of cells whose levels are not in their middle. An output of 0 bits sends nothing and always takes its one level.
public struct ScalarCodebooks: Sendable, Hashable {
  /// Bits B_m of each output.
  public let bits: [Int]
  /// Levels of all outputs, one after the other, ascending for each.
  public let levels: [Float]
  /// Where the levels of each output start.
  public let starts: [Int]
  /// Where levels meet, at the places of the lower ones; the last one of each output is its last level.
  public let thresholds: [Float]

  /// Codebooks of 2^B_m ascending levels each.
  ///
  /// - Precondition: the number of levels of each output is a power of two; they ascend and are finite.
  public init(_ codebooks: [[Float]]) {
    var starts: [Int] = []
    var levels: [Float] = []
    var midpoints: [Float] = []
    for codebook in codebooks {
      precondition(codebook.count.nonzeroBitCount == 1, "\(codebook.count) levels")
      starts.append(levels.count)
      levels += codebook
      for (low, high) in zip(codebook, codebook.dropFirst()) {
        precondition(low <= high, "levels do not ascend")
        midpoints.append(low / 2 + high / 2)
      }
      midpoints.append(codebook[codebook.count - 1])
    }
    bits = codebooks.map { $0.count.trailingZeroBitCount }
    (self.starts, self.levels, thresholds) = (starts, levels, midpoints)
  }

  /// Levels and thresholds of all outputs, as the properties hold them.
  ///
  /// - Precondition: 2^B_m of both for each output.
  public init(bits: [Int], levels: [Float], thresholds: [Float]) {
    var starts: [Int] = []
    var end = 0
    for width in bits {
      starts.append(end)
      end += 1 << width
    }
    precondition(levels.count == end && thresholds.count == end, "2^B levels for each output")
    (self.bits, self.levels, self.thresholds, self.starts) = (bits, levels, thresholds, starts)
  }

  /// The same codebook for every output.
  public init(_ codebook: [Float], outputCount: Int) {
    self.init([[Float]](repeating: codebook, count: outputCount))
  }

  /// Number of outputs, M.
  public var count: Int { bits.count }

  /// The levels of an output.
  public subscript(output: Int) -> ArraySlice<Float> {
    levels[starts[output]..<starts[output] + 1 << bits[output]]
  }

  /// Index of the level that is nearest to a value; 0 for a value that is no number.
  ///
  /// - Complexity: B_m comparisons.
  public func nearest(_ value: Float, output: Int) -> Int {
    thresholds.withUnsafeBufferPointer {
      Self.search($0, starts[output], bits[output], value)
    }
  }

  private static func search(
    _ thresholds: UnsafeBufferPointer<Float>, _ start: Int, _ bits: Int, _ value: Float
  ) -> Int {
    var index = 0
    var half = (1 << bits) >> 1
    while half > 0 {
      if value >= thresholds[start + index + half - 1] { index += half }
      half /= 2
    }
    return index
  }

  /// The index of each of M values.
  ///
  /// - Complexity: B_m comparisons for each value.
  public func indices(
    of values: UnsafeBufferPointer<Float>, into indices: UnsafeMutableBufferPointer<UInt32>
  ) {
    precondition(values.count == count, "\(values.count) reals for \(count) outputs")
    thresholds.withUnsafeBufferPointer { thresholds in
      for i in values.indices {
        indices[i] = UInt32(
          truncatingIfNeeded: Self.search(thresholds, starts[i], bits[i], values[i]))
      }
    }
  }

  /// The level of each of M indices.
  ///
  /// - Precondition: each index is below 2^B_m.
  public func values(
    of indices: UnsafeBufferPointer<UInt32>, into values: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(values.count == count, "\(values.count) reals for \(count) outputs")
    for i in values.indices {
      precondition(indices[i] < 1 << UInt32(bits[i]))
      values[i] = levels[starts[i] + Int(indices[i])]
    }
  }
}
