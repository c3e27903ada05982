import LinkMath
import Parts

extension PCACodec {
  /// Learns the eigenvectors from angular-delay CSI.
  ///
  /// The artefact holds `vectors` [component, real], `eigenvalues` [component] descending, and `energy` [1], the trace of
  /// the second-moment matrix. It keeps the components of compression 4 even if fewer are asked for, so that the usual
  /// ratios of a sweep share one fit, or as many as there are drops.
  ///
  /// - Throws: `SettingsError` for a compression that does not divide and for fewer drops than components.
  public static func fitting(_ settings: Settings, in context: LinkContext) throws -> Fitting? {
    let size = 2 * context.tapCount * context.portCount
    let length = try CodewordSize.read(settings, realCount: size)
    let drops = settings[FitParameters.drops]
    let stored = max(length, min(size / CodewordSize.defaultCompression, drops))
    guard drops >= stored else {
      throw SettingsError(
        part: settings.part, key: FitParameters.drops.key,
        reason: "must be at least \(length), the reals of the codeword, got \(drops)")
    }
    return FitParameters.fitting(
      settings, signature: "size=\(size) components=\(stored)",
      shapes: ["vectors": [stored, size], "eigenvalues": [stored], "energy": [1]]
    ) {
      SecondMomentFitter(part: schema.name, size: size, componentCount: stored, needed: length)
    }
  }
}

/// Takes the largest eigenvectors of the second moment of drops.
///
/// Eigenvalues are accurate to about 1e-6 of the largest.
package struct SecondMomentFitter: Fitter {
  private let part: String
  private let componentCount, needed: Int
  private var moment: SecondMoment

  /// An accumulator that has seen no drop.
  ///
  /// - Parameters:
  ///   - part: name of the part, for errors.
  ///   - size: reals N of a drop.
  ///   - componentCount: eigenvectors that are kept; those beyond the number of drops span what is left, without variance.
  ///   - needed: eigenvectors that the drops must determine; all that are kept if nil.
  package init(part: String, size: Int, componentCount: Int, needed: Int? = nil) {
    self.needed = needed ?? componentCount
    self.part = part
    self.componentCount = componentCount
    moment = SecondMoment(size: size)
  }

  package mutating func add(_ input: StageInput) {
    guard case .csi(let csi) = input else { preconditionFailure("PCA is fitted on CSI") }
    let rows = RealPlanes.split(csi)
    rows.requireShape([nil, moment.size], "[drop, 2 · delay · angle]")
    rows.withUnsafeElements { moment.add($0) }
  }

  package func finish() throws -> Artefact {
    guard moment.count >= needed else {
      throw FittingError(
        part: part,
        reason: "\(moment.count) drops with energy do not determine \(needed) components")
    }
    let (size, mean) = (moment.size, moment.mean())
    let energy = (0..<size).reduce(0) { $0 + mean[$1 * size + $1] }
    guard energy.isFinite, energy > 0 else {
      throw FittingError(part: part, reason: "the fitted drops have the mean energy \(energy)")
    }
    let (values, vectors) = try Eigen.symmetric(mean, order: size, largest: componentCount)
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
