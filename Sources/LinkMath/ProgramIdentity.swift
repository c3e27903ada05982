import Foundation

/// The program that computes numbers: journals, fitted parts, drawn samples, checkpoints and data sets carry it in their
/// names or headers, so that what one program left is never taken for the work of another.
public enum ProgramIdentity {
  /// The release, as `csilink --version` prints it.
  public static let version = "0.1.0"
  /// First 16 digits of the SHA-256 of the program file.
  public static let build: String =
    (Digest.sha256(ofFile: "/proc/self/exe") ?? Digest.sha256(ofFile: CommandLine.arguments[0]))
    .map { String($0.sha256.prefix(16)) } ?? "unknown"
  /// Rounding class of the kernels: the last digits depend on it.
  public static var kernel: String { KernelLevel.roundingClass }

  /// All three, for digests.
  public static var text: String { "version \(version)\nbuild \(build)\nkernel \(kernel)" }
}

extension Digest {
  /// SHA-256 and size of a file; nil if it cannot be read.
  public static func sha256(ofFile path: String) -> (sha256: String, bytes: Int)? {
    guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
    defer { try? handle.close() }
    var digest = Digest()
    var bytes = 0
    do {
      while let chunk = try handle.read(upToCount: 1 << 20), !chunk.isEmpty {
        chunk.withUnsafeBytes { digest.update($0) }
        bytes += chunk.count
      }
    } catch {
      return nil
    }
    return (digest.finish(), bytes)
  }
}
