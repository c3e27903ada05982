import Channels
import DataFiles
import Foundation
import LinkMath
import Parts
import Testing

private let datasets = fixtureFolder.deletingLastPathComponent().appendingPathComponent("datasets")
private let grid = LinkContext.Grid(toneCount: 3, spacingHz: 60e3, carrierHz: 3.5e9)

/// Axes of recorded arrays in any order, under any of their names: always the same channels (`foreign_axes.py`).
@Suite struct RecordedAxesTests {
  private static func model(
    _ file: String, axes: [String] = [], layout: String = "frequency",
    _ more: [String: Setting] = [:],
    grid: LinkContext.Grid = grid
  ) throws -> RecordedChannel {
    var settings: [String: Setting] = [
      "file": .text(file.hasPrefix("/") ? file : datasets.appendingPathComponent(file).path),
      "layout": .text(layout), "normalise": .text("none"),
    ]
    if !axes.isEmpty { settings["axes"] = .list(axes.map(Setting.text)) }
    return try makeChannel(
      RecordedChannel.self, settings.merging(more) { $1 }, grid: grid)
  }

  private static func number(_ drop: Int, _ tone: Int, _ port: Int) -> ComplexFloat {
    let number = Float(100 * drop + 10 * tone + port + 1)
    return ComplexFloat(number, -number / 2)
  }

  static let arrays: [(file: String, variable: String?, axes: [String])] = [
    ("foreign_last_v5.mat", nil, ["tone", "port", "drop"]),
    ("foreign_last.npy", nil, ["subcarrier", "antenna", "sample"]),
    ("foreign_struct_v5.mat", "s.H", ["tone", "port", "drop"]),
    ("foreign_struct_v73.mat", "s.H", ["tone", "antenna", "drop"]),
    ("foreign_ones.npy", nil, ["port", "one", "drop", "tone", "one"]),
    ("foreign_ones.npy", nil, ["port", "drop", "tone"]),
    ("foreign_parts.npy", nil, []),
    ("foreign_parts.npy", nil, ["drop", "part", "tone", "port"]),
    ("foreign_parts.npz", "H", []),
    ("foreign_parts_last.npy", nil, ["port", "tone", "drop", "part"]),
    ("foreign_h5py.h5", "H", []),
    ("foreign_h5py.h5", "link/down", ["tone", "port", "drop"]),
    ("foreign_h5py.h5", "packed", ["tone", "port", "drop"]),
    ("foreign_shards", nil, ["tone", "port", "drop"]),
    ("foreign_shards/", nil, ["tone", "port", "drop"]),
  ]

  @Test(arguments: arrays.indices)
  func sameChannels(_ index: Int) throws {
    let (file, variable, axes) = Self.arrays[index]
    let model = try Self.model(file, axes: axes, variable.map { ["variable": .text($0)] } ?? [:])
    #expect(model.dropCount(in: .run) == 5)
    #expect(model.portCount == 2)
    for drops in [0..<5, 1..<4] {
      let response = try model.frequencyResponse(DropBlock(drops, seed: 1), slots: [0])[0]
      for (index, drop) in drops.enumerated() {
        for tone in 0..<3 {
          for port in 0..<2 {
            #expect(response[index, tone, port] == Self.number(drop, tone, port))
          }
        }
      }
    }
  }

