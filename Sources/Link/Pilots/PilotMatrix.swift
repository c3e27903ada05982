import CKernels
import ComplexModule
import LinkMath
import Parts
import RealModule

/// Orthogonal pilots X [antenna, symbol] with X Xᴴ = c I, applied by fast transforms instead of matrix products.
public struct PilotMatrix: PilotSignal {
  /// The entries of the matrix up to its amplitude.
  public enum Pattern: String, Choice {
    /// X[k, t] = g exp(-j 2π k t / Tp).
    case dft
    /// The first Nt rows of the Sylvester matrix of order Tp, times g.
    case hadamard
    /// X = g I: one antenna after the other.
    case identity
  }

  /// How the power of the pilots is counted (link budget; SNR is the channel's mean power times the power unit over σ²).
  public enum Power: String, Choice {
    /// X Xᴴ = I, c = 1.
    case unitary
    /// Unit total power in each pilot symbol: c = Tp / Nt.
    case total
    /// Unit power of each antenna in each symbol it sends: c = Tp, and 1 for the identity pattern.
    case per_antenna
  }

  /// The entries up to the amplitude.
  public let pattern: Pattern
  /// Antennas Nt.
  public let antennaCount: Int
  /// Pilot symbols Tp.
  public let symbolCount: Int
  /// c of X Xᴴ = c I.
  public let energy: Double
  /// Amplitude g of the entries.
  public let amplitude: Double
  /// Batches of ``tile`` rows and single rows, for lengths other than 32.
  private let plans: [FFTPlan.Direction: (tile: FFTPlan, row: FFTPlan)]

  /// Tones handled together, so that they stay in the first-level cache; with 32 symbols their noise is whole chunks of
  /// the generator.
  static let tile = 48

  /// - Precondition: `symbols >= antennas`; a power of two for `hadamard`; equal for `identity`.
  public init(_ pattern: Pattern, antennas: Int, symbols: Int, power: Power) {
    precondition(symbols >= antennas && antennas > 0)
    self.pattern = pattern
    antennaCount = antennas
    symbolCount = symbols
    let length = pattern == .identity ? 1 : Double(symbols)
    energy =
      switch power {
      case .unitary: 1
      case .total: pattern == .identity ? 1 : Double(symbols) / Double(antennas)
      case .per_antenna: length
      }
    amplitude = (energy / length).squareRoot()
    guard pattern == .dft && symbols != 32 else {
      plans = [:]
      return
    }
    let plan = { (rows: Int, direction: FFTPlan.Direction) in
      FFTPlan(
        length: symbols, batch: rows, distance: symbols, direction: direction,
        aligned: symbols % 2 == 0)
    }
    plans = [
      .forward: (plan(PilotMatrix.tile, .forward), plan(1, .forward)),
      .backward: (plan(PilotMatrix.tile, .backward), plan(1, .backward)),
    ]
  }

  /// Entry of the matrix, for tests and for estimators without a fast path.
  public subscript(antenna k: Int, symbol t: Int) -> ComplexFloat {
    switch pattern {
    case .dft:
      let phase = -2 * Double.pi * Double(k * t % symbolCount) / Double(symbolCount)
      return ComplexFloat(
        Float(amplitude * .cos(phase)), Float(amplitude * .sin(phase)))
    case .hadamard:
      return ComplexFloat(Float((k & t).nonzeroBitCount % 2 == 0 ? amplitude : -amplitude))
    case .identity: return ComplexFloat(k == t ? Float(amplitude) : 0)
    }
  }

  /// Rows H [tone, antenna] times X / g: `target` [tone, symbol].
  ///
  /// - Parameter stride: complex values from one row of `source` to the next.
  func spread(
    _ source: UnsafePointer<ComplexFloat>, stride: Int, rows: Int,
    into target: UnsafeMutablePointer<ComplexFloat>
  ) {
    if pattern == .dft, symbolCount == 32, antennaCount == 32, stride == 32 {
      dft32(source, rows: rows, sign: -1, scale: 1, into: target)
      return
    }
    for row in 0..<rows {
      let line = target + row * symbolCount
      line.update(from: source + row * stride, count: antennaCount)
      (line + antennaCount).update(repeating: .zero, count: symbolCount - antennaCount)
    }
    transform(target, rows: rows, .forward)
  }

  /// Rows Y [tone, symbol] times Xᴴ / c: the least-squares estimate, `target` [tone, antenna].
  public func despread(
    _ source: UnsafePointer<ComplexFloat>, rows: Int,
    into target: UnsafeMutablePointer<ComplexFloat>
  ) {
    let scale = Float(amplitude / energy)
    if pattern == .dft, symbolCount == 32, antennaCount == 32 {
      dft32(source, rows: rows, sign: 1, scale: scale, into: target)
      return
    }
    var scratch = ComplexArray(uninitialized: [rows, symbolCount])
    scratch.withUnsafeMutableElements { scratch in
      scratch.baseAddress!.update(from: source, count: rows * symbolCount)
      transform(scratch.baseAddress!, rows: rows, .backward)
      for row in 0..<rows {
        for port in 0..<antennaCount {
          let value = scratch[row * symbolCount + port]
          target[row * antennaCount + port] = ComplexFloat(
            value.real * scale, value.imaginary * scale)
        }
      }
    }
  }

  /// Rows of `symbolCount` values in place, without the amplitude.
  private func transform(
    _ data: UnsafeMutablePointer<ComplexFloat>, rows: Int, _ direction: FFTPlan.Direction
  ) {
    switch pattern {
    case .identity: break
    case .hadamard:
      data.withMemoryRebound(to: Float.self, capacity: 2 * rows * symbolCount) {
        csk_hadamard_rows(rows, symbolCount, $0)
      }
    case .dft:
      guard let plan = plans[direction] else {
        dft32(data, rows: rows, sign: direction == .forward ? -1 : 1, scale: 1, into: data)
        return
      }
      let tiles = rows / PilotMatrix.tile
      for i in 0..<tiles { plan.tile.execute(data + i * PilotMatrix.tile * symbolCount) }
      for row in tiles * PilotMatrix.tile..<rows { plan.row.execute(data + row * symbolCount) }
    }
  }

  private func dft32(
    _ source: UnsafePointer<ComplexFloat>, rows: Int, sign: Int32, scale: Float,
    into target: UnsafeMutablePointer<ComplexFloat>
  ) {
    source.withMemoryRebound(to: Float.self, capacity: 64 * rows) { source in
      target.withMemoryRebound(to: Float.self, capacity: 64 * rows) { target in
        csk_dft32_rows(rows, sign, scale, source, target)
      }
    }
  }
}
