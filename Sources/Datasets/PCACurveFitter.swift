import Codecs
import LinkMath

/// Fits principal components on the first drops and measures on later ones what m of them lose.
///
/// Components are eigenvectors of the second moment of the stacked real and imaginary parts, without removing a mean, as
/// codec `pca` does. The drops are divided 4 : 1; at most `limit` are fitted on and as many tested.
struct PCACurveFitter {
  /// Larger matrices take too long to decompose.
  static let largestSize = 4096

  let size: Int
  private let fitCount: Int
  private let testLimit: Int
  private var fitter: SecondMomentFitter?
  private var vectors: RealArray?
  private var fitted = 0
  private var hasEnergy = false
  private var tested = 0
  private let components: [Int]
  private var lost: [Double]

  /// Nil if there are too few drops, too large matrices, or none are wanted.
  init?(size: Int, dropCount: Int, limit: Int) {
    fitCount = min(dropCount * 4 / 5, limit)
    guard fitCount >= 2, size <= Self.largestSize else { return nil }
    self.size = size
    testLimit = limit
    let most = min(size / 2, fitCount)
    components = (0...).lazy.map { 1 << $0 }.prefix { $0 <= most }.map { $0 }
    lost = [Double](repeating: 0, count: components.count)
    fitter = SecondMomentFitter(
      part: "pca", size: size, componentCount: components.last!)
  }

  /// Adds matrices [drop, delay, angle].
  mutating func add(_ bins: ComplexArray) throws {
    var rest = bins
    if fitted < fitCount {
      let count = min(fitCount - fitted, bins.shape[0])
      let part = bins.slice(0..<count)
      fitter!.add(.csi(part))
      fitted += count
      hasEnergy = hasEnergy || part.elements.contains { $0 != .zero }
      guard fitted == fitCount else { return }
      // Silent drops have no components.
      guard hasEnergy else {
        fitter = nil
        return
      }
      vectors = try fitter!.finish().arrays["vectors"]!
      fitter = nil
      rest = bins.slice(count..<bins.shape[0])
    }
    let count = vectors == nil ? 0 : min(rest.shape[0], testLimit - tested)
    if count > 0 { test(RealPlanes.split(rest.slice(0..<count))) }
  }

  /// Adds the lost shares of rows [drop, real].
  private mutating func test(_ rows: RealArray) {
    let (count, most) = (rows.shape[0], components.last!)
    var codes = RealArray(uninitialized: [count, most])
    rows.withUnsafeElements { rows in
      vectors!.withUnsafeElements { vectors in
        codes.withUnsafeMutableElements { codes in
          MatrixProduct.multiply(
            m: count, n: most, k: size, rows.baseAddress!, lda: size, .none, vectors.baseAddress!,
            ldb: size, .transpose, into: codes.baseAddress!, ldc: most)
        }
      }
    }
    rows.withUnsafeElements { rows in
      codes.withUnsafeElements { codes in
        for drop in 0..<count {
          let energy = rows[drop * size..<(drop + 1) * size].reduce(0.0) {
            $0 + Double($1) * Double($1)
          }
          guard energy > 0 else { continue }
          tested += 1
          var (kept, done) = (0.0, 0)
          for (index, number) in components.enumerated() {
            for code in codes[drop * most + done..<drop * most + number] {
              kept += Double(code) * Double(code)
            }
            done = number
            lost[index] += max(0, 1 - kept / energy)
          }
        }
      }
    }
  }

  /// Nil if no drop was left for the test, or those of the fit are without energy.
  func finish() -> PCACurve? {
    guard tested > 0 else { return nil }
    return PCACurve(
      fittedDrops: fitted, testedDrops: tested,
      points: zip(components, lost).map {
        // Single precision of the codes: less is rounding.
        .init(components: $0, nmseDb: max(-80, decibels($1 / Double(tested))))
      })
  }
}
