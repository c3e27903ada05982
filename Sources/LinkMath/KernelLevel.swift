import CKernels

/// The instruction level that the numeric kernels use on this machine.
///
/// It is the best that the processor has (AVX-512, AVX2 with FMA, or what every machine has), unless the environment
/// variable `CSILINK_KERNEL` names another one.
public enum KernelLevel {
  /// The environment variable that names the level to use.
  public static let variable = "CSILINK_KERNEL"

  /// Levels that this machine can run, best first.
  public static var available: [String] {
    (0..<csk_level_count()).filter { csk_level_runs($0) != 0 }.map(name)
  }

  /// The level in use.
  public static var name: String { name(csk_level()) }

  /// Machines of one class give the same bits.
  ///
  /// The levels with fused multiply-adds agree. Without, it also matters what the C library and FFTW choose for the
  /// processor, which may have more than the level in use.
  public static var roundingClass: String {
    name == "baseline"
      ? "separate multiply and add, libraries with \(String(cString: csk_library_level()))"
      : "fused multiply-add"
  }

  /// Whether the environment asks for a level that this machine does not have.
  public static var isRefused: Bool { csk_level_refused() != 0 }

  private static func name(_ level: Int) -> String { String(cString: csk_level_name(level)) }
}
