import Channels
import ComplexModule
import Foundation
import Link
import LinkMath
import Parts

/// Statistics of the kept 32 x 32 angular-delay block over drops, each drop scaled to unit energy.
struct COST2100Statistics {
  /// One number for each drop.
  private(set) var drops: [String: [Double]] = [:]
  /// Mean share of the block's energy by delay row and by angle row.
  private(set) var delayProfile = [Double](repeating: 0, count: taps)
  private(set) var angleProfile = [Double](repeating: 0, count: ports)
  /// Sums of squares of the shares of the drops.
  private var delaySquares = [Double](repeating: 0, count: taps)
  private var angleSquares = [Double](repeating: 0, count: ports)

  static let (tones, taps, ports, count) = (257, 32, 32, 1000)

  init(_ model: COST2100Channel, seed: UInt64) throws {
    let transform = AngularDelayTransform(
      grid: Self.tones, ports: Self.ports, taps: Self.tones, shift: 16)
    for block in DropBlock(0..<Self.count, domain: .test, seed: seed).parts(of: 50) {
      let csi = transform.forward(try model.frequencyResponse(block, slots: [0])[0])
      for drop in 0..<block.drops.count {
        add("rays", Double(model.paths(block, drop, slots: [0]).delays.count))
        add(csi.slice(drop..<drop + 1).elements.map { Double($0.lengthSquared) })
      }
    }
    for i in delayProfile.indices { delayProfile[i] /= Double(Self.count) }
    for i in angleProfile.indices { angleProfile[i] /= Double(Self.count) }
  }

  private mutating func add(_ key: String, _ value: Double) {
    drops[key, default: []].append(value)
  }

  /// - Parameter all: energies [257 delays, 32 angles] of a drop.
  private mutating func add(_ all: [Double]) {
    func energy(_ rows: Range<Int>) -> Double {
      all[rows.lowerBound * Self.ports..<rows.upperBound * Self.ports].reduce(0, +)
    }
    let (total, kept) = (energy(0..<Self.tones), energy(0..<Self.taps))
    add("captured", kept / total)
    add("lost before", energy(225..<257) / total)
    add("lost after", energy(32..<225) / total)
    add("level", decibels(kept))
    let block = all[0..<Self.taps * Self.ports].map { $0 / kept }
    addShape(block)
    var (rows, columns) = ([Double](repeating: 0, count: 32), [Double](repeating: 0, count: 32))
    for (i, energy) in block.enumerated() {
      rows[i / Self.ports] += energy
      columns[i % Self.ports] += energy
    }
    for i in 0..<32 {
      delayProfile[i] += rows[i]
      delaySquares[i] += rows[i] * rows[i]
      angleProfile[i] += columns[i]
      angleSquares[i] += columns[i] * columns[i]
    }
    let tapSeconds = 1 / (257 * 78125.0)
    let mean = rows.enumerated().reduce(0) { $0 + Double($1.offset) * $1.element }
    let square = rows.enumerated().reduce(0) { $0 + Double($1.offset * $1.offset) * $1.element }
    add("mean delay", mean * tapSeconds)
    add("delay spread", (square - mean * mean).squareRoot() * tapSeconds)
    let resultant = columns.enumerated().reduce(Complex<Double>(0)) { sum, row in
      let phase = 2 * Double.pi * Double(row.offset) / 32
      return sum + Complex(row.element * cos(phase), row.element * sin(phase))
    }
    add("angle spread", (-2 * log(resultant.length)).squareRoot() * 32 / (2 * .pi))
  }

  /// How the unit energy of a block is spread over its entries.
  private mutating func addShape(_ block: [Double]) {
    add("effective", 1 / block.reduce(0) { $0 + $1 * $1 })
    let sorted = block.sorted(by: >)
    add("scaled energy", 0.25 / sorted[0])
    for share in [0.95, 0.99] {
      var sum = 0.0
      add(
        "count \(share)",
        Double(
          sorted.prefix {
            sum += $0; return sum < share
          }.count + 1))
    }
  }

  /// An estimate with its standard error.
  struct Estimate {
    let value: Double
    let error: Double
  }

  func mean(_ key: String) -> Estimate {
    let values = drops[key]!
    let mean = values.reduce(0, +) / Double(values.count)
    return Estimate(value: mean, error: deviation(key).value / Double(values.count).squareRoot())
  }

  /// Standard deviation; its error by the fourth moment.
  func deviation(_ key: String) -> Estimate {
    let values = drops[key]!
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
    let fourth = values.reduce(0) { $0 + pow($1 - mean, 4) } / count
    let error = ((fourth - variance * variance) / count).squareRoot() / (2 * variance.squareRoot())
    return Estimate(value: variance.squareRoot(), error: error)
  }

  /// A quantile; its error from the order statistics one binomial deviation away.
  func quantile(_ key: String, _ level: Double) -> Estimate {
    let values = drops[key]!.sorted()
    let count = Double(values.count)
    let half = (count * level * (1 - level)).squareRoot()
    let index = { (position: Double) in min(max(Int(position), 0), values.count - 1) }
    return Estimate(
      value: values[index(count * level)],
      error: (values[index(count * level + half)] - values[index(count * level - half)]) / 2)
  }

  func delayShare(_ tap: Int) -> Estimate { share(delayProfile[tap], delaySquares[tap]) }
  func angleShare(_ row: Int) -> Estimate { share(angleProfile[row], angleSquares[row]) }

  private func share(_ mean: Double, _ squares: Double) -> Estimate {
    let count = Double(Self.count)
    return Estimate(
      value: mean, error: (max(squares / count - mean * mean, 0) / count).squareRoot())
  }
}
