import CKernels
import ComplexModule
import LinkMath
import RealModule

/// The unitary transform between tones and the few delay rows that are kept, for ports stored side by side.
///
/// `D[k] = N^(-1/2) sum_n H[n] e^{+j 2π k n / N}` for k in the kept rows (taken modulo N): the sign under which a path of
/// delay τ samples appears in row +τ. The inverse starts from those rows, the others being zero.
///
/// Only few of the N rows are wanted. If N is a multiple of 32, with at most 32 rows and ports in groups of 16, the DFT is
/// split as n = s + S m, S = N / 32: a DFT of 32 points over m for each s, then a sum of S twiddled terms for each wanted
/// row, O(N (log 32 + rows / 32)) per port in one pass over the data. Otherwise FFTW does the full DFT.
///
/// Reference: H. V. Sorensen, C. S. Burrus, IEEE Trans. Signal Process. 41 (1993) 1184, doi:10.1109/78.205723 (pruning).
public struct DelayTransform: Sendable {
  /// Tones N of a response.
  public let toneCount: Int
  /// Ports of a response, or angles.
  public let portCount: Int
  /// First kept row, zero or negative (guard rows).
  public let firstRow: Int
  /// Delay rows that are kept.
  public let rowCount: Int

  private enum Method: Sendable {
    /// Twiddles [row, s] with the factor N^(-1/2), re and im.
    case pruned(step: Int, twiddle: [Float])
    case full(toDelay: FFTPlan, toFrequency: FFTPlan)
  }
  private let method: Method

  /// - Precondition: `1 <= rowCount <= toneCount`.
  public init(toneCount: Int, portCount: Int, firstRow: Int = 0, rowCount: Int) {
    precondition((1...toneCount).contains(rowCount))
    self.toneCount = toneCount
    self.portCount = portCount
    self.firstRow = firstRow
    self.rowCount = rowCount
    if toneCount % 32 == 0, rowCount <= 32, portCount % 16 == 0 {
      method = .pruned(
        step: toneCount / 32,
        twiddle: DelayTransform.twiddle(toneCount, firstRow: firstRow, rowCount: rowCount))
    } else {
      let plan = { (direction: FFTPlan.Direction) in
        FFTPlan(
          length: toneCount, stride: portCount, batch: portCount, distance: 1,
          direction: direction, aligned: portCount % 2 == 0)
      }
      method = .full(toDelay: plan(.backward), toFrequency: plan(.forward))
    }
  }

  private static func twiddle(_ toneCount: Int, firstRow: Int, rowCount: Int) -> [Float] {
    let scale = 1 / Double(toneCount).squareRoot()
    return (0..<rowCount).flatMap { row in
      (0..<toneCount / 32).flatMap { s in
        let turns = (firstRow + row + toneCount) % toneCount * s % toneCount
        let phase = 2 * Double.pi * Double(turns) / Double(toneCount)
        return [Float(scale * .cos(phase)), Float(scale * .sin(phase))]
      }
    }
  }

  /// Complex values of one drop's response.
  var responseCount: Int { toneCount * portCount }

  /// Rows [rowCount, port] of the response [tone, port] of one drop.
  public func toDelay(
    _ response: UnsafePointer<ComplexFloat>, _ rows: UnsafeMutablePointer<ComplexFloat>
  ) {
    switch method {
    case .pruned(let step, let twiddle):
      asFloats(response, responseCount) { response in
        asFloats(rows, rowCount * portCount) { rows in
          csk_dft32_gather(step, portCount, firstBin, rowCount, twiddle, response, rows)
        }
      }
    case .full(let toDelay, _):
      var scratch = ComplexArray(uninitialized: [responseCount])
      let scale = 1 / Float(toneCount).squareRoot()
      scratch.withUnsafeMutableElements { scratch in
        scratch.baseAddress!.update(from: response, count: responseCount)
        toDelay.execute(scratch.baseAddress!)
        for row in 0..<rowCount {
          let bin = (firstRow + row + toneCount) % toneCount * portCount
          for port in 0..<portCount {
            let value = scratch[bin + port]
            rows[row * portCount + port] = ComplexFloat(value.real * scale, value.imaginary * scale)
          }
        }
      }
    }
  }

  /// The response [tone, port] of one drop whose delay rows outside [rowCount, port] are zero.
  public func toFrequency(
    _ rows: UnsafePointer<ComplexFloat>, _ response: UnsafeMutablePointer<ComplexFloat>
  ) {
    switch method {
    case .pruned(let step, let twiddle):
      asFloats(rows, rowCount * portCount) { rows in
        asFloats(response, responseCount) { response in
          csk_dft32_scatter(step, portCount, firstBin, rowCount, twiddle, rows, response)
        }
      }
    case .full(_, let toFrequency):
      let scale = 1 / Float(toneCount).squareRoot()
      response.update(repeating: .zero, count: responseCount)
      for row in 0..<rowCount {
        let bin = (firstRow + row + toneCount) % toneCount * portCount
        for port in 0..<portCount {
          let value = rows[row * portCount + port]
          response[bin + port] = ComplexFloat(value.real * scale, value.imaginary * scale)
        }
      }
      toFrequency.execute(response)
    }
  }

  /// First kept row as a bin of the 32-point DFTs.
  private var firstBin: Int { (firstRow % 32 + 32) % 32 }

  private func asFloats(
    _ pointer: UnsafePointer<ComplexFloat>, _ count: Int, _ body: (UnsafePointer<Float>) -> Void
  ) {
    pointer.withMemoryRebound(to: Float.self, capacity: 2 * count, body)
  }

  private func asFloats(
    _ pointer: UnsafeMutablePointer<ComplexFloat>, _ count: Int,
    _ body: (UnsafeMutablePointer<Float>) -> Void
  ) {
    pointer.withMemoryRebound(to: Float.self, capacity: 2 * count, body)
  }
}
