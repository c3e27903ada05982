import DataFiles
import Datasets
import Foundation
import TestSupport
import Testing

/// Folders of files whose drops are not their first axis, as MATLAB saves them: the files are put together along their drops.
extension DataCommandTests {
  private static let (tones, ports) = (12, 3)

  /// Entry of a drop, tone and port, all of them different.
  private static func value(_ drop: Int, _ tone: Int, _ port: Int) -> Float {
    Float(drop * 100 + tone * ports + port + 1)
  }

  /// Files `[tone, port, drop]` of the given numbers of drops; without the last axis a file has one drop.
  private func shards(_ counts: [Int], _ folder: TestFolder, hasDropAxis: Bool = true) throws {
    try FileManager.default.createDirectory(
      atPath: "\(folder.path)/s", withIntermediateDirectories: true)
    var first = 0
    for (index, count) in counts.enumerated() {
      var values: [Float] = []
      for tone in 0..<Self.tones {
        for port in 0..<Self.ports {
          for drop in first..<first + count {
            values += [Self.value(drop, tone, port), 0]
          }
        }
      }
      first += count
      let shape = [Self.tones, Self.ports] + (hasDropAxis ? [count] : [])
      try ArrayFile.write(
        [NumericArray(name: nil, shape: shape, isComplex: true, floats: values)],
        to: "\(folder.path)/s/part\(index).npy")
    }
  }

  @Test(arguments: [([2, 2, 2], true), ([1, 4, 2], true), ([1, 1, 1], false)])
  func dropsOfSeveralFilesAreOneAxis(counts: [Int], hasDropAxis: Bool) throws {
    let folder = try TestFolder()
    try shards(counts, folder, hasDropAxis: hasDropAxis)
    let drops = counts.reduce(0, +)
    let axes = ["--axes", "tone", "port", "drop"]
    let described = try Program.run(["data", "describe", "s", "--pca", "0"] + axes, in: folder)
    #expect(described.status == 0, "\(described)")
    for words in ["\(drops) x 12 x 3", "12 tones x 3 ports"] {
      #expect(described.output.contains(words), "\(described)")
    }
    #expect(
      described.output.contains(try Regex("drops +\(drops)\n")), "\(described)")
    for layout in ["frequency", "delay"] {
      let converted = try Program.run(
        [
          "data", "convert", "s", "\(layout).npy", "--layout-in", "frequency", "--layout-out",
          layout,
          "--tones", "12", "--taps", "12",
        ] + axes, in: folder)
      #expect(converted.status == 0, "\(converted)")
    }
    let array = try ArrayFile.read("\(folder.path)/frequency.npy")
    #expect(array.shape == [drops, 12, 3])
    guard case .float(let values) = array.values else { throw Failure() }
    for drop in 0..<drops {
      for tone in 0..<12 {
        for port in 0..<3 {
          #expect(values[2 * ((drop * 12 + tone) * 3 + port)] == Self.value(drop, tone, port))
        }
      }
    }
    // As of one file.
    let again = try Program.run(
      "data", "convert", "frequency.npy", "again.npy", "--layout-in", "frequency", "--layout-out",
      "delay", "--tones", "12", "--taps", "12", in: folder)
    #expect(again.status == 0, "\(again)")
    #expect(try folder.read("again.npy") == folder.read("delay.npy"))
    let plain = try Program.run(["data", "convert", "s", "o.npy"] + axes, in: folder)
    #expect(plain.status == 2 && plain.errors.contains("--layout-out"), "\(plain)")
  }

  private struct Failure: Error {}
}
