/// Vectors of a few reals, of which the nearest stands for any: a codebook shared by all places of a codeword.
///
/// Reference: Y. Linde, A. Buzo and R. M. Gray, IEEE Trans. Commun. 28 (1980) 84, doi:10.1109/TCOM.1980.1094577.
public struct VectorCodebook: Sendable, Hashable {
  /// Reals of a vector, L.
  public let length: Int
  /// Number of vectors, K.
  public let count: Int
  /// The vectors [vector, axis].
  public let vectors: [Float]
  /// [axis, vector].
  private let axes: [Float]
  /// Half the squared length of each vector.
  private let halfNorms: [Float]

  /// - Parameters:
  ///   - vectors: [vector, axis].
  ///   - length: reals of a vector, L.
  /// - Precondition: a whole number of vectors of `length` reals, at least one.
  public init(_ vectors: [Float], length: Int) {
    let count = vectors.count / length
    precondition(count > 0 && vectors.count == count * length)
    (self.length, self.count, self.vectors) = (length, count, vectors)
    axes = (0..<length).flatMap { axis in (0..<count).map { vectors[$0 * length + axis] } }
    halfNorms = (0..<count).map { vector in
      vectors[vector * length..<(vector + 1) * length].reduce(0) { $0 + $1 * $1 } / 2
    }
  }

  /// The reals of one vector.
  public subscript(vector: Int) -> ArraySlice<Float> {
    vectors[vector * length..<(vector + 1) * length]
  }

  /// The vector of least `|c|²/2 - c·x`, which is the one nearest to x; the first of several.
  ///
  /// - Parameter scratch: K floats of any content.
  /// - Complexity: O(K L).
  func nearest(
    _ x: UnsafeBufferPointer<Float>, scratch: UnsafeMutableBufferPointer<Float>
  ) -> Int {
    axes.withUnsafeBufferPointer { axes in
      _ = halfNorms.withUnsafeBufferPointer { scratch.update(fromContentsOf: $0) }
      for axis in 0..<length {
        let value = x[axis]
        let row = axes.baseAddress! + axis * count
        for k in 0..<count { scratch[k] -= value * row[k] }
      }
    }
    var least = 0
    for k in 1..<max(count, 1) where scratch[k] < scratch[least] { least = k }
    return least
  }

  /// Index of the nearest vector; 0 for reals that are no numbers.
  public func nearest(_ x: UnsafeBufferPointer<Float>) -> Int {
    precondition(x.count == length)
    return withUnsafeTemporaryAllocation(of: Float.self, capacity: count) {
      $0.initialize(repeating: 0)
      return nearest(x, scratch: $0)
    }
  }
}

extension VectorCodebook {
  /// A codebook of 2^b vectors by splitting: one vector, then two, four, ..., each time settled by Lloyd's iteration.
  ///
  /// Each vector splits along the axis in which its samples vary most, by half their deviation. A vector that no sample takes
  /// is put beside the one with the largest error. The result depends on the samples alone.
  ///
  /// - Parameters:
  ///   - samples: [sample, axis], all finite, at least one.
  ///   - length: reals of a vector.
  ///   - bits: b.
  /// - Complexity: O(2^b L) for each sample and sweep, up to 50 sweeps for each size.
  public static func fitted(_ samples: [Float], length: Int, bits: Int) -> VectorCodebook {
    var codebook = VectorCodebook(
      Cells(samples, VectorCodebook([Float](repeating: 0, count: length), length: length)).means(),
      length: length)
    for _ in 0..<bits {
      codebook = VectorCodebook(Cells(samples, codebook).halves(), length: length)
      var last = Double.infinity
      for _ in 0..<50 {
        let cells = Cells(samples, codebook)
        guard cells.error < 0.9999 * last else { break }
        last = cells.error
        codebook = VectorCodebook(cells.means(), length: length)
      }
    }
    return codebook
  }

  /// The samples of each vector: how many, their sums and squares by axis, and the error that they leave.
  private struct Cells {
    private let codebook: VectorCodebook
    private var counts: [Double]
    /// [vector, axis].
    private var sums, squares: [Double]
    private var errors: [Double]

    var error: Double { errors.reduce(0, +) }

    init(_ samples: [Float], _ codebook: VectorCodebook) {
      let (count, length) = (codebook.count, codebook.length)
      self.codebook = codebook
      counts = [Double](repeating: 0, count: count)
      errors = counts
      sums = [Double](repeating: 0, count: count * length)
      squares = sums
      let vectors = codebook.vectors
      samples.withUnsafeBufferPointer { samples in
        withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { scratch in
          scratch.initialize(repeating: 0)
          for start in stride(from: 0, to: samples.count, by: length) {
            let sample = UnsafeBufferPointer(rebasing: samples[start..<start + length])
            let vector = codebook.nearest(sample, scratch: scratch)
            counts[vector] += 1
            for axis in 0..<length {
              let place = vector * length + axis
              let (value, level) = (Double(sample[axis]), Double(vectors[place]))
              sums[place] += value
              squares[place] += value * value
              errors[vector] += (value - level) * (value - level)
            }
          }
        }
      }
    }

    /// Means of the samples [vector, axis]; an empty cell moves beside the vector with the largest error.
    func means() -> [Float] {
      var means = codebook.vectors
      let length = codebook.length
      for vector in counts.indices where counts[vector] > 0 {
        for place in vector * length..<(vector + 1) * length {
          means[place] = Float(sums[place] / counts[vector])
        }
      }
      var worst = counts.indices.sorted {
        errors[$0] > errors[$1] || errors[$0] == errors[$1] && $0 < $1
      }
      worst.reverse()
      for vector in counts.indices where counts[vector] == 0 {
        guard let other = worst.popLast(), counts[other] > 1 else { break }
        let (axis, deviation) = spread(other)
        for i in 0..<length { means[vector * length + i] = means[other * length + i] }
        means[vector * length + axis] += Float(deviation)
      }
      return means
    }

    /// Two vectors in place of each.
    func halves() -> [Float] {
      return counts.indices.flatMap { vector -> [Float] in
        let centre = Array(codebook[vector])
        var (low, high) = (centre, centre)
        let (axis, deviation) = spread(vector)
        low[axis] -= Float(deviation / 2)
        high[axis] += Float(deviation / 2)
        return low + high
      }
    }

    /// The axis in which the samples of a vector vary most, and their standard deviation in it.
    private func spread(_ vector: Int) -> (axis: Int, deviation: Double) {
      let length = codebook.length
      guard counts[vector] > 0 else { return (0, 0) }
      let variances = (0..<length).map { axis in
        let mean = sums[vector * length + axis] / counts[vector]
        return squares[vector * length + axis] / counts[vector] - mean * mean
      }
      let axis = variances.indices.max { variances[$0] < variances[$1] }!
      return (axis, max(variances[axis], 0).squareRoot())
    }
  }
}
