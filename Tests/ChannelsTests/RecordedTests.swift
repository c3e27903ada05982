import Channels
import ComplexModule
import DataFiles
import Foundation
import LinkMath
import Parts
import Testing

private let datasets = fixtureFolder.deletingLastPathComponent().appendingPathComponent("datasets")

private func dataset(_ name: String) -> Setting {
  .text(datasets.appendingPathComponent(name).path)
}

private let grid64 = LinkContext.Grid(toneCount: 64, spacingHz: 60e3, carrierHz: 3.5e9)

private func recorded(_ settings: [String: Setting], grid: LinkContext.Grid = grid64) throws
  -> RecordedChannel
{
  try makeChannel(RecordedChannel.self, settings, grid: grid)
}

/// Runs the body with a folder that is removed afterwards.
private func withFolder<R>(_ body: (URL) throws -> R) throws -> R {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("csilink-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

private func write(_ array: NumericArray, _ folder: URL, _ name: String) throws -> Setting {
  let path = folder.appendingPathComponent(name).path
  try ArrayFile.write([array], to: path)
  return .text(path)
}

/// One angular-delay matrix [delay, angle] of a response [subcarrier, port] by the definition of the link's transform.
private func angularDelay(_ response: ComplexArray, sign: Double, shift: Int) -> ComplexArray {
  let rows = delayTransform(response)
  let (tones, ports) = (rows[dimension: 0], rows[dimension: 1])
  var result = ComplexArray(uninitialized: [tones, ports])
  for k in 0..<tones {
    for q in 0..<ports {
      var sum = Complex<Double>(0)
      for i in 0..<ports {
        let phase = sign * 2 * .pi * Double(q * i % ports) / Double(ports)
        sum += rows[k, i].inDouble * Complex(cos(phase), sin(phase))
      }
      let scale = 1 / Double(ports).squareRoot()
      let column = ((q + shift) % ports + ports) % ports
      result[k, column] = ComplexFloat(Float(sum.real * scale), Float(sum.imaginary * scale))
    }
  }
  return result
}

@Suite struct RecordedTests {
  @Test(arguments: [
    ("forward", -1.0, 0), ("forward", -1, 16), ("inverse", 1, 0), ("inverse", 1, -5),
  ])
  func transformReturnsTheStoredMatrix(_ dft: String, _ sign: Double, _ shift: Int) throws {
    let model = try recorded([
      "file": dataset("umi_los_20.npz"), "variable": .text("HT"), "angle_dft": .text(dft),
      "angle_shift": .integer(shift), "normalise": .text("none"),
    ])
    #expect(model.portCount == 32)
    #expect(model.dropCount(in: .run) == 20)
    let stored = try ArrayFile.read(datasets.appendingPathComponent("umi_los_20.npz").path)
      .floats()
    let responses = try model.frequencyResponse(DropBlock(0..<20, seed: 1), slots: [0])[0]
    for drop in [0, 7, 19] {
      let response = responses.slice(drop..<drop + 1).reshaped([64, 32])
      let matrix = angularDelay(response, sign: sign, shift: shift)
      for delay in 0..<64 {
        for angle in 0..<32 {
          let at = drop * 2048 + angle * 32 + delay
          let expected =
            delay < 32
            ? ComplexFloat(stored[at] - 0.5, stored[at + 1024] - 0.5) : ComplexFloat(0)
          #expect((matrix[delay, angle] - expected).length < 2e-6)
        }
      }
    }
  }

  /// Rows before delay zero, told by a key or by the manifest beside the file: the link's transform gives the file's matrix.
  @Test(arguments: [
    "key", "manifest of the file", "manifest of the folder", "manifest of another file",
  ])
  func rowsBeforeDelayZeroAreKept(source: String) throws {
    let (tones, taps, ports, guardRows, shift) = (20, 6, 4, 2, 3)
    let matrix = ComplexArray(
      (0..<taps * ports).map { ComplexFloat(Float($0) - 7.5, Float($0 * $0 % 5)) },
      shape: [taps, ports])
    try withFolder { folder in
      let array = NumericArray(
        name: nil, shape: [1, taps, ports], isComplex: true,
        floats: matrix.elements.flatMap { [$0.real, $0.imaginary] })
      var settings: [String: Setting] = [
        "file": try write(array, folder, "h.npy"), "layout": .text("delay"),
        "normalise": .text("none"),
      ]
      let name = source.hasSuffix("another file") ? "other.npy" : "h.npy"
      let manifest = """
        {"format": "csilink dataset 1", "grid": {"guard_rows": 2, "angle_dft": "inverse", "angle_shift": 3},
         "shards": [{"files": [{"name": "\(name)"}]}]}
        """
      if source == "key" {
        settings["guard_rows"] = .integer(guardRows)
        settings["angle_dft"] = .text("inverse")
        settings["angle_shift"] = .integer(shift)
      } else {
        let place = source.hasSuffix("folder") ? "manifest.json" : "h.npy.json"
        try manifest.write(
          to: folder.appendingPathComponent(place), atomically: true, encoding: .utf8)
      }
      let grid = LinkContext.Grid(toneCount: tones, spacingHz: 60e3, carrierHz: 2e9)
      let model = try recorded(settings, grid: grid)
      let response = try model.frequencyResponse(DropBlock(0..<1, seed: 1), slots: [0])[0]
        .reshaped([tones, ports])
      let found = angularDelay(response, sign: 1, shift: shift)
      var differs = false
      for row in 0..<tones {
        for column in 0..<ports {
          let tap = (row + guardRows) % tones
          let expected = tap < taps ? matrix[tap, column].inDouble : .zero
          differs = differs || (found[row, column].inDouble - expected).length > 1e-4
        }
      }
      #expect(differs == (source == "manifest of another file"))
      let context = LinkContext(grid: grid)
      let files = RecordedChannel.files(try RecordedChannel.schema.settings(settings), in: context)
      #expect(files.count == (source.hasPrefix("manifest of the") ? 2 : 1))
    }
  }

  @Test func formatsGiveTheSameResponses() throws {
    try withFolder { folder in
      let block = DropBlock(0..<20, seed: 1)
      let first: [String: Setting] = ["file": dataset("umi_los_20.npz")]
      let reference = try recorded(first).frequencyResponse(block, slots: [0])[0]
      #expect(abs(reference.energy / Double(reference.count) - 1) < 1e-5)
      let array = try ArrayFile.read(datasets.appendingPathComponent("umi_los_20.npz").path)
      let image = NumericArray(name: "x", shape: [20, 2, 32, 32], floats: array.floats())
      let files = [
        dataset("umi_los_20_v5.mat"), dataset("umi_los_200_v73.mat"),
        try write(array, folder, "a.npy"), try write(array, folder, "a.safetensors"),
        try write(image, folder, "image.npz"), try write(array, folder, "a.csv"),
      ]
      for file in files {
        let model = try recorded(["file": file])
        #expect(try model.frequencyResponse(block, slots: [0])[0] == reference, "\(file)")
      }
      let digits = try recorded(["file": dataset("umi_los_4.csv")])
        .frequencyResponse(DropBlock(0..<4, seed: 1), slots: [0])[0]
      let worst = zip(digits.elements, reference.elements).map { ($0 - $1).length }.max()!
      #expect(worst < 1e-4)
    }
  }

  /// The same tracks with snapshots as slots, and as drops of their own.
  @Test func snapshotsAreSlotsOrDrops() throws {
    func track(_ axes: [String]) throws -> RecordedChannel {
      try recorded([
        "file": dataset("track_complex_v73.mat"), "layout": .text("delay"),
        "axes": .list(axes.map(Setting.text)),
      ])
    }
    let slots = try track(["drop", "slot", "angle", "delay"])
    let drops = try track(["drop", "drop", "angle", "delay"])
    #expect(slots.dropCount(in: .run) == 6)
    #expect(drops.dropCount(in: .run) == 60)
    let moving = try slots.frequencyResponse(DropBlock(2..<5, seed: 1), slots: [0, 3, 9])
    let still = try drops.frequencyResponse(DropBlock(17..<50, seed: 1), slots: [0])[0]
    for (i, slot) in [0, 3, 9].enumerated() {
      for drop in 0..<3 {
        let record = (2 + drop) * 10 + slot - 17
        if record >= 0 && record < 33 {
          #expect(moving[i].slice(drop..<drop + 1) == still.slice(record..<record + 1))
        }
      }
    }
    let error = #expect(throws: DataFileError.self) {
      try slots.frequencyResponse(DropBlock(0..<1, seed: 1), slots: [10])
    }
    #expect(error?.expected.contains("11 slots") == true)
  }

  @Test func trackEqualsItsFile() throws {
    let model = try recorded([
      "file": dataset("track_complex_v73.mat"), "layout": .text("delay"),
      "axes": .list([.text("drop"), .text("slot"), .text("angle"), .text("delay")]),
      "normalise": .text("none"),
    ])
    let stored = try ArrayFile.read(datasets.appendingPathComponent("track_complex_v73.mat").path)
      .floats()
    let response = try model.frequencyResponse(DropBlock(4..<5, seed: 1), slots: [6])[0]
    let matrix = angularDelay(response.reshaped([64, 32]), sign: -1, shift: 0)
    for delay in 0..<32 {
      for angle in 0..<32 {
        let at = 2 * (((4 * 10 + 6) * 32 + angle) * 32 + delay)
        #expect((matrix[delay, angle] - ComplexFloat(stored[at], stored[at + 1])).length < 1e-4)
      }
    }
  }

  /// Data of one antenna have no axis of ports: the same responses as with an axis of length one.
  @Test(arguments: [false, true])
  func oneAntennaNeedsNoAxis(_ hasSlots: Bool) throws {
    let (drops, slots, tones) = (4, hasSlots ? 3 : 1, 8)
    var stream = StreamKey(seed: 2, domain: .test, purpose: .channel).stream(drop: 0)
    let values = stream.normal(count: 2 * drops * slots * tones)
    let grid = LinkContext.Grid(toneCount: tones, spacingHz: 60e3, carrierHz: 3.5e9)
    let leading = hasSlots ? ["drop", "slot"] : ["drop"]
    let lengths = hasSlots ? [drops, slots] : [drops]
    try withFolder { folder in
      func responses(_ last: [String], _ shape: [Int], _ name: String) throws -> [ComplexArray] {
        let array = NumericArray(
          name: "H", shape: lengths + shape, isComplex: true, floats: values)
        return try recorded(
          [
            "file": try write(array, folder, name), "layout": .text("frequency"),
            "axes": .list((leading + last).map(Setting.text)), "normalise": .text("none"),
          ], grid: grid
        ).frequencyResponse(DropBlock(1..<4, seed: 1), slots: hasSlots ? [0, 2] : [0])
      }
      let without = try responses(["tone"], [tones], "a.npy")
      #expect(without == (try responses(["tone", "port"], [tones, 1], "b.npy")))
      let at = 2 * ((2 * slots) * tones + 5)
      #expect(without[0][1, 5, 0] == ComplexFloat(values[at], values[at + 1]))
    }
  }

  @Test(arguments: [false, true])
  func frequencyLayoutIsTakenAsItIs(_ isTransposed: Bool) throws {
    let (drops, tones, ports) = (3, 12, 5)
    var stream = StreamKey(seed: 1, domain: .test, purpose: .channel).stream(drop: 0)
    let values = stream.normal(count: 2 * drops * tones * ports)
    let shape = isTransposed ? [drops, ports, tones] : [drops, tones, ports]
    let axes = isTransposed ? ["drop", "port", "tone"] : ["drop", "tone", "port"]
    let array = NumericArray(name: "H", shape: shape, isComplex: true, floats: values)
    let grid = LinkContext.Grid(toneCount: tones, spacingHz: 60e3, carrierHz: 3.5e9)
    try withFolder { folder in
      let model = try recorded(
        [
          "file": try write(array, folder, "h.mat"), "layout": .text("frequency"),
          "axes": .list(axes.map(Setting.text)), "normalise": .text("none"),
        ], grid: grid)
      let responses = try model.frequencyResponse(DropBlock(1..<3, seed: 1), slots: [0, 5])
      #expect(responses[0] == responses[1])
      for (drop, tone, port) in [(0, 0, 0), (1, 11, 4), (0, 7, 2), (1, 3, 1)] {
        let record = (drop + 1) * tones * ports
        let at = 2 * (record + (isTransposed ? port * tones + tone : tone * ports + port))
        #expect(responses[0][drop, tone, port] == ComplexFloat(values[at], values[at + 1]))
      }
    }
  }

  @Test func splitDealsRecordsOutOnce() throws {
    let file = dataset("umi_los_20.npz")
    let whole = try recorded(["file": file])
      .frequencyResponse(DropBlock(0..<20, seed: 1), slots: [0])[0]
    let model = try recorded([
      "file": file, "split.fit": .integer(3), "split.train": .integer(5),
      "split.validation": .integer(2), "split.test": .integer(4), "split.run": .integer(5),
    ])
    let expected: [(StreamKey.Domain, Range<Int>)] = [
      (.fit, 0..<3), (.train, 3..<8), (.validation, 8..<10), (.test, 10..<14), (.run, 14..<19),
    ]
    for (domain, records) in expected {
      #expect(model.dropCount(in: domain) == records.count)
      let block = DropBlock(1..<records.count, domain: domain, seed: 1)
      let part = try model.frequencyResponse(block, slots: [0])[0]
      #expect(part == whole.slice(records.lowerBound + 1..<records.upperBound))
    }
    #expect(model.dropCount(in: .initialisation) == 0)
    let rest = try recorded(["file": file, "split.fit": .integer(12)])
    #expect(rest.dropCount(in: .run) == 8)
  }

  static let wrongSettings: [(settings: [String: Setting], key: String)] = [
    (["split.fit": .integer(21)], "split.fit"),
    (["split.fit": .integer(20)], "split.run"),
    (["split.train": .integer(15), "split.test": .integer(6)], "split.test"),
    (["split.fit": .integer(10), "split.run": .integer(11)], "split.run"),
    (["axes": .list([.text("drop"), .text("delay"), .text("angle")])], "axes"),
    (["ports": .integer(8)], "file"),
    (["layout": .text("delay"), "ports": .integer(32)], "ports"),
    (["layout": .text("frequency"), "angle_shift": .integer(3)], "angle_shift"),
    (["layout": .text("frequency"), "guard_rows": .integer(3)], "guard_rows"),
    (["guard_rows": .integer(32)], "guard_rows"),
    (
      [
        "layout": .text("delay"),
        "axes": .list([.text("drop"), .text("tone"), .text("angle")]),
      ], "axes"
    ),
    (
      [
        "layout": .text("delay"),
        "axes": .list([.text("slot"), .text("drop"), .text("slot"), .text("delay")]),
      ], "axes"
    ),
  ]

  @Test(arguments: wrongSettings.indices)
  func contradictionsNameTheirKey(_ index: Int) throws {
    var (given, key) = Self.wrongSettings[index]
    if given["layout"] != .text("frequency") {
      given["file"] = dataset("umi_los_20.npz")
      let error = #expect(throws: SettingsError.self) { try recorded(given) }
      #expect(error?.key == key)
      return
    }
    try withFolder { folder in
      let array = NumericArray(
        name: "H", shape: [1, 64, 2], isComplex: true, floats: [Float](repeating: 1, count: 256))
      given["file"] = try write(array, folder, "h.npy")
      let error = #expect(throws: SettingsError.self) { try recorded(given) }
      #expect(error?.key == key)
    }
  }

  @Test func arraysOfAnotherFormAreRefused() throws {
    // Complex data under the real layout, real data under a complex one, sizes that do not divide, a grid that does not fit.
    for (name, more) in [
      ("track_complex_v73.mat", [:]), ("umi_los_20.npz", ["layout": .text("delay")]),
      ("umi_los_20.npz", ["ports": .integer(31)]), ("no_such_file.npy", [:]),
    ] as [(String, [String: Setting])] {
      let error = #expect(throws: DataFileError.self) {
        try recorded(more.merging(["file": dataset(name)]) { $1 })
      }
      #expect(error?.file.hasSuffix(name) == true)
    }
    let small = LinkContext.Grid(toneCount: 31, spacingHz: 60e3, carrierHz: 3.5e9)
    let error = #expect(throws: SettingsError.self) {
      try recorded(["file": dataset("umi_los_20.npz")], grid: small)
    }
    #expect(error?.key == "file")
  }

  /// (value written at record 2, what the message must say)
  @Test(arguments: [(Float.nan, "nan"), (.infinity, "inf"), (1.5, "1.5")])
  func damagedRecordsAreNamedWhenTheyAreMet(_ value: Float, _ found: String) throws {
    var values = [Float](repeating: 0.25, count: 4 * 16)
    values[2 * 16 + 3] = value
    try withFolder { folder in
      let file = try write(
        NumericArray(name: "HT", shape: [4, 16], floats: values), folder, "damaged.npz")
      let model = try recorded(["file": file, "ports": .integer(2)])
      _ = try model.frequencyResponse(DropBlock(0..<2, seed: 1), slots: [0])
      let error = #expect(throws: DataFileError.self) {
        try model.frequencyResponse(DropBlock(1..<4, seed: 1), slots: [0])
      }
      let text = try #require(error).description
      for part in ["damaged.npz", "HT", "record 2", found] { #expect(text.contains(part)) }
    }
  }

  /// A blocked user stays silent under every normalisation, and its neighbours are what they are without it.
  @Test(arguments: ["none", "sample"])
  func recordsWithoutEnergyStaySilent(normalise: String) throws {
    var values = (0..<4 * 16).map { 0.25 + Float($0 % 7) / 16 }
    for i in 2 * 16..<3 * 16 { values[i] = 0.5 }
    try withFolder { folder in
      let file = try write(
        NumericArray(name: "HT", shape: [4, 16], floats: values), folder, "blocked.npz")
      let model = try recorded([
        "file": file, "ports": .integer(2), "normalise": .text(normalise),
      ])
      let drawn = try model.normalisedResponse(DropBlock(0..<4, seed: 1), slots: [0])
      #expect(drawn.responses[0].slice(2..<3).elements.allSatisfy { $0 == .zero })
      #expect(drawn.gains[0][2] == 1)
      for drop in [0, 1, 3] {
        #expect(drawn.responses[0].slice(drop..<drop + 1).energy > 0)
        #expect((drawn.gains[0][drop] == 1) == (normalise == "none"))
      }
    }
  }

  @Test func blocksMayBeSplitAnywhere() throws {
    let odd = LinkContext.Grid(toneCount: 33, spacingHz: 60e3, carrierHz: 3.5e9)
    let values = (0..<6 * 30).map { Float($0 % 17) / 17 }
    try withFolder { folder in
      let file = try write(NumericArray(shape: [6, 30], floats: values), folder, "odd.npy")
      let model = try recorded(["file": file, "ports": .integer(3)], grid: odd)
      let whole = try model.frequencyResponse(DropBlock(0..<6, seed: 1), slots: [0])[0]
      for drops in [0..<1, 1..<4, 4..<6] {
        let part = try model.frequencyResponse(
          DropBlock(drops, seed: 1), slots: [0])[0]
        #expect(part == whole.slice(drops))
      }
    }
  }
}
