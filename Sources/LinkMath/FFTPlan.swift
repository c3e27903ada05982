import CFFTW
import ComplexModule
import Foundation

/// A batch of equal complex DFTs on interleaved single-precision data, executed by FFTW.
///
/// `out[k] = sum_n in[n] e^{∓ j 2π k n / length}`, minus for ``Direction/forward``; nothing is scaled.
/// Plans are made with FFTW_ESTIMATE, so the same plan and the same bits come out every time; plan making is serialised,
/// execution is thread-safe and may be in place only if planned so.
public final class FFTPlan: @unchecked Sendable {
  // Sendable: FFTW's new-array execution only reads the plan.
  /// Sign of the exponent: minus for `forward`, plus for `backward`.
  public enum Direction: Sendable {
    /// `e^{-j 2π k n / length}`.
    case forward
    /// `e^{+j 2π k n / length}`.
    case backward
  }

  /// Points of each transform.
  public let length: Int
  /// Sign of the exponent.
  public let direction: Direction
  private let plan: fftwf_plan
  private let inPlace: Bool

  private static let planner = NSLock()

  /// - Parameters:
  ///   - length: points of each transform.
  ///   - stride: elements between successive points of one transform.
  ///   - batch: number of transforms.
  ///   - distance: elements between the first points of successive transforms.
  ///   - direction: sign of the exponent.
  ///   - inPlace: whether input and output are the same memory.
  ///   - aligned: all pointers are multiples of 16 bytes; set to false if a caller's offsets are odd.
  public init(
    length: Int, stride: Int = 1, batch: Int, distance: Int, direction: Direction,
    inPlace: Bool = true, aligned: Bool = true
  ) {
    precondition(length > 0 && batch > 0 && stride > 0 && distance > 0)
    self.length = length
    self.direction = direction
    self.inPlace = inPlace
    let extent = (length - 1) * stride + (batch - 1) * distance + 1
    var input = ComplexArray(uninitialized: [extent])
    var output = ComplexArray(uninitialized: [extent])
    let sign = direction == .forward ? FFTW_FORWARD : FFTW_BACKWARD
    let flags = UInt32(FFTW_ESTIMATE) | (aligned ? 0 : UInt32(FFTW_UNALIGNED))
    var size = Int32(length)
    let made = input.withUnsafeMutableElements { input in
      output.withUnsafeMutableElements { output in
        let from = FFTPlan.raw(input.baseAddress!)
        let to = inPlace ? from : FFTPlan.raw(output.baseAddress!)
        return FFTPlan.planner.withLock {
          fftwf_plan_many_dft(
            1, &size, Int32(batch), from, nil, Int32(stride), Int32(distance), to, nil,
            Int32(stride), Int32(distance), sign, flags)
        }
      }
    }
    guard let made else { preconditionFailure("FFTW refused a DFT of length \(length)") }
    plan = made
  }

  deinit { FFTPlan.planner.withLock { fftwf_destroy_plan(plan) } }

  /// Transforms in place.
  public func execute(_ data: UnsafeMutablePointer<ComplexFloat>) {
    precondition(inPlace, "this plan was made for separate input and output")
    fftwf_execute_dft(plan, FFTPlan.raw(data), FFTPlan.raw(data))
  }

  /// Transforms `input` into `output`, which must not overlap; `input` is kept.
  public func execute(
    _ input: UnsafePointer<ComplexFloat>, into output: UnsafeMutablePointer<ComplexFloat>
  ) {
    precondition(!inPlace, "this plan was made for transforms in place")
    fftwf_execute_dft(
      plan, FFTPlan.raw(UnsafeMutablePointer(mutating: input)), FFTPlan.raw(output))
  }

  private static func raw(_ pointer: UnsafeMutablePointer<ComplexFloat>)
    -> UnsafeMutablePointer<fftwf_complex>
  {
    UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: fftwf_complex.self)
  }
}
