import ComplexModule
import LinkMath
import Parts
import RealModule

/// The Type I single-panel codebook of rank 1, mode 1: one wideband beam and a co-phase of the polarisations for each subband.
///
/// With N1 · N2 cross-polarised elements, oversampling O1 = 4 and O2 = 4 (1 if N2 = 1), the weights of a subband are
/// `w = [v_lm; φ_n v_lm] / sqrt(2 N1 N2)`, `v_lm[i N2 + k] = exp(j 2π (l i / N1 O1 + m k / N2 O2))`, `φ_n = j^n`. Ports are in the
/// standard's order: polarisation, then N1, then N2. The UE takes the beam with the largest sum over subbands of the best co-phase's
/// power `|g w|²`. A report has `ceil lg(N1 O1) + ceil lg(N2 O2) + 2 · subbands` bits: i11, i12, then i2 of every subband.
///
/// Reference: 3GPP TS 38.214 V17, clause 5.2.2.2.1, table 5.2.2.2.1-5.
public struct TypeISinglePanel: Reporting, Part {
  static let columns = Parameter<Int?>.optional(
    "n1", .integer(1...64),
    "Elements N1 in the first dimension; half the ports over n2 if left out.")
  static let rows = Parameter.integer(
    "n2", default: 1, in: 1...64, "Elements N2 in the second dimension.")

  public static let schema = PartSchema(
    .codec, "type1", "3GPP Type I single-panel codebook, rank 1, subband co-phases.",
    reference: "TS 38.214 clause 5.2.2.2.1",
    parameters: [columns.declaration, rows.declaration])

  private let bandCount: Int
  private let portCount: Int
  /// Beams in each dimension, N1 O1 and N2 O2.
  private let beamCounts: (first: Int, second: Int)
  /// v [beam l · N2 O2 + m, element].
  private let beams: [[ComplexFloat]]

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    (bandCount, portCount) = (context.tapCount, context.portCount)
    guard context.csiForm == .subbandDirections else {
      throw SettingsError(
        part: settings.part, key: "", reason: "needs the direction of each subband",
        hint: "write 'transform: subband_eigenvectors'")
    }
    let second = settings[Self.rows]
    let first = settings[Self.columns] ?? portCount / 2 / second
    guard 2 * first * second == portCount else {
      throw SettingsError(
        part: settings.part, key: Self.columns.key,
        reason: "times n2 must be half the \(portCount) ports, got \(first) · \(second)",
        hint: "the ports are two polarisations of n1 · n2 elements")
    }
    let counts = (first: 4 * first, second: second > 1 ? 4 * second : 1)
    beamCounts = counts
    beams = (0..<counts.first * counts.second).map { beam in
      let (l, m) = (beam / counts.second, beam % counts.second)
      return (0..<first * second).map { element in
        let turns =
          Double(l * (element / second)) / Double(counts.first)
          + Double(m * (element % second)) / Double(counts.second)
        return ComplexFloat(
          Float(.cos(2 * .pi * turns)), Float(.sin(2 * .pi * turns)))
      }
    }
  }

  private var widths: (first: Int, second: Int) {
    (Self.width(beamCounts.first), Self.width(beamCounts.second))
  }

  /// ceil lg.
  private static func width(_ count: Int) -> Int {
    Int.bitWidth - (count - 1).leadingZeroBitCount
  }

  public var size: ReportSize { .bits(widths.first + widths.second + 2 * bandCount) }
  public var givesDirections: Bool { true }

  public func makeUE(drops: Int) -> any UESide { UE(codebook: self) }
  public func makeBS(drops: Int) -> any BSSide { BS(codebook: self) }

  private struct UE: UESide {
    let codebook: TypeISinglePanel

    func report(_ measurement: Measurement, slot: Int, acknowledged: [Bool]) -> [Report] {
      measurement.csi.requireShape(
        [nil, codebook.bandCount, codebook.portCount], "[drop, subband, port]")
      return measurement.csi.withUnsafeElements { csi in
        let size = codebook.bandCount * codebook.portCount
        return (0..<csi.count / size).map { drop in
          codebook.report(UnsafeBufferPointer(rebasing: csi[drop * size..<(drop + 1) * size]))
        }
      }
    }
  }

  /// The search, over [subband, port].
  ///
  /// - Complexity: O(beams · subbands · ports).
  private func report(_ csi: UnsafeBufferPointer<ComplexFloat>) -> Report {
    // What is reported of CSI that is not finite, which no beam fits.
    var best = (
      beam: 0, power: -Float.infinity, phases: [UInt32](repeating: 0, count: bandCount)
    )
    for (index, beam) in beams.enumerated() {
      var phases: [UInt32] = []
      var power: Float = 0
      for band in 0..<bandCount {
        var sums = (ComplexFloat.zero, ComplexFloat.zero)
        let first = band * portCount
        for (element, weight) in beam.enumerated() {
          sums.0 += csi[first + element] * weight
          sums.1 += csi[first + beam.count + element] * weight
        }
        // |a + φ b|² is largest for the φ nearest to the phase of a b*.
        let cross = sums.0 * sums.1.conjugate
        // Re(φ* a b*) for φ = 1, j, -1, -j.
        let gains = [cross.real, cross.imaginary, -cross.real, -cross.imaginary]
        let n = gains.indices.max { gains[$0] < gains[$1] }!
        phases.append(UInt32(n))
        power += sums.0.lengthSquared + sums.1.lengthSquared + 2 * gains[n]
      }
      if power > best.power { best = (index, power, phases) }
    }
    var bits = BitString()
    bits.append(UInt32(best.beam / beamCounts.second), width: widths.first)
    bits.append(UInt32(best.beam % beamCounts.second), width: widths.second)
    for phase in best.phases { bits.append(phase, width: 2) }
    let wideband = widths.first + widths.second
    return Report(
      bits: bits,
      fields: [.init("i1", 0..<wideband), .init("i2", wideband..<wideband + 2 * bandCount)])
  }

  private struct BS: BSSide {
    let codebook: TypeISinglePanel

    func receive(_ arrived: [Delivery], slot: Int) -> Reconstruction {
      let size = codebook.bandCount * codebook.portCount
      var csi = ComplexArray(
        repeating: .zero, shape: [arrived.count, codebook.bandCount, codebook.portCount])
      csi.withUnsafeMutableElements { csi in
        for (drop, delivery) in arrived.enumerated() {
          guard case .bits(let bits, _) = delivery else { continue }
          codebook.read(
            bits, into: UnsafeMutableBufferPointer(rebasing: csi[drop * size..<(drop + 1) * size]))
        }
      }
      return Reconstruction(csi: csi)
    }
  }

  /// Rows g = wᴴ [subband, port]; indices beyond the last beam wrap.
  private func read(_ bits: BitString, into csi: UnsafeMutableBufferPointer<ComplexFloat>) {
    var reader = BitReader(bits)
    let l = Int(reader.read(widths.first)) % beamCounts.first
    let m = Int(reader.read(widths.second)) % beamCounts.second
    let beam = beams[l * beamCounts.second + m]
    let scale = 1 / Float(portCount).squareRoot()
    let phases = [ComplexFloat(1), ComplexFloat(0, 1), ComplexFloat(-1), ComplexFloat(0, -1)]
    for band in 0..<bandCount {
      let phase = phases[Int(reader.read(2))]
      for (element, weight) in beam.enumerated() {
        csi[band * portCount + element] = weight.conjugate * ComplexFloat(scale)
        csi[band * portCount + beam.count + element] =
          (phase * weight).conjugate * ComplexFloat(scale)
      }
    }
  }
}
