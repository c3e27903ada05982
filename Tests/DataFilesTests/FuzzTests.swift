import DataFiles
import Foundation
import TestSupport
import Testing

/// The arrays that can be read of a damaged file, or nil if it was refused as a whole.
func readable(_ path: String) -> [NumericArray]? {
  guard let list = try? ArrayFile.list(path) else { return nil }
  return list.compactMap { try? ArrayFile.read(path, variable: $0.name) }
}

/// Damaged files give an error or an array; nothing crashes, hangs or takes absurd memory.
///
/// Few of v7.3 here: each is first read by a child process, and to start one from a process as large as that of all tests takes
/// a tenth of a second. `make fuzz` reads thousands of every kind.
struct FuzzTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static let unprotected: [(String, Int)] = [
    ("numpy_fortran.npy", 2000), ("numpy_complex64.npy", 2000), ("umi_los_4.csv", 300),
    ("indoor_los_20_v5.mat", 500), ("several_v73.mat", 100), ("track_complex_v73.mat", 60),
    ("umi_los_200_v73.mat", 30), ("indoor_los_200_v73.mat", 30),
  ]

  @Test(arguments: unprotected)
  func damageIsSurvived(_ name: String, _ count: Int) throws {
    let bytes = try Fixture.bytes(name)
    var random = Generator(state: 1)
    var refused = 0
    for _ in 0..<count {
      let path = try folder.file(name, damage(bytes, &random))
      guard let arrays = readable(path), !arrays.isEmpty else {
        refused += 1
        continue
      }
      for array in arrays { #expect(array.values.count <= 1032 * bytes.count) }
    }
    #expect(refused > 0 && refused < count)
  }

  /// With checksums over everything, what can be read at all is what was written.
  @Test(arguments: [
    ("umi_los_20.npz", 500), ("numpy_several.npz", 3000), ("umi_los_20_v5.mat", 500),
    ("track_1_v5.mat", 500),
  ])
  func checksumsFindDamage(_ name: String, _ count: Int) throws {
    let bytes = try Fixture.bytes(name)
    let originals = try ArrayFile.readAll(Fixture.path(name))
    var random = Generator(state: 2)
    var refused = 0
    for _ in 0..<count {
      let path = try folder.file(name, damage(bytes, &random))
      guard let arrays = readable(path), !arrays.isEmpty else {
        refused += 1
        continue
      }
      for array in arrays {
        #expect(originals.contains { $0.values == array.values && $0.shape == array.shape })
      }
    }
    #expect(refused > 0 && refused < count)
  }

  @Test func damagedSafetensorsIsSurvived() throws {
    let arrays = [
      NumericArray(name: "a", shape: [2, 3], floats: [1, 2, 3, 4, 5, 6]),
      NumericArray(name: "b", shape: [4], doubles: [1, 2, 3, 4]),
    ]
    try ArrayFile.write(arrays, metadata: ["k": "v"], to: folder.file("a.safetensors"))
    let bytes = try read(folder.file("a.safetensors"))
    var random = Generator(state: 3)
    var refused = 0
    for _ in 0..<3000 {
      let path = try folder.file("b.safetensors", damage(bytes, &random))
      if readable(path) == nil { refused += 1 }
    }
    #expect(refused > 0 && refused < 3000)
  }

  static let truncated = [
    "numpy_fortran.npy", "numpy_several.npz", "umi_los_20.npz", "matlab_several.mat",
    "umi_los_20_v5.mat", "indoor_los_20_v5.mat", "track_complex_v73.mat", "umi_los_200_v73.mat",
    "indoor_los_200_v73.mat",
  ]

  /// A file cut anywhere is refused, or in formats that list as they go, gives fewer variables.
  @Test(arguments: truncated)
  func truncationIsFound(_ name: String) throws {
    let bytes = try Fixture.bytes(name)
    var random = Generator(state: 4)
    var lengths = (0..<60).map { _ in Int.random(in: 1..<bytes.count, using: &random) }
    lengths += [1, 2, 7, 8, 9, 10, 127, 128, 129, 136, 512, 520, 2048, bytes.count - 1].filter {
      $0 < bytes.count
    }
    // The file of several variables has a gap-free end after each of them.
    let isList = name == "matlab_several.mat"
    let originals = isList ? try ArrayFile.readAll(Fixture.path(name)) : []
    for length in lengths {
      let path = try folder.file(name, bytes.prefix(length))
      do throws(DataFileError) {
        let arrays = try ArrayFile.readAll(path)
        #expect(isList && originals.starts(with: arrays), "\(length) bytes were read")
      } catch {
        #expect(error.file == path)
        #expect(!error.expected.isEmpty && !error.found.isEmpty)
      }
    }
  }
}
