import LinkMath
import Parts

extension PCACodec {
  /// Learns the eigenvectors from angular-delay CSI.
  ///
  /// The artefact holds `vectors` [component, real], `eigenvalues` [component] descending, and `energy` [1], the trace of
  /// the second-moment matrix. It keeps the components of compression 4 even if fewer are asked for, so that the usual
  /// ratios of a sweep share one fit.
  ///
  /// - Throws: `SettingsError` for a compression that does not divide and for fewer drops than components.
  public static func fitting(_ settings: Settings, in context: LinkContext) throws -> Fitting? {
    let size = 2 * context.tapCount * context.portCount
    let length = try CodewordSize.read(settings, realCount: size)
    let stored = max(length, size / CodewordSize.defaultCompression)
    let drops = settings[FitParameters.drops]
    guard drops >= stored else {
      throw SettingsError(
        part: settings.part, key: FitParameters.drops.key,
        reason: "must be at least \(stored), the number of fitted components, got \(drops)")
    }
    return FitParameters.fitting(
      settings, signature: "size=\(size) components=\(stored)",
      shapes: ["vectors": [stored, size], "eigenvalues": [stored], "energy": [1]]
    ) {
      SecondMomentFitter(part: schema.name, size: size, componentCount: stored)
    }
  }
}

/// Accumulates `sum x xᵀ` and takes its largest eigenvectors.
///
/// Products of 256 drops are summed in single precision, those sums in double; the chunks are the same however the drops
/// arrive. Memory: 12 bytes for each of the size² entries. Eigenvalues are accurate to about 1e-6 of the largest.
package struct SecondMomentFitter: Fitter {
  private static let chunk = 256

  private let part: String
  private let size: Int
  private let componentCount: Int
  private var pending: RealArray
  private var pendingCount = 0
  private var dropCount = 0
  private var partial: RealArray
  /// Lower triangle of the sum, row-major [row, column].
  private var sum: [Double]

  /// An accumulator that has seen no drop.
  ///
  /// - Parameters:
  ///   - part: name of the part, for errors.
  ///   - size: reals N of a drop.
  ///   - componentCount: eigenvectors that are kept.
  package init(part: String, size: Int, componentCount: Int) {
    self.part = part
    self.size = size
    self.componentCount = componentCount
    pending = RealArray(uninitialized: [Self.chunk, size])
    partial = RealArray(uninitialized: [size, size])
    sum = [Double](repeating: 0, count: size * size)
  }

  package mutating func add(_ input: StageInput) {
    guard case .csi(let csi) = input else { preconditionFailure("PCA is fitted on CSI") }
    let rows = RealPlanes.split(csi)
    rows.requireShape([nil, size], "[drop, 2 · delay · angle]")
    rows.withUnsafeElements { rows in
      for start in stride(from: 0, to: rows.count, by: size) {
        pending.withUnsafeMutableElements { pending in
          _ = UnsafeMutableBufferPointer(rebasing: pending[(pendingCount * size)...])
            .update(fromContentsOf: rows[start..<start + size])
        }
        pendingCount += 1
        if pendingCount == Self.chunk { fold() }
      }
    }
  }

  private mutating func fold() {
    guard pendingCount > 0 else { return }
    partial.withUnsafeMutableElements { partial in
      partial.update(repeating: 0)
      pending.withUnsafeElements {
        MatrixProduct.addGram(
          n: size, k: pendingCount, $0.baseAddress!, into: partial.baseAddress!)
      }
      sum.withUnsafeMutableBufferPointer { sum in
        for row in 0..<size {
          for i in row * size...row * size + row { sum[i] += Double(partial[i]) }
        }
      }
    }
    dropCount += pendingCount
    pendingCount = 0
  }

  package func finish() throws -> Artefact {
    var folded = self
    folded.fold()
    return try folded.decompose()
  }

  private func decompose() throws -> Artefact {
    guard dropCount >= componentCount else {
      throw FittingError(
        part: part, reason: "\(dropCount) drops do not determine \(componentCount) components")
    }
    let scale = 1 / Double(dropCount)
    let energy = scale * (0..<size).reduce(0) { $0 + sum[$1 * size + $1] }
    guard energy.isFinite, energy > 0 else {
      throw FittingError(part: part, reason: "the fitted drops have the mean energy \(energy)")
    }
    let (values, vectors) = try Eigen.symmetric(
      sum.map { scale * $0 }, order: size, largest: componentCount)
    var rows = RealArray(uninitialized: [componentCount, size])
    rows.withUnsafeMutableElements { rows in
      for (k, vector) in vectors.enumerated() {
        for (i, value) in vector.enumerated() { rows[k * size + i] = Float(value) }
      }
    }
    return Artefact([
      "vectors": rows, "eigenvalues": RealArray(values.map { Float($0) }, shape: [values.count]),
      "energy": RealArray([Float(energy)], shape: [1]),
    ])
  }
}
