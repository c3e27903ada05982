import CKernels
import ComplexModule
import LinkMath
import RealModule

/// The unitary transform between tones and the few delay rows that are kept, for ports stored side by side.
///
/// `D[k] = N^(-1/2) sum_n H[n] e^{+j 2π k n / N}` for k in `rows` (taken modulo N): the sign under which a path of delay
/// τ samples appears in row +τ. The inverse starts from those rows, the others being zero.
///
/// Only few of the N rows are wanted, so the DFT is split as n = s + S m: N/L·L points, a DFT of length L over m for
/// each s, then a sum of S = N/L twiddled terms for each wanted row: O(N log L + rows · S) per port instead of
/// O(N log N). Lengths without a suitable factor use the full DFT.
///
/// Reference: H. V. Sorensen, C. S. Burrus, IEEE Trans. Signal Process. 41 (1993) 1184, doi:10.1109/78.205723 (pruning).
public struct DelayTransform: Sendable {
  public let toneCount: Int
  public let portCount: Int
  /// First kept row, zero or negative (guard rows).
  public let firstRow: Int
  public let rowCount: Int

  private let radix: Int  // L; equal to toneCount if nothing is pruned
  private let step: Int  // S
  private let toDelay: FFTPlan
  private let toFrequency: FFTPlan
  private let twiddle: [ComplexFloat]  // [row, s], with the factor N^(-1/2)
  private let twiddleConjugate: [ComplexFloat]

  /// - Precondition: `1 <= rowCount <= toneCount`.
  public init(toneCount: Int, portCount: Int, firstRow: Int = 0, rowCount: Int) {
    precondition((1...toneCount).contains(rowCount))
    self.toneCount = toneCount
    self.portCount = portCount
    self.firstRow = firstRow
    self.rowCount = rowCount
    let radix = DelayTransform.radix(toneCount, rowCount)
    self.radix = radix
    step = toneCount / radix
    let columns = step * portCount
    let plan = { (direction: FFTPlan.Direction) in
      FFTPlan(
        length: radix, stride: columns, batch: columns, distance: 1, direction: direction,
        aligned: columns % 2 == 0)
    }
    (toDelay, toFrequency) = (plan(.backward), plan(.forward))
    var twiddle: [ComplexFloat] = []
    let scale = 1 / Double(toneCount).squareRoot()
    for row in 0..<rowCount {
      let k = (firstRow + row + toneCount) % toneCount
      for s in 0..<step {
        let phase = 2 * Double.pi * Double(k * s % toneCount) / Double(toneCount)
        twiddle.append(ComplexFloat(Float(scale * .cos(phase)), Float(scale * .sin(phase))))
      }
    }
    self.twiddle = twiddle
    twiddleConjugate = twiddle.map(\.conjugate)
  }

  /// The smallest power of two that divides N and holds all rows; N itself if pruning would not pay.
  private static func radix(_ toneCount: Int, _ rowCount: Int) -> Int {
    let power = rowCount.nextPowerOfTwo
    return toneCount % power == 0 && power < toneCount ? power : toneCount
  }

  /// Memory ``toDelay(_:_:scratch:)`` needs, in complex values.
  public var scratchCount: Int { toneCount * portCount }

  /// Rows [rowCount, port] of the response [tone, port] of one drop.
  public func toDelay(
    _ response: UnsafePointer<ComplexFloat>, _ rows: UnsafeMutablePointer<ComplexFloat>,
    scratch: UnsafeMutablePointer<ComplexFloat>
  ) {
    scratch.update(from: response, count: scratchCount)
    toDelay.execute(scratch)
    withParts(scratch) { parts in
      twiddle.withUnsafeBytes { twiddle in
        rows.withMemoryRebound(to: Float.self, capacity: 2 * rowCount * portCount) { rows in
          csk_partial_dft_gather(
            rowCount, step, portCount, twiddle.baseAddress!.assumingMemoryBound(to: Float.self),
            parts.map { UnsafePointer($0) }, rows)
        }
      }
    }
  }

  /// The response [tone, port] of one drop whose delay rows outside [rowCount, port] are zero.
  public func toFrequency(
    _ rows: UnsafePointer<ComplexFloat>, _ response: UnsafeMutablePointer<ComplexFloat>
  ) {
    if radix > rowCount { response.update(repeating: .zero, count: scratchCount) }
    withParts(response) { parts in
      twiddleConjugate.withUnsafeBytes { twiddle in
        rows.withMemoryRebound(to: Float.self, capacity: 2 * rowCount * portCount) { rows in
          csk_partial_dft_scatter(
            rowCount, step, portCount, twiddle.baseAddress!.assumingMemoryBound(to: Float.self),
            rows, parts)
        }
      }
    }
    toFrequency.execute(response)
  }

  /// Where the L-point transforms keep the terms of each kept row: [step, port] values each.
  private func withParts(
    _ data: UnsafeMutablePointer<ComplexFloat>,
    _ body: ([UnsafeMutablePointer<Float>?]) -> Void
  ) {
    let columns = step * portCount
    data.withMemoryRebound(to: Float.self, capacity: 2 * scratchCount) { floats in
      body(
        (0..<rowCount).map { row in
          let k = (firstRow + row + toneCount) % radix
          return floats + 2 * k * columns
        })
    }
  }
}
