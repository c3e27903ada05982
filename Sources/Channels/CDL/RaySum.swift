import ComplexModule
import LinkMath

/// Adds the rays of one cluster up to the amplitude of each port.
///
/// Steering phasors of the cluster's rays stay in the first-level cache while all slots are formed from them.
struct RaySum: ~Copyable {
  private let array: AntennaArray
  private let positions: Int
  /// Phasors by ray, re then im of all positions; then one accumulator row, then scratch of the planar array.
  private let memory: UnsafeMutablePointer<Float>

  init(_ array: AntennaArray) {
    self.array = array
    positions = array.positionCount
    let rows = 2 * CDLTable.rayOffsets.count + 2
    memory = .allocate(
      capacity: rows * positions + 2 * (array.columnCount + array.rowCount))
  }

  deinit { memory.deallocate() }

  private var accumulator: UnsafeMutablePointer<Float> {
    memory + 2 * CDLTable.rayOffsets.count * positions
  }

  /// Forms the steering phasors of the rays in `range`.
  mutating func steer(_ drop: CDLDrop, _ range: Range<Int>) {
    precondition(range.count <= CDLTable.rayOffsets.count)
    let scratch = accumulator + 2 * positions
    for (i, ray) in range.enumerated() {
      let row = memory + 2 * i * positions
      array.fillSteering(
        horizontal: drop.horizontal[ray], vertical: drop.vertical[ray], re: row,
        im: row + positions, scratch: scratch)
    }
  }

  /// Amplitudes of all ports at a time in seconds, polarisation-major.
  ///
  /// - Precondition: `steer` was called for the same rays.
  mutating func write(
    _ drop: CDLDrop, _ range: Range<Int>, time: Double,
    into ports: UnsafeMutablePointer<ComplexFloat>
  ) {
    for (p, gains) in drop.gains.enumerated() {
      let (re, im) = (accumulator, accumulator + positions)
      re.update(repeating: 0, count: 2 * positions)
      for (i, ray) in range.enumerated() {
        var gain = gains[ray]
        if !drop.doppler.isEmpty { gain *= Complex(turns: drop.doppler[ray] * time) }
        let steering = memory + 2 * i * positions
        add(
          Float(gain.real), Float(gain.imaginary), steering, steering + positions, re, im)
      }
      let target = ports + p * positions
      for s in 0..<positions { target[s] = ComplexFloat(re[s], im[s]) }
    }
  }

  private func add(
    _ a: Float, _ b: Float, _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>,
    _ re: UnsafeMutablePointer<Float>, _ im: UnsafeMutablePointer<Float>
  ) {
    for s in 0..<positions {
      re[s] += a * x[s] - b * y[s]
      im[s] += a * y[s] + b * x[s]
    }
  }
}
