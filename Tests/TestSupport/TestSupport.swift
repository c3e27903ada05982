import Foundation
import LinkMath

/// Folder of the test data, found from this file's place in the repository.
public let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
  .deletingLastPathComponent().appending(path: "Fixtures")

/// Deterministic values for tests, one stream per seed.
public func testStream(_ seed: UInt64 = 1) -> RandomStream {
  StreamKey(seed: seed, domain: .test, purpose: .selection).stream(drop: 0)
}

/// Independent CN(0, 1) entries.
public func complexNormal(_ shape: [Int], seed: UInt64 = 1) -> ComplexArray {
  var array = ComplexArray(uninitialized: shape)
  var stream = testStream(seed)
  array.withUnsafeMutableFloats {
    stream.fillNormal(
      UnsafeMutableBufferPointer(start: $0, count: 2 * shape.reduce(1, *)), scale: sqrt(0.5))
  }
  return array
}

/// ‖a − b‖² / ‖b‖².
public func relativeError(_ a: ComplexArray, _ b: ComplexArray) -> Double {
  precondition(a.shape == b.shape)
  let difference = zip(a.elements, b.elements).reduce(0.0) {
    $0 + Double(($1.0 - $1.1).lengthSquared)
  }
  return difference / b.energy
}

/// A new folder below the system's temporary one, removed afterwards.
public func withTemporaryFolder<R>(_ body: (String) throws -> R) throws -> R {
  let folder = FileManager.default.temporaryDirectory
    .appending(path: "csilink-tests-\(UUID().uuidString)").path
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}
