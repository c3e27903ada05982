import CKernels
import ComplexModule
import LinkMath
import Parts
import RealModule

/// Orthogonal pilots X [antenna, symbol] with X Xᴴ = c I, applied by fast transforms instead of matrix products.
public struct PilotMatrix: Sendable {
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

  public let pattern: Pattern
  public let antennaCount: Int
  public let symbolCount: Int
  /// c of X Xᴴ = c I.
  public let energy: Double
  /// Amplitude g of the entries.
  public let amplitude: Double
  private let forward: FFTPlan?
  private let backward: FFTPlan?

  /// Tones handled together, so that they stay in the first-level cache.
  static let tile = 64

  /// - Precondition: `symbolCount >= antennaCount`; a power of two for `hadamard`; equal for `identity`.
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
    guard pattern == .dft else {
      (forward, backward) = (nil, nil)
      return
    }
    let plan = { (direction: FFTPlan.Direction) in
      FFTPlan(
        length: symbols, batch: PilotMatrix.tile, distance: symbols, direction: direction,
        aligned: symbols % 2 == 0)
    }
    (forward, backward) = (plan(.forward), plan(.backward))
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

  /// Rows of up to ``tile`` tones times X without the amplitude: `data` is [tile, symbol], the channel in its first
  /// antennaCount columns and zeros behind.
  func spread(_ data: UnsafeMutablePointer<ComplexFloat>) { apply(forward, data) }

  /// Rows of up to ``tile`` tones times Xᴴ without the amplitude, in place.
  func despread(_ data: UnsafeMutablePointer<ComplexFloat>) { apply(backward, data) }

  private func apply(_ plan: FFTPlan?, _ data: UnsafeMutablePointer<ComplexFloat>) {
    switch pattern {
    case .dft: plan?.execute(data)
    case .hadamard:
      data.withMemoryRebound(to: Float.self, capacity: 2 * PilotMatrix.tile * symbolCount) {
        csk_hadamard_rows(PilotMatrix.tile, symbolCount, $0)
      }
    case .identity: break
    }
  }
}
