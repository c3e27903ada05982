import ComplexModule
import LinkMath
import Parts

/// The dominant direction of each subband: what codebooks and most learned CSI feedback of 5G quantise.
///
/// With one UE antenna the row g of a subband is `vᴴ` of the largest eigenvector v of `sum_n H[n]ᴴ H[n]`, of unit norm, its
/// first port real and not negative. All tones of a subband get its row back, so neither the channel's scale nor its phase
/// over the band is told.
///
/// Reference: TS 38.214 clause 5.2.1.4 for subbands.
public struct SubbandEigenvectors: CSITransform, Part {
  static let size = Parameter.integer(
    "subband_tones", default: 48, in: 1...65536,
    "Tones of a subband (4 resource blocks have 48); the last one may be smaller.")

  public static let schema = PartSchema(
    .transform, "subband_eigenvectors", "The dominant eigenvector of each subband.",
    reference: "TS 38.214 clause 5.2.1.4", parameters: [size.declaration])

  public let rowCount: Int
  public var form: LinkContext.CSIForm { .subbandDirections }
  private let size: Int
  private let toneCount: Int

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) {
    size = settings[Self.size]
    toneCount = context.grid.toneCount
    rowCount = (toneCount + size - 1) / size
  }

  /// - Complexity: O(drops · (tones · ports² + bands · ports³)).
  public func forward(_ response: ComplexArray) throws -> ComplexArray {
    var rows = try dominantDirections(response, size: size)
    let ports = rows[dimension: 2]
    rows.withUnsafeMutableElements { rows in
      for first in stride(from: 0, to: rows.count, by: ports) {
        let lead = rows[first]
        guard lead.length > 0 else { continue }
        let turn = lead.conjugate / ComplexFloat(lead.length)
        for i in first..<first + ports { rows[i] *= turn }
      }
    }
    return rows
  }

  public func inverse(_ csi: ComplexArray) -> ComplexArray {
    repeatRows(csi, size: size, tones: toneCount)
  }
}
