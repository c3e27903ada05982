import LinkMath
import Parts

/// Principal components, the discrete Karhunen-Loève transform: the best linear codec of M reals.
///
/// With x = [Re h, Im h] the real CSI vector of size N = 2 · taps · angles, its second-moment matrix is
/// `R = E[x xᵀ] = V Λ Vᵀ`, eigenvalues descending. The codeword is `s = V_M x` with the first M eigenvectors as rows, the
/// reconstruction `x̂ = V_Mᵀ s`. Without a quantiser the error energy averaged over the fitted drops is
/// `sum_{i>M} λ_i`, the floor of every linear codec of M reals. Nothing is subtracted: CSI has no mean.
///
/// Reference: I. T. Jolliffe, *Principal Component Analysis*, 2nd ed., 2002, ch. 2; link between error and eigenvalue
/// tail: Eckart and Young, Psychometrika 1 (1936) 211.
public struct PCACodec: CodewordCodec, Part {
  public static let schema = PartSchema(
    .codec, "pca",
    "Principal components (KLT) of the real angular-delay CSI: the best linear codec of M reals.",
    reference: "I. T. Jolliffe, Principal Component Analysis, 2nd ed., 2002",
    parameters: [CodewordSize.compression.declaration, CodewordSize.length.declaration]
      + FitParameters.declarations)

  private let taps: Int
  private let angles: Int
  /// V_M [component, real], transposed for encoding and as it is for decoding.
  private let analysis, synthesis: PackedMatrix

  /// A codec of the `vectors` [component, real] that ``fitting(_:in:)`` learned, at least M.
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    (taps, angles) = (context.tapCount, context.portCount)
    precondition(taps > 0 && angles > 0, "a codec is made after the transform")
    let size = 2 * taps * angles
    let length = try CodewordSize.read(settings, realCount: size)
    let stored = try fitted.array("vectors", shape: [nil, size], for: settings.part)
    guard stored[dimension: 0] >= length else {
      throw FittingError(
        part: settings.part,
        reason: "the artefact holds \(stored[dimension: 0]) eigenvectors, \(length) are needed")
    }
    let vectors = stored.slice(0..<length)
    analysis = PackedMatrix(vectors, transposed: true)
    synthesis = PackedMatrix(vectors)
  }

  public var codewordLength: Int { synthesis.rowCount }
  public var memoryBytes: (shared: Int, perThread: Int) {
    (analysis.memoryBytes + synthesis.memoryBytes, 0)
  }

  /// - Complexity: 2 M N floating-point operations for each drop.
  public func encode(_ csi: ComplexArray) -> Codeword {
    csi.requireShape([nil, taps, angles], "[drop, delay, angle]")
    return Codeword(values: analysis.multiply(RealPlanes.split(csi)))
  }

  public func decode(_ codeword: Codeword) -> ComplexArray {
    codeword.values.requireShape([nil, codewordLength], "[drop, M]")
    let rows = synthesis.multiply(codeword.values)
    return RealPlanes.merge(rows, taps: taps, angles: angles)
  }
}
