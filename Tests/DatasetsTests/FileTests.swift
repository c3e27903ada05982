import ComplexModule
import DataFiles
import Datasets
import Foundation
import Link
import LinkMath
import TestSupport
import Testing

/// Descriptions and conversions of files.
struct FileTests {
  private let pool = WorkerPool(threadCount: 1)

  private func sha(_ path: String, _ variable: String? = nil) throws -> String? {
    try DatasetDescription.of(
      RecordSource(path, variable: variable), RecordOptions(), pcaLimit: 0, pool: pool)?
      .sha256Float32
  }

  /// The checksums that came with the fixtures, over all rows as little-endian single precision.
  @Test func checksums() throws {
    #expect(
      try sha(dataset("umi_los_200_v73.mat"))
        == "e6dc4931b6b52d5681ce29d53ef62647ad4c06490a1589d2c74f7c94e93d290b")
    #expect(
      try sha(dataset("indoor_los_200_v73.mat"))
        == "9f8b161da12bbbc41e050aaa55f2e1c81142065dd17de5916706031c965aef72")
    #expect(try sha(dataset("umi_los_20.npz")) == sha(dataset("umi_los_20_v5.mat")))
  }

  /// The scale that the generator printed, and unit power of every sample.
  @Test(arguments: [
    ("umi_los_200_v73.mat", 0.01633794605731964, 54.66695339953088),
    ("indoor_los_200_v73.mat", 0.01636333577334881, 54.83699381425289),
  ])
  func scaleOfFixtures(_ name: String, _ scale: Double, _ energy: Double) throws {
    let found = try #require(
      try DatasetDescription.of(
        RecordSource(dataset(name)), RecordOptions(), pcaLimit: 0, pool: pool))
    #expect(found.layout == "csinet")
    let channels = try #require(found.channels)
    #expect(abs(channels.rootMeanSquare / scale - 1) < 1e-6)
    #expect(channels.normalisation == "every drop has the same energy")
    #expect(abs(200 * channels.energy.mean / energy - 1) < 1e-6)
  }

  @Test func complexTrackNeedsItsAxes() throws {
    let source = try RecordSource(dataset("track_complex_v73.mat"))
    let plain = try DatasetDescription.of(source, RecordOptions(), pcaLimit: 0, pool: pool)
    #expect(plain?.channels == nil && plain?.hint != nil)
    var options = RecordOptions()
    options.layout = .delay
    options.axes = ["drop", "drop", "angle", "delay"]
    let found = try DatasetDescription.of(source, options, pcaLimit: 0, pool: pool)
    let energy = try #require(found?.channels?.energy)
    #expect(energy.count == 60)
    #expect(abs(60 * energy.mean - 1918401.2516445634) < 1e-1)
    options.axes = ["drop", "tone", "port"]
    #expect(throws: RecordOptionError.self) {
      try DatasetDescription.of(source, options, pcaLimit: 0, pool: pool)
    }
  }

  private static let formats: [ArrayFormat] = [.npy, .npz, .mat5, .mat73, .csv, .safetensors]

  /// From every format to every other and back, real and complex, the numbers stay.
  @Test(arguments: formats, formats)
  func everyPair(_ from: ArrayFormat, _ to: ArrayFormat) throws {
    try withTemporaryFolder { folder in
      for isComplex in [false, true] {
        let source = try ArrayFile.open(
          dataset(isComplex ? "track_complex_v73.mat" : "umi_los_200_v73.mat"))
        let rows = try source.rows(0..<5)
        let original = NumericArray(
          name: "H", shape: rows.shape, isComplex: isComplex, floats: rows.floats())
        let table: DatasetConversion.TableShape = .init(
          axes: Array(rows.shape.dropFirst()), isComplex: isComplex)
        try ArrayFile.write([original], to: "\(folder)/original.npy")
        var path = "\(folder)/original.npy"
        for (index, format) in [from, to, .npy].enumerated() {
          let next = "\(folder)/\(index).\(format.suffix)"
          _ = try DatasetConversion(output: next, format: format).copy(
            [RecordSource(path)], table: path.hasSuffix("csv") ? table : nil, single: true)
          path = next
        }
        let back = try ArrayFile.read(path)
        #expect(back.shape == original.shape && back.values == original.values)
      }
    }
  }

  private func options(_ layout: RecordOptions.Layout) -> RecordOptions {
    var options = RecordOptions()
    options.layout = layout
    options.ports = 32
    options.tones = 64
    options.angleShift = 16
    return options
  }

  /// csinet to delay to frequency and back again; h of csinet is 2 (x - 0.5).
  @Test func layouts() throws {
    try withTemporaryFolder { folder in
      let step = {
        (
          input: String, from: RecordOptions.Layout, output: String, to: RecordOptions.Layout,
          scale: DatasetConversion.Scale
        ) in
        try DatasetConversion(output: "\(folder)/\(output)").convert(
          RecordReading(RecordSource(input), from, options(from)), to: to, scale: scale)
      }
      let start = dataset("umi_los_20.npz")
      _ = try step(start, .csinet, "delay.npz", .delay, .none)
      _ = try step("\(folder)/delay.npz", .delay, "tones.mat", .frequency, .none)
      _ = try step("\(folder)/tones.mat", .frequency, "again.npy", .delay, .none)
      let last = try step("\(folder)/again.npy", .delay, "back.npy", .csinet, .none)
      #expect(last.arrays[0].shape == [20, 2, 32, 32])
      #expect(try ArrayFile.list("\(folder)/tones.mat")[0].shape == [20, 64, 32])
      let original = try ArrayFile.read(start).floats()
      let delay = try ArrayFile.read("\(folder)/delay.npz")
      // Delay row 3, angle column 5 of record 2.
      let place = 2 * 2048 + 32 * 5 + 3
      let entry = 2 * (2 * 1024 + 3 * 32 + 5)
      #expect(delay.floats()[entry] == 2 * (original[place] - 0.5))
      #expect(delay.floats()[entry + 1] == 2 * (original[place + 1024] - 0.5))
      let back = try ArrayFile.read("\(folder)/back.npy").floats()
      let worst = zip(original, back).map { abs($0 - $1) }.max()!
      #expect(worst < 1e-6)
      // Energy is kept: the transforms are unitary.
      let tones = try ArrayFile.read("\(folder)/tones.mat").doubles().reduce(0) { $0 + $1 * $1 }
      let energy = delay.doubles().reduce(0) { $0 + $1 * $1 }
      #expect(abs(tones / energy - 1) < 1e-5)
    }
  }

  /// Against the double sum of the definition: row i is delay i - guard_rows, DFT column q lies at q + angle_shift.
  @Test(arguments: [AngularDelayTransform.Direction.forward, .inverse])
  func conversionsEqualTheDoubleSum(angle: AngularDelayTransform.Direction) throws {
    let (tones, ports, rows, guardRows, shift) = (12, 5, 4, 1, 2)
    var options = RecordOptions()
    (options.tones, options.taps, options.guardRows) = (tones, rows, guardRows)
    (options.angleDFT, options.angleShift, options.ports) = (angle, shift, ports)
    let turns = { (tone: Int, port: Int, row: Int, column: Int) -> Double in
      let sign = angle == .forward ? -1.0 : 1
      return Double(tone * (row - guardRows)) / Double(tones)
        + sign * Double(port * (column - shift)) / Double(ports)
    }
    let response = complexNormal([1, tones, ports], seed: 8)
    var csi = [Complex<Double>](repeating: .zero, count: rows * ports)
    for entry in csi.indices {
      for tone in 0..<tones {
        for port in 0..<ports {
          let h = response[0, tone, port]
          csi[entry] +=
            Complex(Double(h.real), Double(h.imaginary))
            * Complex(
              length: 1 / Double(tones * ports).squareRoot(),
              phase: 2 * .pi * turns(tone, port, entry / ports, entry % ports))
        }
      }
    }
    try withTemporaryFolder { folder in
      let convert = {
        (array: NumericArray, from: RecordOptions.Layout, to: RecordOptions.Layout) in
        try ArrayFile.write([array], to: "\(folder)/in.npy")
        let reading = try RecordReading(RecordSource("\(folder)/in.npy"), from, options)
        _ = try DatasetConversion(output: "\(folder)/out.npy").convert(
          reading, to: to, scale: .sample)
        return try ArrayFile.read("\(folder)/out.npy")
      }
      let tonesOfPorts = NumericArray(
        shape: [1, tones, ports], isComplex: true,
        floats: response.elements.flatMap { [$0.real, $0.imaginary] })
      let delays = try convert(tonesOfPorts, .frequency, .delay)
      #expect(delays.shape == [1, rows, ports])
      let parts = csi.flatMap { [$0.real, $0.imaginary] }
      #expect(zip(delays.doubles(), parts).allSatisfy { abs($0 - $1) < 1e-5 })
      // Planes of [angle, delay] around 0.5, the largest modulus at a distance of 0.5.
      let images = try convert(tonesOfPorts, .frequency, .csinet)
      #expect(images.shape == [1, 2, ports, rows])
      let peak = csi.map(\.length).max()!
      for (place, value) in images.doubles().enumerated() {
        let (row, column) = (place % rows, place / rows % ports)
        let entry = csi[row * ports + column]
        let part = place < rows * ports ? entry.real : entry.imaginary
        #expect(abs(value - (0.5 + 0.5 * part / peak)) < 1e-5, "place \(place)")
      }
      // The transform is unitary: back from the kept rows with conjugate factors.
      let back = try convert(delays, .delay, .frequency)
      #expect(back.shape == [1, tones, ports])
      for (place, value) in zip(0..<tones * ports, back.complexElements) {
        var expected = Complex<Double>.zero
        for entry in csi.indices {
          expected +=
            csi[entry]
            * Complex(
              length: 1 / Double(tones * ports).squareRoot(),
              phase: -2 * .pi
                * turns(place / ports, place % ports, entry / ports, entry % ports))
        }
        #expect((value - expected).length < 1e-5, "place \(place)")
      }
    }
  }

  /// A manifest tells what the command line does not.
  @Test func manifestsCompleteTheOptions() {
    let manifest = DatasetManifest(
      recipe: "", name: "", version: "", kernel: "", seed: 1, domain: "run", first: 0, drops: 1,
      layout: "delay", fileFormat: "npy", shardSize: 1,
      arrays: [
        .init(
          name: "H", type: "float32", axes: ["drop", "angle", "delay"], dropShape: [6, 12],
          meaning: "")
      ],
      grid: .init(
        tones: 48, spacingHz: 60e3, carrierHz: 3.5e9, ports: 6, taps: 12, guardRows: 3,
        angleDft: "inverse", angleShift: 4, portSpacing: 0.7),
      conventions: [:], scenario: "")
    let all = RecordOptions().completed(by: manifest)
    #expect(all.layout == .delay && all.axes == ["drop", "angle", "delay"])
    #expect(all.tones == 48 && all.spacingHz == 60e3 && all.ports == 6 && all.taps == 12)
    #expect(all.guardRows == 3 && all.angleDFT == .inverse && all.angleShift == 4)
    #expect(all.portSpacing == 0.7)
    var own = RecordOptions()
    (own.layout, own.axes, own.tones, own.spacingHz) = (.frequency, ["drop", "tone"], 64, 15e3)
    (own.ports, own.taps, own.guardRows, own.angleDFT) = (2, 5, 1, .forward)
    (own.angleShift, own.portSpacing) = (1, 0.25)
    let kept = own.completed(by: manifest)
    #expect(kept.layout == .frequency && kept.axes == ["drop", "tone"])
    #expect(kept.tones == 64 && kept.spacingHz == 15e3 && kept.ports == 2 && kept.taps == 5)
    #expect(kept.guardRows == 1 && kept.angleDFT == .forward && kept.angleShift == 1)
    #expect(kept.portSpacing == 0.25)
  }

  @Test func scales() throws {
    try withTemporaryFolder { folder in
      let values = (0..<3 * 8).map { Float($0) - 7 }
      try ArrayFile.write(
        [NumericArray(shape: [3, 2, 2], isComplex: true, floats: values)], to: "\(folder)/a.npy")
      let convert = { (scale: DatasetConversion.Scale) in
        let outcome = try DatasetConversion(output: "\(folder)/\(scale).npy").convert(
          RecordReading(RecordSource("\(folder)/a.npy"), .delay, RecordOptions()), to: .csinet,
          scale: scale)
        return (try ArrayFile.read("\(folder)/\(scale).npy").floats(), outcome.factor)
      }
      let (file, factor) = try convert(.file)
      #expect(factor == Double(Float(1) / 16) && file.max() == 1)
      let (sample, _) = try convert(.sample)
      for record in 0..<3 {
        let planes = sample[record * 8..<(record + 1) * 8].map { 2 * Double($0) - 1 }
        let peak = (0..<4).map { hypot(planes[$0], planes[$0 + 4]) }.max()!
        #expect(abs(peak - 1) < 1e-6)
      }
      #expect(throws: RecordOptionError.self) { try convert(.none) }
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/none.npy"))
    }
  }

  @Test func valuesThatAreNotFinite() throws {
    try withTemporaryFolder { folder in
      try ArrayFile.write(
        [NumericArray(shape: [3, 2], floats: [0, 0, 0, 0, 0, .nan])], to: "\(folder)/a.npy")
      let error = #expect(throws: DataFileError.self) { try sha("\(folder)/a.npy") }
      #expect(error?.description.contains("nan in row 2, value 1") == true)
    }
  }
}

extension NumericArray {
  fileprivate var complexElements: [Complex<Double>] {
    let parts = doubles()
    return stride(from: 0, to: parts.count, by: 2).map { Complex(parts[$0], parts[$0 + 1]) }
  }
}
