import ComplexModule
import LinkMath

/// Plane waves, or waves from points, that leave the array: what a clustered model adds up.
struct RaySet: Sendable {
  /// Phase steps between columns and rows of the array, in turns, by ray.
  var horizontal: [Double] = []
  var vertical: [Double] = []
  /// Complex gain of each ray for each polarisation at time 0, [polarisation][ray].
  var gains: [[Complex<Double>]] = []
  /// Doppler shift of each ray in Hz; empty if nothing moves.
  var doppler: [Double] = []
  /// Distance of the point that a ray's wave front is a sphere around from the array's centre, in wavelengths; empty for plane
  /// waves.
  var distances: [Double] = []
}

/// Adds the rays of one cluster up to the amplitude of each port.
///
/// Steering phasors of the cluster's rays stay in the first-level cache while all slots are formed from them.
struct RaySum: ~Copyable {
  /// The rays of a cluster, and one specular ray.
  private static let capacity = CDLTable.rayOffsets.count + 1

  private let array: AntennaArray
  private let positions: Int
  /// Phasors by ray, re then im of all positions; then one accumulator row, then scratch of the planar array.
  private let memory: UnsafeMutablePointer<Float>

  init(_ array: AntennaArray) {
    self.array = array
    positions = array.positionCount
    let rows = 2 * Self.capacity + 2
    memory = .allocate(
      capacity: rows * positions + 2 * (array.columnCount + array.rowCount))
  }

  deinit { memory.deallocate() }

  private var accumulator: UnsafeMutablePointer<Float> {
    memory + 2 * Self.capacity * positions
  }

  /// Forms the steering phasors of the rays in `range`.
  mutating func steer(_ rays: RaySet, _ range: Range<Int>) {
    precondition(range.count <= Self.capacity)
    let scratch = accumulator + 2 * positions
    for (i, ray) in range.enumerated() {
      let row = memory + 2 * i * positions
      if rays.distances.isEmpty {
        array.fillSteering(
          horizontal: rays.horizontal[ray], vertical: rays.vertical[ray], re: row,
          im: row + positions, scratch: scratch)
      } else {
        array.fillSphericalSteering(
          horizontal: rays.horizontal[ray], vertical: rays.vertical[ray],
          distance: rays.distances[ray], re: row, im: row + positions)
      }
    }
  }

  /// Amplitudes of all ports at a time in seconds, polarisation-major.
  ///
  /// - Precondition: `steer` was called for the same rays.
  mutating func write(
    _ rays: RaySet, _ range: Range<Int>, time: Double,
    into ports: UnsafeMutablePointer<ComplexFloat>
  ) {
    for (p, gains) in rays.gains.enumerated() {
      let (re, im) = (accumulator, accumulator + positions)
      re.update(repeating: 0, count: 2 * positions)
      for (i, ray) in range.enumerated() {
        var gain = gains[ray]
        if !rays.doppler.isEmpty { gain *= Complex(turns: rays.doppler[ray] * time) }
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