  /// An axis of four multiples, as slots and as drops, wherever it lies.
  @Test func slotsAndFurtherDrops() throws {
    let slots = try Self.model("foreign_slots.npy", axes: ["slot", "drop", "tone", "port"])
    #expect(slots.dropCount(in: .run) == 5)
    let moving = try slots.frequencyResponse(DropBlock(1..<3, seed: 1), slots: [0, 2, 3])
    let users = try Self.model("foreign_slots.npy", axes: ["drop", "drop", "tone", "port"])
    #expect(users.dropCount(in: .run) == 20)
    let still = try users.frequencyResponse(DropBlock(3..<17, seed: 1), slots: [0])[0]
    for tone in 0..<3 {
      for (index, slot) in [0, 2, 3].enumerated() {
        let factor = Float(slot + 1)
        let expected = Self.number(2, tone, 1)
        #expect(
          moving[index][1, tone, 1]
            == ComplexFloat(factor * expected.real, factor * expected.imaginary))
      }
      // Drop 13 is entry 3 of the third multiple.
      let expected = Self.number(3, tone, 0)
      #expect(still[10, tone, 0] == ComplexFloat(3 * expected.real, 3 * expected.imaginary))
    }
    #expect(throws: DataFileError.self) {
      try slots.frequencyResponse(DropBlock(0..<1, seed: 1), slots: [4])
    }
  }

  /// The ports of a panel lie on several axes, wherever they are: the first is the slowest.
  @Test(arguments: [["drop", "tone", "port", "antenna"], ["port", "drop", "port", "tone"]])
  func portsOfAPanel(axes: [String]) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("csilink-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (drops, rows, columns) = (4, 2, 5)
    let isLast = axes[0] == "drop"
    var values: [Float] = []
    func add(_ drop: Int, _ tone: Int, _ row: Int, _ column: Int) {
      let value = Self.number(drop, tone, columns * row + column)
      values += [value.real, value.imaginary]
    }
    if isLast {
      for drop in 0..<drops {
        for tone in 0..<3 {
          for row in 0..<rows { for column in 0..<columns { add(drop, tone, row, column) } }
        }
      }
    } else {
      for row in 0..<rows {
        for drop in 0..<drops {
          for column in 0..<columns { for tone in 0..<3 { add(drop, tone, row, column) } }
        }
      }
    }
    let path = folder.appendingPathComponent("panel.npy").path
    let shape = isLast ? [drops, 3, rows, columns] : [rows, drops, columns, 3]
    try ArrayFile.write([NumericArray(shape: shape, isComplex: true, floats: values)], to: path)
    let model = try Self.model(path, axes: axes)
    #expect(model.portCount == 10 && model.dropCount(in: .run) == 4)
    let response = try model.frequencyResponse(DropBlock(0..<4, seed: 1), slots: [0])[0]
    for drop in 0..<drops {
      for tone in 0..<3 {
        for port in 0..<10 {
          #expect(response[drop, tone, port] == Self.number(drop, tone, port))
        }
      }
    }
    let error = try #require(throws: DataFileError.self) { try Self.model(path) }
    #expect(error.hint?.contains("[drop, tone, port, port]") == true)
  }

  /// MATLAB drops axes of length one at the end.
  @Test func oneDropOrOnePortMayHaveNoAxis() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("csilink-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("h.npy").path
    let values = (0..<6).map { Float($0) + 1 }
    try ArrayFile.write(
      [NumericArray(shape: [3, 1], isComplex: true, floats: values)], to: path)
    let one = try Self.model(path, axes: ["tone", "port", "drop"])
    #expect(one.dropCount(in: .run) == 1 && one.portCount == 1)
    let response = try one.frequencyResponse(DropBlock(0..<1, seed: 1), slots: [0])[0]
    #expect(response.elements == [ComplexFloat(1, 2), ComplexFloat(3, 4), ComplexFloat(5, 6)])
    let small = LinkContext.Grid(toneCount: 1, spacingHz: 60e3, carrierHz: 3.5e9)
    let drops = try Self.model(path, axes: ["drop", "tone"], grid: small)
    #expect(drops.dropCount(in: .run) == 3 && drops.portCount == 1)
  }

  /// Values of csinet with the drop last, flat and with axes, are those of the usual order.
  @Test func csinetValuesInAnyOrder() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("csilink-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (drops, angles, delays) = (4, 3, 2)
    let value = { (drop: Int, part: Int, angle: Int, delay: Int) -> Float in
      Float(((drop * 2 + part) * angles + angle) * delays + delay) / 64
    }
    var (usual, flat, turned): ([Float], [Float], [Float]) = ([], [], [])
    for drop in 0..<drops {
      for i in 0..<12 { usual.append(value(drop, i / 6, i / 2 % 3, i % 2)) }
    }
    for i in 0..<12 {
      for drop in 0..<drops { flat.append(value(drop, i / 6, i / 2 % 3, i % 2)) }
    }
    for delay in 0..<delays {
      for drop in 0..<drops {
        for angle in 0..<angles {
          for part in 0..<2 { turned.append(value(drop, part, angle, delay)) }
        }
      }
    }
    func responses(_ name: String, _ shape: [Int], _ values: [Float], _ axes: [String]) throws
      -> ComplexArray
    {
      let path = folder.appendingPathComponent(name).path
      try ArrayFile.write([NumericArray(shape: shape, floats: values)], to: path)
      return try Self.model(path, axes: axes, layout: "csinet", ["ports": .integer(3)])
        .frequencyResponse(DropBlock(0..<4, seed: 1), slots: [0])[0]
    }
    let expected = try responses("a.npy", [4, 2, 3, 2], usual, [])
    #expect(try responses("b.npy", [12, 4], flat, ["value", "drop"]) == expected)
    #expect(
      try responses("c.npy", [2, 4, 3, 2], turned, ["delay", "sample", "angle", "part"]) == expected
    )
  }

  /// Rows of flattened matrices, as tables have them, are told the command that gives them axes.
  @Test func flattenedMatricesAreToldTheWayOut() throws {
    try withFolder { folder in
      let complex = "\(folder)/flat.npy"
      try ArrayFile.write(
        [NumericArray(shape: [4, 6], isComplex: true, floats: (0..<48).map { Float($0) })],
        to: complex)
      let real = "\(folder)/flat.csv"
      try ArrayFile.write(
        [NumericArray(shape: [4, 12], floats: (0..<48).map { Float($0) })], to: real)
      for (path, layout, command) in [
        (
          complex, "frequency",
          "'csilink data convert \(folder)/flat.npy \(folder)/flat-axes.npy --shape 3,2'"
        ),
        (complex, "delay", "--shape DELAYS,ANGLES', DELAYS x ANGLES being 6"),
        (
          real, "frequency",
          "'csilink data convert \(folder)/flat.csv \(folder)/flat-axes.npy --shape 2,3,2'"
        ),
        (real, "frequency", "--shape 3,2 --complex' where they stand in turn"),
        (real, "delay", "--shape 2,DELAYS,ANGLES'"),
      ] {
        do {
          _ = try Self.model(path, layout: layout)
          Issue.record("\(path) is accepted")
        } catch {
          let hint = (error as? SettingsError)?.hint ?? (error as? DataFileError)?.hint
          #expect(hint?.contains(command) == true, "\(error)")
        }
      }
    }
  }

  /// Real and imaginary parts in two arrays are told how to be joined.
  @Test func partsInTwoArraysAreToldTheWayOut() throws {
    try withFolder { folder in
      for (file, names, command) in [
        (
          "h.npz", ["H_re", "H_im"],
          "d = numpy.load('h.npz'); numpy.save('h-complex.npy', d['H_re'] + 1j * d['H_im'])"
        ),
        ("h.npz", ["imag", "real"], "d['real'] + 1j * d['imag']"),
        (
          "h.mat", ["Hr", "Hi"],
          "load('h.mat'); H = complex(Hr, Hi); save('h-complex.mat', 'H', '-v7.3')"
        ),
        ("h.safetensors", ["ImH", "ReH"], "safetensors.numpy.load_file('h.safetensors')"),
      ] {
        let path = "\(folder)/\(file)"
        let arrays = names.map { name in
          NumericArray(name: name, shape: [4, 3, 2], floats: (0..<24).map { Float($0) })
        }
        try ArrayFile.write(arrays, to: path)
        for variable in [nil, names[0]] {
          let error = #expect(throws: DataFileError.self) {
            try Self.model(path, axes: [], variable.map { ["variable": .text($0)] } ?? [:])
          }
          #expect(error?.hint?.contains(command) == true, "\(String(describing: error))")
        }
      }
      // Arrays of other shapes or names are no parts of each other.
      let path = "\(folder)/other.npz"
      try ArrayFile.write(
        [
          NumericArray(name: "re", shape: [2], floats: [1, 2]),
          NumericArray(name: "im", shape: [1], floats: [1]),
          NumericArray(name: "train", shape: [2], floats: [1, 2]),
        ], to: path)
      let error = #expect(throws: DataFileError.self) { try Self.model(path) }
      #expect(error?.hint == "name the variable to read")
    }
  }

  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("csilink-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
  }

  /// (file, axes, what the message must say)
  static let refused: [(file: String, axes: [String], message: String)] = [
    ("foreign_last.npy", ["tone", "port"], "must name the axis of each drop"),
    ("foreign_last.npy", ["drop", "port"], "must name the axis of each tone"),
    ("foreign_last.npy", ["drop", "tone", "tone"], "names tone twice"),
    ("foreign_last.npy", ["drop", "tone", "angle"], "has no axis 'angle' in layout frequency"),
    ("foreign_last.npy", ["drop", "delay", "angle"], "layout delay has these axes"),
    ("foreign_last.npy", ["drop", "delay", "port"], "has no axis 'delay' in layout frequency"),
    ("foreign_last.npy", ["tone", "delay", "angle"], "has no axis 'delay' in layout frequency"),
    ("foreign_last.npy", ["drop", "tone"], "'axes' names every axis in the order of the file"),
    ("foreign_last.npy", ["tone", "part", "drop"], "have no axis 'part'"),
    ("foreign_last.npy", ["one", "tone", "drop"], "whose axis 'one' has length 3"),
    ("foreign_parts.npy", ["drop", "slot", "tone", "port"], "axes: [drop, part, tone, port]"),
    ("foreign_parts.npy", ["drop", "tone", "part", "port"], "whose axis 'part' has length 3"),
    ("foreign_shards", [], "holds 5"),
  ]

  @Test(arguments: refused.indices)
  func whatDoesNotFitIsExplained(_ index: Int) throws {
    let (file, axes, message) = Self.refused[index]
    let error = #expect(throws: (any Error).self) {
      try Self.model(file, axes: axes, message == "holds 5" ? ["split.run": .integer(9)] : [:])
    }
    if message != "holds 5" {
      #expect("\(error.map { "\($0)" } ?? "")".contains(message), "\(String(describing: error))")
    }
  }
}
