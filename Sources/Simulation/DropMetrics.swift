/// What is kept of one drop at one operating point: a few doubles, averaged over the slots of the drop.
///
/// A drop whose true channel has no energy in the kept rows or in the band has NaN in every entry; it is counted and left
/// out of the means.
public enum DropMetric: Int, CaseIterable, Sendable {
  /// ‖H − Ĥ‖² / ‖H‖² of the UE's estimate, all tones, in the measured slots.
  case estimateRatio
  /// ‖A − Â‖² / ‖A‖² of the reconstruction in the truncated angular-delay domain, in the measured slots.
  case errorRatio
  /// The numerator and the denominator of ``errorRatio``, summed over slots.
  case errorEnergy, referenceEnergy
  /// ‖H − Ĥ‖² / ‖H‖² of the reconstruction, all tones, in the slots that use it; NaN if the BS does not know the gain.
  case fullRatio
  /// Mean over tones of |⟨h, ĥ⟩| / (‖h‖ ‖ĥ‖), and of its square.
  case cosineSimilarity, squaredCosineSimilarity
  /// Mean over tones of |H w|² over the mean of |H|² over tones and ports.
  case beamformingGain
  /// Mean over tones of |H w|² / ‖H‖².
  case gainFraction
  /// Mean over tones of log2(1 + SNR |H w|²), and with ‖H‖² for |H w|².
  case rate, perfectRate
  /// Bits of the payloads that arrived wrong, and quantised values outside their range, summed over reports.
  case bitErrors, clippedValues
  /// Bits of the payloads, and reports that the feedback link lost, summed over reports.
  case sentBits, lostReports
  /// Share of ‖H‖² outside the kept delay rows, of the true channel in the measured slots.
  case truncationRatio

  /// The metrics that are averaged over the reports.
  static let ofReports: [DropMetric] = [.estimateRatio, .errorRatio, .truncationRatio]
}

/// A number of a drop that is not finite although its channel has energy: what a stage gave is out of range.
public struct MetricError: Error, Sendable, CustomStringConvertible {
  /// Which number it is.
  public let metric: DropMetric
  /// Its value.
  public let value: Double
  /// Number of the drop.
  public let drop: Int
  /// Swept values of the operating point.
  public let point: [String?]

  /// Drop, point and a hint as a terminal shows them.
  public var description: String {
    let place = point.compactMap { $0 }.joined(separator: ", ")
    return "drop \(drop)\(place.isEmpty ? "" : " of point \(place)"): \(metric) is \(value)\n"
      + "  hint: a stage gives numbers beyond single precision; look for huge powers, gains or ranges"
  }
}

/// The metrics of a block: every operating point, every drop, in that order.
public struct BlockMetrics: Sendable, Equatable {
  /// Operating points.
  public let pointCount: Int
  /// Drops of the block.
  public let dropCount: Int
  /// [point, drop, metric]
  public private(set) var values: [Double]

  /// All zero.
  public init(pointCount: Int, dropCount: Int) {
    self.pointCount = pointCount
    self.dropCount = dropCount
    values = [Double](repeating: 0, count: pointCount * dropCount * DropMetric.allCases.count)
  }

  /// - Returns: nil if the number of values does not fit.
  init?(pointCount: Int, dropCount: Int, values: [Double]) {
    self.init(pointCount: pointCount, dropCount: dropCount)
    guard values.count == self.values.count else { return nil }
    self.values = values
  }

  /// The number of one drop at one point, counted within the block.
  public subscript(point: Int, drop: Int, metric: DropMetric) -> Double {
    get { values[offset(point, drop) + metric.rawValue] }
    set { values[offset(point, drop) + metric.rawValue] = newValue }
  }

  private func offset(_ point: Int, _ drop: Int) -> Int {
    (point * dropCount + drop) * DropMetric.allCases.count
  }
}
