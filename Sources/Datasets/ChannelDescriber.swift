import ComplexModule
import Foundation
import LinkMath

/// Collects the figures of matrices given block by block; memory does not grow with their number.
///
/// Drops are worked on in parallel and folded in their order, so the result does not depend on the number of threads.
public final class ChannelDescriber {
  private let shape: ChannelShape
  private let pool: WorkerPool
  private var pca: PCACurveFitter?
  private let sampleCount: Int

  private var dropCount = 0
  private var silentCount = 0
  private var energy = Distribution()
  private var peak = Distribution()
  private var captured = Distribution()
  private var delaySpread = Distribution()
  private var angleSpread = Distribution()
  private var portSpread = Distribution()
  private var kFactorDB = Distribution()
  private var kFactorless = 0
  private var coefficients = [Distribution(), Distribution(), Distribution()]
  private var rows90 = Distribution()
  private var columns90 = Distribution()
  private var map: [Double]
  private var samples: [[Float]] = []

  /// - Parameters:
  ///   - shape: how the matrices lie on delay and angle, or on tones and ports.
  ///   - dropCount: drops that will be given, for the division of the PCA.
  ///   - pcaLimit: drops that the PCA is fitted on at most, and as many that it is tested on; 0 for none.
  ///   - samples: drops whose moduli are kept for pictures.
  ///   - pool: threads that the drops are worked on with.
  public init(
    _ shape: ChannelShape, dropCount: Int, pcaLimit: Int, samples: Int = 4, pool: WorkerPool
  ) {
    self.shape = shape
    self.pool = pool
    sampleCount = samples
    map = [Double](repeating: 0, count: shape.taps * shape.columns)
    pca = PCACurveFitter(
      size: 2 * shape.taps * shape.columns, dropCount: dropCount, limit: pcaLimit)
  }

  /// Adds matrices [drop, row, column] in the order of the drops.
  ///
  /// - Throws: if LAPACK cannot decompose the second moment of the PCA.
  public func add(_ matrices: ComplexArray) throws {
    matrices.requireShape([nil, shape.rows, shape.columns], "[drop, row, column]")
    let drops = matrices.shape[0]
    let (shape, transform) = (shape, shape.transform)
    let found = pool.map(drops) { drop, _ in
      let one = matrices.slice(drop..<drop + 1)
      let isDelay = shape.domain == .delay
      let kept = isDelay ? one : transform.forward(one)
      let response = isDelay ? transform.inverse(one) : one
      let figures = kept.withUnsafeElements { kept in
        response.withUnsafeElements { DropFigures(bins: kept, response: $0, shape) }
      }
      return (figures: figures, bins: kept)
    }
    for drop in found { fold(drop.figures) }
    try pca?.add(.concatenated(found.map(\.bins)))
  }

  private func fold(_ drop: DropFigures) {
    dropCount += 1
    guard drop.energy > 0, drop.keptEnergy > 0 else {
      silentCount += 1
      return
    }
    energy.add(drop.energy)
    peak.add(Double(drop.peak))
    captured.add(drop.keptEnergy / drop.energy)
    if let value = drop.delaySpread { delaySpread.add(value) }
    if let value = drop.angleSpread { angleSpread.add(value) }
    if let value = drop.portSpread { portSpread.add(value) }
    if let value = drop.kFactor, value > 0 {
      kFactorDB.add(10 * log10(value))
    } else {
      kFactorless += 1
    }
    for index in coefficients.indices {
      coefficients[index].add(Double(drop.coefficients[index]))
    }
    rows90.add(Double(drop.rows90))
    columns90.add(Double(drop.columns90))
    for index in map.indices { map[index] += Double(drop.map[index]) / drop.keptEnergy }
    if samples.count < sampleCount { samples.append(drop.map.map { $0.squareRoot() }) }
  }

  /// The figures; nil without a drop that has energy.
  public func finish() -> ChannelDescription? {
    let count = Double(dropCount - silentCount)
    guard count > 0, let energy = energy.summary, let peak = peak.summary else { return nil }
    let columns = shape.columns
    let mean = map.map { $0 / count }
    var rowEnergy = [Double](repeating: 0, count: shape.taps)
    var columnEnergy = [Double](repeating: 0, count: columns)
    for (index, value) in mean.enumerated() {
      rowEnergy[index / columns] += value
      columnEnergy[index % columns] += value
    }
    let size = Double(shape.rows * columns)
    return ChannelDescription(
      domain: shape.domain, rows: shape.rows, columns: columns, taps: shape.taps,
      guardRows: shape.guardRows, rowSeconds: shape.rowSeconds, drops: dropCount,
      silentDrops: silentCount, energy: energy, peak: peak,
      rootMeanSquare: (energy.mean / size).squareRoot(),
      normalisation: Self.normalisation(energy, peak),
      capturedEnergy: shape.domain == .frequency ? captured.summary : nil,
      delaySpreadRows: delaySpread.summary,
      delaySpreadSeconds: shape.rowSeconds.flatMap { delaySpread.summary?.scaled(by: $0) },
      angleSpreadDegrees: angleSpread.summary, portPhaseSpreadDegrees: portSpread.summary,
      kFactorDb: kFactorDB.summary, dropsWithoutKFactor: kFactorless,
      coefficients90: coefficients[0].summary!, coefficients95: coefficients[1].summary!,
      coefficients99: coefficients[2].summary!, rows90: rows90.summary!,
      columns90: columns90.summary!, rowEnergy: rowEnergy, columnEnergy: columnEnergy,
      pca: pca?.finish(), meanMap: mean, samples: samples)
  }

  /// What all drops have in common.
  private static func normalisation(_ energy: Summary, _ peak: Summary) -> String {
    let isConstant = { (figure: Summary) in
      figure.maximum - figure.minimum <= 1e-3 * figure.maximum
    }
    if energy.count < 2 { return "one drop" }
    if isConstant(energy) { return "every drop has the same energy" }
    if isConstant(peak) { return "every drop has the same largest modulus" }
    return "drops differ in energy and largest modulus"
  }
}
