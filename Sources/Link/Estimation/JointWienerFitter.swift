import ComplexModule
import LinkMath
import Parts

/// Learns what ``JointWiener`` needs: the bases from the first half of the drops, the powers in them from the second.
struct JointWienerFitter: Fitter {
  private let basisDrops: Int
  private let toneCount: Int
  private let toneSpacing: Int
  private var tones: ToneModesSketch
  /// Nil if the ports are taken one by one, all of the same powers.
  private var ports: PortCovarianceSum?
  private var seen = 0
  private var measured: Result<Energies, any Error>?

  /// Bases, and the energies of drops in them.
  private struct Energies {
    let modes: ComplexArray
    let pilotModes: ComplexArray
    let analysis: ComplexArray
    let ports: ComplexArray?
    let delay: DelayInterpolator
    /// [mode, port mode] and [delay row, port mode].
    var inside: [Double]
    var outside: [Double]
  }

  static func fitting(
    _ signature: String, in context: LinkContext, dropCount: Int, jointly: Bool
  ) -> Fitting {
    let (tones, ports) = (context.grid.toneCount, context.portCount)
    let spacing = context.pilots.toneSpacing
    let modes = ToneModesSketch.count(tones: tones, toneSpacing: spacing)
    let width = jointly ? ports : 1
    var shapes = [
      "tone_modes": [tones, modes, 2], "mode_powers": [modes, width],
      "rest_powers": [tones / spacing, width],
    ]
    if jointly { shapes["port_modes"] = [ports, ports, 2] }
    return Fitting(
      dropCount: dropCount, signature: "\(signature), a pilot every \(spacing) tones",
      shapes: shapes
    ) {
      JointWienerFitter(
        toneCount: tones, portCount: ports, toneSpacing: spacing, dropCount: dropCount,
        jointly: jointly)
    }
  }

  private init(
    toneCount: Int, portCount: Int, toneSpacing: Int, dropCount: Int, jointly: Bool
  ) {
    basisDrops = dropCount / 2
    (self.toneCount, self.toneSpacing) = (toneCount, toneSpacing)
    tones = ToneModesSketch(tones: toneCount, toneSpacing: toneSpacing)
    ports = jointly ? PortCovarianceSum(portCount: portCount) : nil
  }

  mutating func add(_ input: StageInput) {
    guard case .response(let response) = input else {
      preconditionFailure("an LMMSE estimator is learned from frequency responses")
    }
    for index in 0..<response[dimension: 0] {
      let drop = response.slice(index..<index + 1)
      let matrix = drop.reshaped(Array(drop.shape.dropFirst()))
      if seen < basisDrops {
        tones.add(matrix)
        ports?.add(matrix)
      } else {
        if measured == nil { measured = Result { try bases(columns: matrix[dimension: 1]) } }
        measure(matrix.rows(every: toneSpacing))
      }
      seen += 1
    }
  }

  private func bases(columns: Int) throws -> Energies {
    let modes = try tones.modes()
    let (pilotModes, count) = (modes.rows(every: toneSpacing), modes[dimension: 1])
    return Energies(
      modes: modes, pilotModes: pilotModes, analysis: pilotModes.adjoint,
      ports: try ports.map { try JointWiener.Statistics.portModes($0.mean).1 },
      delay: DelayInterpolator(
        toneCount: toneCount, toneSpacing: toneSpacing, portCount: columns),
      inside: Array(repeating: 0, count: count * columns),
      outside: Array(repeating: 0, count: pilotModes[dimension: 0] * columns))
  }

  /// Adds the energies of the pilot tones [pilot tone, port] of a drop.
  private mutating func measure(_ pilots: ComplexArray) {
    guard case .success(var energies)? = measured else { return }
    measured = nil  // so that the sums are changed in place
    var rest = energies.ports.map { pilots.times($0) } ?? pilots
    let coefficients = energies.analysis.times(rest)
    coefficients.addEnergies(to: &energies.inside)
    energies.pilotModes.addProduct(coefficients.scaled(by: -1), to: &rest)
    energies.delay.delayRows(rest).addEnergies(to: &energies.outside)
    measured = .success(energies)
  }

  func finish() throws -> Artefact {
    guard let energies = try measured?.get() else {
      preconditionFailure("an LMMSE estimator fitted on less than two drops")
    }
    let drops = Double(seen - basisDrops)
    let limit = ToneModesSketch.count(tones: toneCount, toneSpacing: toneSpacing)
    let columns = energies.outside.count / (toneCount / toneSpacing)
    let width = energies.ports == nil ? 1 : columns
    /// Means over drops, and over ports where these are taken one by one, with rows of zeros behind.
    func powers(_ sums: [Double], rows: Int) -> RealArray {
      var means = [Double](repeating: 0, count: rows * width)
      for (i, sum) in sums.enumerated() {
        means[i / columns * width + i % width] += sum / drops * Double(width) / Double(columns)
      }
      return RealArray(means.map { Float($0) }, shape: [rows, width])
    }
    var arrays = [
      "tone_modes": energies.modes.padded(columns: limit).planes,
      "mode_powers": powers(energies.inside, rows: limit),
      "rest_powers": powers(energies.outside, rows: toneCount / toneSpacing),
    ]
    arrays["port_modes"] = energies.ports?.planes
    return Artefact(arrays)
  }
}

extension JointWiener.Statistics {
  /// What ``JointWienerFitter`` learned.
  init(_ artefact: Artefact?, ports: Int) {
    guard let artefact, let modes = artefact["tone_modes"], let powers = artefact["mode_powers"],
      let rest = artefact["rest_powers"]
    else { preconditionFailure("made without its fitted statistics") }
    let (tones, limit) = (modes[dimension: 0], modes[dimension: 1])
    let values = ComplexArray(planes: modes).elements
    // Modes that were not needed are zero, behind the others.
    let count = values.indices.reduce(0) { values[$1] == .zero ? $0 : max($0, $1 % limit + 1) }
    let width = powers[dimension: 1]
    func spread(_ array: RealArray, rows: Int) -> [Double] {
      let values = array.elements
      return (0..<rows * ports).map { Double(values[$0 / ports * width + $0 % ports % width]) }
    }
    self.init(
      modes: ComplexArray(
        (0..<tones * count).map { values[$0 / count * limit + $0 % count] }, shape: [tones, count]),
      ports: artefact["port_modes"].map(ComplexArray.init(planes:)),
      powers: spread(powers, rows: count), restPowers: spread(rest, rows: rest[dimension: 0]))
  }
}

extension Tensor where Element == ComplexFloat {
  /// Adds |x|² of every entry to the sum of the same index.
  fileprivate func addEnergies(to sums: inout [Double]) {
    withUnsafeElements { values in
      for (i, value) in values.enumerated() { sums[i] += value.inDouble.lengthSquared }
    }
  }
}
