import ComplexModule
import Foundation
import LinkMath

/// Everything random about a cell that all drops of a run share (after TR 38.901 clause 7.6.3.1).
///
/// The channel is a smooth function of the UE's position within a state: large-scale parameters, delays, cluster powers, jitters
/// and signs are fields; ray phases and XPR are blended between the corners of a lattice, where each ray is a plane wave
/// over the UE's surroundings. Coupling of rays is fixed for the environment.
struct SharedEnvironment: Sendable {
  /// What belongs to one state.
  struct State: Sendable {
    /// One object for each large-scale parameter.
    fileprivate let largeScale: [RandomFields]
    /// Delays, shadows, jitters and signs of the clusters: 1 + 1 + 4 + 4 for each.
    fileprivate let clusters: RandomFields
    let lattice: Lattice
    let coupling: RayCoupling
  }

  /// Signs turn over this many standard deviations of their field, and not at once.
  private static let signWidth = 0.05

  /// Fields with the exponential autocorrelation are not differentiable: departure angles would jitter within millimetres. Waves
  /// shorter than `2π distance / sharpness` are left out.
  private static let largeScaleSharpness = 16.0
  private static let clusterSharpness = 8.0

  private let lineOfSight: RandomFields
  private let states: [State?]

  init(
    seed: UInt64, scenario: TR38901Scenario, states: [(table: TR38901Table, isLineOfSight: Bool)]
  ) {
    func stream(_ instance: Int) -> RandomStream {
      StreamKey(seed: seed, domain: .run, purpose: .environment, instance: 64 + instance)
        .stream(drop: 0)
    }
    lineOfSight = RandomFields(count: 1, distance: scenario.stateDistance, stream(0))
    self.states = [false, true].map { isLineOfSight in
      guard let table = states.first(where: { $0.isLineOfSight == isLineOfSight })?.table
      else { return nil }
      let base = isLineOfSight ? 32 : 1
      let distance = scenario.clusterDistance(hasLineOfSight: isLineOfSight)
      return State(
        largeScale: table.distances.enumerated().map { i, distance in
          RandomFields(
            count: 1, distance: distance, sharpest: Self.largeScaleSharpness, stream(base + i))
        },
        clusters: RandomFields(
          count: 10 * table.clusterCount, distance: distance, sharpest: Self.clusterSharpness,
          stream(base + 8)),
        lattice: Lattice(seed: seed, firstInstance: isLineOfSight ? 8 : 0, spacing: distance / 6),
        coupling: RayCoupling(
          clusterCount: table.clusterCount, withArrival: true, stream(base + 9)))
    }
  }

  subscript(hasLineOfSight: Bool) -> State { states[hasLineOfSight ? 1 : 0]! }

  /// Uniform in 0...1.
  func stateLevel(x: Double, y: Double) -> Double {
    Self.normalTail(lineOfSight.values(x: x, y: y)[0])
  }

  func variates(_ hasLineOfSight: Bool, x: Double, y: Double) -> ClusterVariates {
    let state = self[hasLineOfSight]
    let fields = state.clusters.values(x: x, y: y)
    let count = fields.count / 10
    // The least of N exponential delays, subtracted from all, leaves N - 1 independent exponential delays: one cluster is the first
    // one everywhere.
    return ClusterVariates(
      largeScale: state.largeScale.map { $0.values(x: x, y: y)[0] },
      delays: (0..<count).map { $0 == 0 ? 0 : -log(Self.normalTail(fields[$0])) },
      shadows: Array(fields[count..<2 * count]),
      jitters: Array(fields[2 * count..<6 * count]),
      signs: fields[6 * count..<10 * count].map { max(-1, min(1, $0 / Self.signWidth)) })
  }

  /// P(g > x) of a standard normal g.
  private static func normalTail(_ x: Double) -> Double { 0.5 * erfc(x / 2.0.squareRoot()) }
}

/// Which rays of the other angle kinds go with each departure azimuth (TR 38.901 clause 7.5, step 8); rays in the order of
/// ``RayOrder``, coupled within the sub-clusters or over the whole cluster.
struct RayCoupling: Sendable {
  /// Ray index within the cluster, [cluster, ray].
  private(set) var zod, aoa, zoa: [UInt8]

  /// Coupled within sub-clusters throughout, since any cluster may be one of the strongest somewhere.
  init(clusterCount: Int, withArrival: Bool, _ stream: RandomStream) {
    self.init(
      isSplit: Array(repeating: true, count: clusterCount), withArrival: withArrival, stream)
  }

  init(isSplit: [Bool], withArrival: Bool, _ stream: RandomStream) {
    var stream = stream
    let count = isSplit.count * RayOrder.count
    var words = [UInt32](unsafeUninitializedCapacity: 3 * count) { words, initialized in
      let used = withArrival ? 3 * count : count
      stream.fill(words: UnsafeMutableBufferPointer(rebasing: words[0..<used]))
      initialized = used
    }
    func permutations(_ words: ArraySlice<UInt32>) -> [UInt8] {
      [UInt8](unsafeUninitializedCapacity: count) { order, initialized in
        var start = 0
        for isSplit in isSplit {
          for range in isSplit ? RayOrder.subclusters : [0..<RayOrder.count] {
            for i in range { order[start + i] = UInt8(i) }
            // Fisher-Yates; a bias of 20 / 2^32.
            for i in range.dropFirst().reversed() {
              let reach = UInt64(i - range.lowerBound + 1)
              let j =
                range.lowerBound
                + Int(UInt64(words[words.startIndex + start + i]) * reach >> 32)
              order.swapAt(start + i, start + j)
            }
          }
          start += RayOrder.count
        }
        initialized = count
      }
    }
    zod = permutations(words[0..<count])
    aoa = withArrival ? permutations(words[count..<2 * count]) : []
    zoa = withArrival ? permutations(words[2 * count..<3 * count]) : []
    words.removeAll()
  }
}

/// Rays of a cluster in the order in which they are kept: sub-cluster by sub-cluster.
package enum RayOrder {
  /// Rays of a cluster.
  package static let count = 20
  /// Standard's ray number, counted from zero, by place.
  package static let rays = TR38901Table.subclusters.flatMap(\.rays)
  /// Places of the rays of the three sub-clusters.
  package static let subclusters = [0..<10, 10..<16, 16..<20]
  static let offsets = rays.map { CDLTable.rayOffsets[$0] }
}
