import DataFiles
import Foundation
import TestSupport
import Testing

/// HDF5 files that lead in circles, out of the file or to absurd sizes (`Tests/Fixtures/hostile/make_hostile.py`), as they are and
/// damaged: each is refused or gives what it holds. `make fuzz` reads thousands more under a limit on memory.
@Suite struct HostileHDF5Tests {
  static let names = ((try? FileManager.default.contentsOfDirectory(atPath: source.path)) ?? [])
    .filter { $0.hasSuffix(".h5") && $0 != "secret.h5" }.sorted()
  private static let source = fixtures.appending(path: "hostile")
  /// What lies in files that links lead to.
  private static let secret: Float = 777

  private static func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: source.appending(path: name)))
  }

  /// A folder with the files that links of the fixtures lead to.
  private func folder() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for name in ["secret.h5", "secret.raw"] { _ = try folder.file(name, Self.bytes(name)) }
    let secret = try ArrayFile.read(folder.file("secret.h5"), variable: "secret")
    #expect(floats(secret) == [Float](repeating: Self.secret, count: 12))
    return folder
  }

  private func floats(_ array: NumericArray) -> [Float] {
    switch array.values {
    case .float(let values): values
    case .double(let values): values.map { Float($0) }
    }
  }

  /// What can be read of each file, by name; `x` is 0 to 11 wherever it is.
  private static let readable: [String: Set<String>] = [
    "bombs.h5": ["zeros", "all"],
    "cycle.h5": ["a/x"],
    "external.h5": ["x"], "huge.h5": ["x"], "soft.h5": ["x"], "storage.h5": ["x"],
    "virtual.h5": ["x"],
    "matlab.h5": ["H", "s.H"],
  ]

  @Test(arguments: names) func nothingIsFollowedOrBelieved(_ name: String) throws {
    let folder = try folder()
    let bytes = try Self.bytes(name)
    let path = try folder.file(name, bytes)
    // A file of newer structures may be refused as a whole.
    guard let list = try? ArrayFile.list(path) else { return }
    var found: Set<String> = []
    for info in list {
      guard let array = try? ArrayFile.read(path, variable: info.name) else { continue }
      let values = floats(array)
      found.insert(info.name ?? "")
      #expect(values.count <= 1032 * bytes.count, "\(info)")
      #expect(!values.contains(Self.secret), "\(info)")
      if info.name == "x" || info.name?.hasSuffix("/x") == true, values.count == 12 {
        #expect(values == (0..<12).map { Float($0) }, "\(info)")
      }
    }
    if let expected = Self.readable[name] {
      #expect(found.isSuperset(of: expected), "\(name): \(found)")
    }
    // As weights of a network.
    if let archive = try? TensorArchive(path) {
      for tensor in archive.tensors {
        guard let values = try? tensor.floats() else { continue }
        #expect(values.count <= bytes.count && !values.contains(Self.secret), "\(tensor.name)")
      }
    }
  }

  /// 225 damaged files as weights, every fourth also as arrays, which a child process looks through first.
  @Test(arguments: names) func damageIsSurvived(_ name: String) throws {
    let folder = try folder()
    let bytes = try Self.bytes(name)
    var random = Generator(state: UInt64(name.utf8.count))
    var refused = 0
    for trial in 0..<15 {
      let damaged = mutated(bytes, &random)
      let path = try folder.file(name, damaged)
      do throws(DataFileError) {
        for tensor in try TensorArchive(path).tensors {
          let values = try tensor.floats()
          #expect(values.count <= damaged.count && !values.contains(Self.secret))
        }
      } catch {
        #expect(error.file == path && !error.expected.isEmpty && !error.found.isEmpty)
        refused += 1
      }
      guard trial % 4 == 0, let arrays = try? ArrayFile.readAll(path) else { continue }
      for array in arrays {
        let values = floats(array)
        #expect(values.count <= 1032 * damaged.count && !values.contains(Self.secret))
      }
    }
    #expect(refused > 0)
  }
}
