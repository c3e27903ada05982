import Channels
import DataFiles
import Foundation
import LinkMath
import Parts
import Testing

/// 32 tones in 70 MHz at 2.655 GHz.
let narrowGrid = LinkContext.Grid(toneCount: 32, spacingHz: 70e6 / 32, carrierHz: 2.655e9)

func makeTR38901(
  _ scenario: String, _ state: String, _ more: [String: Setting] = [:],
  grid: LinkContext.Grid = narrowGrid, speed: Double = 0, slotSeconds: Double = 1e-3,
  seed: UInt64 = 1
) throws -> TR38901Channel {
  let given = ["scenario": .text(scenario), "state": .text(state)].merging(more) { $1 }
  let context = LinkContext(grid: grid, slotSeconds: slotSeconds, speed: speed, seed: seed)
  return try TR38901Channel(TR38901Channel.schema.settings(given), in: context, fitted: nil)
}

/// An array of an .npz fixture in double precision, row-major, complex values interleaved.
struct FixtureArray {
  let shape: [Int]
  let values: [Double]

  init(_ file: String, _ name: String) throws {
    let array = try ArrayFile.read(
      fixtureFolder.appendingPathComponent(file).path, variable: name)
    shape = array.shape
    switch array.values {
    case .float(let values): self.values = values.map(Double.init)
    case .double(let values): self.values = values
    }
  }

  subscript(indices: Int...) -> Double { values[offset(indices)] }

  func complex(_ indices: Int...) -> (re: Double, im: Double) {
    (values[2 * offset(indices)], values[2 * offset(indices) + 1])
  }

  private func offset(_ indices: [Int]) -> Int {
    zip(indices, shape).reduce(0) { $0 * $1.1 + $1.0 }
  }
}

/// Spreads of a link computed back from its rays, the direct one included: delays in seconds, angles in degrees.
struct RealisedSpreads {
  let delay: Double
  /// ASD, ASA, ZSD, ZSA.
  let angles: [Double]

  init(_ link: TR38901Link, _ model: TR38901Channel, release19: Bool = false) {
    let clusters = link.clusters
    let table = model.scenario.table(
      hasLineOfSight: link.hasLineOfSight, release19: release19)
    let carrierGHz = max(model.carrierHz / 1e9, table.floorGHz)
    let k = link.largeScale.kDB.map { pow(10, $0 / 10) } ?? 0
    let within = [
      table.clusterSpreads.asd, table.clusterSpreads.asa, 0.375 * link.largeScale.medianZSD,
      table.clusterSpreads.zsa,
    ]
    let split = table.clusterSpreads.delay.nanoseconds(carrierGHz) * 1e-9
    var (delays, powers): ([Double], [Double]) = ([], [])
    var angles: [[Double]] = [[], [], [], []]
    for n in clusters.delays.indices where clusters.isKept[n] {
      for (part, rays) in RayOrder.subclusters.enumerated() {
        for place in rays {
          powers.append(clusters.powers[n] / 20 / (k + 1))
          delays.append(
            clusters.delays[n] + TR38901Table.subclusters[part].delay * clusters.splits[n] * split)
          let offset = CDLTable.rayOffsets[RayOrder.rays[place]]
          let centres = [clusters.aod[n], clusters.aoa[n], clusters.zod[n], clusters.zoa[n]]
          for kind in 0..<4 {
            let angle = centres[kind] * 180 / .pi + within[kind] * offset
            angles[kind].append(kind < 2 ? angle : abs(angle.remainder(dividingBy: 360)))
          }
        }
      }
    }
    if link.hasLineOfSight {
      powers.append(k / (k + 1))
      delays.append(0)
      let (azimuth, zenith) = (link.geometry.azimuth, link.geometry.zenith)
      for (kind, angle) in [azimuth, azimuth + .pi, zenith, .pi - zenith].enumerated() {
        angles[kind].append(angle * 180 / .pi)
      }
    }
    delay = PowerDelayProfile(delays: delays, powers: powers).rmsDelaySpread
    self.angles = angles.map { circularStatistics($0, powers: powers).spread }
  }
}

func median(_ values: [Double]) -> Double {
  let sorted = values.sorted()
  return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}
