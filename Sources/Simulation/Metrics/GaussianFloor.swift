import Codecs
import Foundation
import LinkMath
import Parts

extension Column {
  /// The error of ideal coding of Gaussian CSI at the bits of a report.
  public static let gaussianFloorDB = number(
    "nmse_gaussian_floor_db", unit: "dB",
    "Ratio of mean energies that ideal coding in payload_bits leaves of Gaussian CSI with the second moments of fitted drops; CSI that is not Gaussian may do better. Empty without bits.",
    label: "ideal coding of Gaussian CSI"
  ) { fold in
    guard let variances = fold.constants.inputVariances, let bits = fold.meanPayloadBits else {
      return nil
    }
    let energy = variances.reduce(0, +)
    return decibels(
      GaussianRateDistortion.distortion(variances: variances, bits: bits) / energy)
  }
}

/// The floor of ideal coding.
public struct GaussianFloor: Metric {
  public static let schema = PartSchema(
    .metric, "gaussian_floor",
    "Column nmse_gaussian_floor_db: what ideal coding in the bits of a report leaves of Gaussian CSI.",
    reference: "T. M. Cover, J. A. Thomas, Elements of Information Theory (2006), section 10.3.3")
  public static let columns: [Column] = [.gaussianFloorDB]

  public init() {}
}

/// What bits can do for a Gaussian source.
public enum GaussianRateDistortion {
  /// The least sum of mean squared errors of independent Gaussian reals in so many bits: reverse water-filling,
  /// `D = sum of min(λ_i, θ)` with the level θ of `R = sum of max(0, log2(λ_i / θ)) / 2`.
  ///
  /// No code does better for Gaussian reals of these variances. Of all sources with the second moments, Gaussian ones are
  /// the hardest, so that codes for others may.
  ///
  /// Reference: T. M. Cover and J. A. Thomas, Elements of Information Theory, 2nd ed. (2006), section 10.3.3.
  ///
  /// - Parameters:
  ///   - variances: λ_i, in any order; negative ones, of round-off, count as zero.
  ///   - bits: R, not negative.
  /// - Complexity: O(n log n).
  public static func distortion(variances: [Double], bits: Double) -> Double {
    precondition(bits >= 0)
    let sorted = variances.filter { $0 > 0 }.sorted(by: >)
    var left = sorted.reduce(0, +)
    var least = left
    var logarithms = 0.0
    for (i, variance) in sorted.enumerated() {
      logarithms += log2(variance)
      left -= variance
      let count = Double(i + 1)
      let level = exp2((logarithms - 2 * bits) / count)
      // Reals below the level get no bits.
      guard level <= variance else { break }
      least = count * level + max(left, 0)
    }
    return least
  }
}

/// Learns the variances of the principal components of the CSI that a codec sees.
struct InputVariances {
  /// Larger matrices take too long to decompose.
  static let largestSize = 4096
  static let dropCount = 4000

  /// The variances of the reals behind a front end without a codec.
  ///
  /// - Throws: ``SettingsError`` for CSI of more than ``largestSize`` reals.
  static func learned(
    _ front: FrontEnd, _ context: LinkContext, _ report: Settings, _ store: FittingStore
  )
    throws -> [Double]
  {
    let size = 2 * context.tapCount * context.portCount
    guard size <= largestSize else {
      throw SettingsError(
        part: report.part, key: "columns",
        reason:
          "cannot hold \(Column.gaussianFloorDB.name) of \(size) reals, \(largestSize) are the most"
      )
    }
    let drops = min(dropCount, front.channel.dropCount(in: .fit) ?? dropCount)
    let count = min(size, drops)
    let fitting = Fitting(
      dropCount: drops, signature: "input variances \(count)", shapes: ["variances": [count]]
    ) {
      VarianceFitter(SecondMomentFitter(part: report.part, size: size, componentCount: count))
    }
    let artefact = try store.artefact(for: fitting, part: report, front)
    return artefact["variances"]!.elements.map { max(0, Double($0)) }
  }

  private struct VarianceFitter: Fitter {
    private var moments: SecondMomentFitter

    init(_ moments: SecondMomentFitter) { self.moments = moments }

    mutating func add(_ input: StageInput) { moments.add(input) }

    func finish() throws -> Artefact {
      Artefact(["variances": try moments.finish()["eigenvalues"]!])
    }
  }
}
