import ComplexModule
import LinkMath
import Parts

/// Random vector quantisation: the direction of each subband is reported as the nearest of 2^B random unit vectors.
///
/// The vectors are isotropic and drawn from the scenario's seed, others for each subband, the same for all drops and users. For
/// isotropic channels the mean over codebooks of `sin² = 1 - |⟨h, c⟩|² / ‖h‖²` is `2^B Beta(2^B, N / (N - 1))` at N ports.
///
/// Reference: C. K. Au-Yeung, D. J. Love, IEEE Trans. Wireless Commun. 6 (2007) 458, doi:10.1109/TWC.2007.05351; N. Jindal, IEEE
/// Trans. Inf. Theory 52 (2006) 5045, doi:10.1109/TIT.2006.883550.
public struct RandomCodebook: Reporting, Part {
  static let bits = Parameter.integer(
    "bits", default: 8, in: 1...12, "Bits B of a subband: one of 2^B directions.")

  public static let schema = PartSchema(
    .codec, "rvq", "Random vector quantisation of the direction of each subband.",
    reference: "C. K. Au-Yeung, D. J. Love, IEEE Trans. Wireless Commun. 6 (2007) 458",
    parameters: [bits.declaration])

  private let bits: Int
  private let bandCount: Int
  private let portCount: Int
  /// Unit vectors [subband, word, port].
  private let words: ComplexArray

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    guard context.csiForm == .subbandDirections else {
      throw SettingsError(
        part: settings.part, key: "", reason: "needs the direction of each subband",
        hint: "write 'transform: subband_eigenvectors'")
    }
    bits = settings[Self.bits]
    (bandCount, portCount) = (context.tapCount, context.portCount)
    var stream = StreamKey(seed: context.seed, domain: .initialisation, purpose: .selection)
      .stream(drop: 0)
    let normal = stream.normal(count: 2 * (bandCount << bits) * portCount)
    words = Self.unitVectors(normal, ports: portCount).reshaped([bandCount, 1 << bits, portCount])
  }

  /// Rows of norm one from real and imaginary parts, [row, port].
  private static func unitVectors(_ normal: [Float], ports: Int) -> ComplexArray {
    var rows = ComplexArray(uninitialized: [normal.count / 2 / ports, ports])
    rows.withUnsafeMutableElements { rows in
      for first in stride(from: 0, to: rows.count, by: ports) {
        let values = normal[2 * first..<2 * (first + ports)]
        let scale = 1 / values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        for i in first..<first + ports {
          rows[i] = ComplexFloat(scale * normal[2 * i], scale * normal[2 * i + 1])
        }
      }
    }
    return rows
  }

  public var size: ReportSize { .bits(bits * bandCount) }
  public var givesDirections: Bool { true }

  public func makeUE(drops: Int) -> any UESide { UE(codebook: self) }
  public func makeBS(drops: Int) -> any BSSide { BS(codebook: self) }

  private struct UE: UESide {
    let codebook: RandomCodebook

    func report(_ measurement: Measurement, slot: Int, acknowledged: [Bool]) -> [Report] {
      measurement.csi.requireShape(
        [nil, codebook.bandCount, codebook.portCount], "[drop, subband, port]")
      return (0..<measurement.csi[dimension: 0]).map { drop in
        var report = Report(bits: BitString())
        for band in 0..<codebook.bandCount {
          let row = (drop * codebook.bandCount + band) * codebook.portCount
          report.bits.append(
            UInt32(codebook.nearest(measurement.csi, row, band: band)), width: codebook.bits)
        }
        return report
      }
    }
  }

  /// The word with the largest `|⟨h, c⟩|`.
  ///
  /// - Complexity: O(2^B · ports).
  private func nearest(_ csi: ComplexArray, _ first: Int, band: Int) -> Int {
    var best = (word: 0, power: -Float.infinity)
    csi.withUnsafeElements { csi in
      words.withUnsafeElements { words in
        for word in 0..<1 << bits {
          let row = ((band << bits) + word) * portCount
          var product = ComplexFloat.zero
          for port in 0..<portCount { product += csi[first + port] * words[row + port].conjugate }
          if product.lengthSquared > best.power { best = (word, product.lengthSquared) }
        }
      }
    }
    return best.word
  }

  private struct BS: BSSide {
    let codebook: RandomCodebook

    func receive(_ arrived: [Delivery], slot: Int) -> Reconstruction {
      let (bands, ports) = (codebook.bandCount, codebook.portCount)
      var csi = ComplexArray(repeating: .zero, shape: [arrived.count, bands, ports])
      csi.withUnsafeMutableElements { csi in
        codebook.words.withUnsafeElements { words in
          for (drop, delivery) in arrived.enumerated() {
            guard case .bits(let bits, _) = delivery else { continue }
            var reader = BitReader(bits)
            for band in 0..<bands {
              let word = (band << codebook.bits) + Int(reader.read(codebook.bits))
              for port in 0..<ports {
                csi[(drop * bands + band) * ports + port] = words[word * ports + port]
              }
            }
          }
        }
      }
      return Reconstruction(csi: csi)
    }
  }
}
