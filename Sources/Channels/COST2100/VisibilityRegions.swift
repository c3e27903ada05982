import Foundation
import LinkMath

/// Visibility regions and the clusters that a UE sees through them.
///
/// N = round(n_far R² / (r_c - l_c)²) discs of radius r_c lie uniformly in the cell. Regions share clusters: a region
/// without a cluster opens one, which Poisson(m) further free regions join; one of them, at random, is the cluster's
/// reference. A cluster is active if the UE is within one of its regions.
///
/// Regions are independent and alike, so the joiners may as well be the next ones, and only active regions and reference
/// regions need a position: regions over the disc of radius r_c around the UE are found by skipping a geometric number
/// of others, and one beyond the cell's border counts as not active. The distribution is that of drawing all regions.
///
/// Reference: L. Liu et al., "The COST 2100 MIMO channel model", IEEE Wireless Commun. 19(6), 2012.
struct VisibilityRegions: Sendable {
  /// A cluster that the UE sees.
  struct ActiveCluster {
    /// Centre of its reference region relative to the BS, in metres.
    var reference: SIMD2<Double>
    /// Amplitude A of the transition into the region.
    var gain: Double
  }

  private let cellRadius, regionRadius, transition, wavelength: Double
  private let regionsPerFarCluster, farClusters: Double
  /// Law of n_far if it is drawn.
  private let drawnFarClusters: PoissonTable?
  private let joining: PoissonTable?
  /// `1 / log(1 - p)`, p being the share of the cell within reach of the UE.
  private let skipScale: Double

  init(_ parameters: COST2100Parameters, wavelength: Double) {
    cellRadius = parameters.cellRadius
    regionRadius = parameters.regionRadius
    transition = parameters.transition
    self.wavelength = wavelength
    regionsPerFarCluster = parameters.regionsPerFarCluster
    farClusters = parameters.farClusters
    drawnFarClusters =
      parameters.drawsFarClusters ? PoissonTable(mean: parameters.farClusters) : nil
    joining = parameters.sharedRegions > 0 ? PoissonTable(mean: parameters.sharedRegions) : nil
    skipScale = 1 / log1p(-(regionRadius / cellRadius).squared)
  }

  /// The active clusters of one snapshot; may be none.
  ///
  /// - Parameter ue: position relative to the BS, within the cell.
  /// - Complexity: O(N / (1 + m)) for m > 0, O(active regions) otherwise.
  func draw(around ue: SIMD2<Double>, using stream: inout RandomStream) -> [ActiveCluster] {
    let far = drawnFarClusters.map { Double(max(1, $0.draw(&stream))) } ?? farClusters
    let count = Int((far * regionsPerFarCluster).rounded())
    var clusters: [ActiveCluster] = []
    var members = 0..<0
    var active: [(region: Int, centre: SIMD2<Double>)] = []
    var region = skip(&stream)
    while region < count {
      let centre = ue + Self.inDisc(regionRadius, &stream)
      if (centre * centre).sum() < cellRadius.squared {
        if region >= members.upperBound {
          close(members, &active, around: ue, into: &clusters, &stream)
          members = cluster(of: region, after: members.upperBound, count: count, &stream)
        }
        active.append((region, centre))
      }
      region += 1 + skip(&stream)
    }
    close(members, &active, around: ue, into: &clusters, &stream)
    return clusters
  }

  /// Regions passed over before the next one within reach.
  private func skip(_ stream: inout RandomStream) -> Int {
    // At most 37 / p regions, p being at least 1e-12.
    Int(min(log1p(-stream.uniform()) * skipScale, 1e15))
  }

  /// The regions of the cluster that `region` belongs to; clusters are walked from `start` on.
  private func cluster(
    of region: Int, after start: Int, count: Int, _ stream: inout RandomStream
  ) -> Range<Int> {
    guard let joining else { return region..<region + 1 }
    var (start, end) = (start, start)
    while end <= region {
      start = end
      end = start + 1 + joining.draw(&stream)
    }
    return start..<min(end, count)
  }

  /// Adds the cluster whose active regions were gathered.
  private func close(
    _ members: Range<Int>, _ active: inout [(region: Int, centre: SIMD2<Double>)],
    around ue: SIMD2<Double>, into clusters: inout [ActiveCluster], _ stream: inout RandomStream
  ) {
    guard !active.isEmpty else { return }
    let gain = active.map { transitionGain(length($0.centre - ue)) }.max()!
    let reference =
      members.count == 1
      ? members.lowerBound : members.lowerBound + stream.uniform(below: members.count)
    let centre = active.first { $0.region == reference }?.centre ?? outOfReach(of: ue, &stream)
    clusters.append(ActiveCluster(reference: centre, gain: gain))
    active.removeAll(keepingCapacity: true)
  }

  /// `1/2 - atan(2√2 (d - r_c + l_c) / √(λ l_c)) / π`.
  private func transitionGain(_ distance: Double) -> Double {
    let depth = distance - regionRadius + transition
    return 0.5 - atan(2 * 2.0.squareRoot() * depth / (wavelength * transition).squareRoot()) / .pi
  }

  /// The centre of a region that is not active.
  private func outOfReach(of ue: SIMD2<Double>, _ stream: inout RandomStream) -> SIMD2<Double> {
    while true {
      let centre = Self.inDisc(cellRadius, &stream)
      if length(centre - ue) >= regionRadius { return centre }
    }
  }

  private static func inDisc(_ radius: Double, _ stream: inout RandomStream) -> SIMD2<Double> {
    let distance = radius * stream.uniform().squareRoot()
    let direction = stream.direction()
    return distance * direction
  }
}

/// Poisson numbers by inversion of the cumulative distribution.
struct PoissonTable: Sendable {
  /// P(X <= k) by k.
  private let cumulative: [Double]

  init(mean: Double) {
    // Beyond this many the rest is far below the 2^-53 of a uniform number.
    let last = Int(mean + 12 * mean.squareRoot() + 30)
    var sum = 0.0
    cumulative = (0...last).map { k in
      sum += exp(Double(k) * log(mean) - mean - lgamma(Double(k + 1)))
      return sum
    }
  }

  func draw(_ stream: inout RandomStream) -> Int {
    let u = stream.uniform()
    return cumulative.firstIndex { u < $0 } ?? cumulative.count
  }
}

func length(_ vector: SIMD2<Double>) -> Double { (vector * vector).sum().squareRoot() }
func length(_ vector: SIMD3<Double>) -> Double { (vector * vector).sum().squareRoot() }
