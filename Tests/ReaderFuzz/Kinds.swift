import DataFiles
import Datasets
import Foundation
import LinkMath
import Networks
import Parts
import Scenarios
import Simulation
import Synchronization
import TestSupport
import Training

/// What is damaged.
enum Kind: String, CaseIterable {
  case npy, npz, mat5, mat73, hdf5, csv, safetensors
  case torch, keras, weights, checkpoint, journal, artefact, manifest, scenario

  /// Most memory beyond what the process starts with; files of groups have 70 kB at most.
  var memory: UInt64 { self == .hdf5 ? 256 << 20 : 2 << 30 }

  /// Makes undamaged files in a folder and what reads them.
  func subject(in folder: String) throws -> Subject {
    switch self {
    case .npy:
      try arrays(
        folder,
        [
          "numpy_fortran.npy", "numpy_complex64.npy", "numpy_be_i4.npy", "numpy_version3.npy",
          "numpy_le_u8.npy", "numpy_le_f2.npy",
        ])
    case .npz: try arrays(folder, ["numpy_several.npz", "numpy_large.npz"])
    case .mat5: try arrays(folder, ["matlab_several.mat", "track_1_v5.mat"])
    case .mat73:
      try arrays(
        folder,
        [
          "several_v73.mat", "dense_v73.mat", "elsewhere_v73.mat", "track_complex_v73.mat",
          "several_v73.mat", "several_v73.mat",
        ])
    case .hdf5: try groups(folder)
    case .csv: try arrays(folder, [], made: ["a.csv": Self.table])
    case .safetensors:
      try arrays(folder, [], made: ["a.safetensors": Self.tensors(folder)])
    case .torch:
      try foreign(
        folder,
        [
          "types_legacy.pt", "types_zip.pt", "crnet_16_legacy.pth", "types_protocol4.pt",
          "whole.pt",
          "types_legacy.pt",
        ])
    case .keras: try foreign(folder, ["csinet_width_16.h5", "csinet_last_16.h5"])
    case .weights: try weights(folder)
    case .checkpoint: try checkpoint(folder)
    case .journal, .artefact: try run(folder)
    case .manifest: try dataset(folder)
    case .scenario: try scenario(folder)
    }
  }
}

/// Undamaged files, where damaged ones are put, and what reads them.
struct Subject {
  let folder: String
  /// Names below the folder with their bytes.
  let originals: [(name: String, bytes: [UInt8])]
  let read: (_ path: String) throws -> Void

  /// Puts a damaged file in the place of an original; the others are restored.
  func place(mutation index: Int) throws -> String {
    var random = Generator(state: UInt64(index) &* 0x5851_F42D_4C95_7F2D)
    let chosen = index % originals.count
    for (other, original) in originals.enumerated() where other != chosen {
      try Data(original.bytes).write(to: URL(filePath: "\(folder)/\(original.name)"))
    }
    let path = "\(folder)/\(originals[chosen].name)"
    try Data(mutated(originals[chosen].bytes, &random)).write(to: URL(filePath: path))
    return path
  }
}

extension Kind {
  private static var table: [UInt8] {
    let rows = (0..<80).map { row in
      (0..<6).map { column in "\(Double((7 * row + column) % 13) / 8 - 0.3)" }.joined(
        separator: ",")
    }
    return Array((["# table", "a,b,c,d,e,f"] + rows).joined(separator: "\n").utf8)
  }

  private static func tensors(_ folder: String) throws -> [UInt8] {
    let path = "\(folder)/made.safetensors"
    try ArrayFile.write(
      [
        NumericArray(name: "a", shape: [2, 3], floats: [1, 2, 3, 4, 5, 6]),
        NumericArray(name: "b", shape: [4], doubles: [1, 2, 3, 4]),
        NumericArray(name: "c", shape: [1, 2], isComplex: true, floats: [1, 2, 3, 4]),
      ], metadata: ["k": "v"], to: path)
    return try bytes(path)
  }

  private static func bytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: path)))
  }

  private func arrays(
    _ folder: String, _ names: [String], made: [String: [UInt8]] = [:]
  ) throws -> Subject {
    var originals = made.map { (name: $0.key, bytes: $0.value) }
    for (index, name) in names.enumerated() {
      originals.append(
        ("\(index)-\(name)", try Self.bytes(fixtures.appending(path: "datasets/\(name)").path)))
    }
    return Subject(folder: folder, originals: originals) { path in
      var error: (any Error)?
      for info in try ArrayFile.list(path) {
        do {
          let reader = try ArrayFile.open(path, variable: info.name)
          _ = try reader.read()
          _ = try reader.rows(reader.info.rowCount / 2..<reader.info.rowCount)
        } catch let found {
          error = found
        }
      }
      if let error { throw error }
    }
  }

  /// Groups in groups, links in circles and into other files, lying chunks, records: read as arrays and as weights.
  private func groups(_ folder: String) throws -> Subject {
    let source = fixtures.appending(path: "hostile").path
    let names = try FileManager.default.contentsOfDirectory(atPath: source).sorted()
    for name in names where name.hasPrefix("secret.") {
      try Data(Self.bytes("\(source)/\(name)")).write(to: URL(filePath: "\(folder)/\(name)"))
    }
    let originals = try names.filter { $0.hasSuffix(".h5") && $0 != "secret.h5" }
      .map { ($0, try Self.bytes("\(source)/\($0)")) }
    return Subject(folder: folder, originals: originals) { path in
      var error: (any Error)?
      do {
        for tensor in try TensorArchive(path).tensors { _ = try tensor.floats() }
      } catch let found {
        error = found
      }
      for info in try ArrayFile.list(path) {
        do {
          let values = try ArrayFile.read(path, variable: info.name).values
          if case .float(let values) = values, values.contains(777) {
            fatalError("a value of another file in '\(info.name ?? "")'")
          }
        } catch let found {
          error = found
        }
      }
      if let error { throw error }
    }
  }

  /// Files of other frameworks: everything is read, and a network looked for in it.
  private func foreign(_ folder: String, _ names: [String]) throws -> Subject {
    var originals: [(name: String, bytes: [UInt8])] = []
    for (index, name) in names.enumerated() {
      originals.append(
        ("\(index)-\(name)", try Self.bytes(fixtures.appending(path: "foreign/\(name)").path)))
    }
    let network = self == .keras ? "csinet" : "crnet"
    let choice = try NetworkChoice(
      network, compression: 16, image: .image(angles: 8, taps: 8))
    return Subject(folder: folder, originals: originals) { path in
      for tensor in try TensorArchive(path).tensors { _ = try tensor.floats() }
      _ = try? ForeignWeights([path], choice)
    }
  }

  private func weights(_ folder: String) throws -> Subject {
    let names = try writeDrawnWeights("cl-acrnet-1x", compression: 64, in: folder)
      .map { URL(filePath: $0).lastPathComponent }
    let originals = try names.map { ($0, try Self.bytes("\(folder)/\($0)")) }
    return Subject(folder: folder, originals: originals) { path in
      _ = try? WeightsDescription(path)
      for side in WeightsFile.Side.allCases {
        _ = try WeightsFile(folder, NetworkChoice("cl-acrnet-1x", compression: 64), side)
      }
    }
  }

  /// A checkpoint is taken up and trained on for a step.
  private func checkpoint(_ folder: String) throws -> Subject {
    var stream = testStream()
    let values = (0..<6 * 2048).map { _ in Float(stream.uniform()) }
    try ArrayFile.write(
      [NumericArray(shape: [6, 2, 32, 32], floats: values)], to: "\(folder)/samples.npy")
    let set = try SampleSet(inputs: "\(folder)/samples.npy", shape: [2, 32, 32])
    let data = TrainingData(training: set, validation: set, test: set, digest: "fuzz")
    let given: [String: Setting] = [
      "samples": .integer(6), "validation_samples": .integer(6), "test_samples": .integer(6),
      "batch": .integer(2), "epochs": .integer(4),
    ]
    let settings = try TrainingSettings(TrainingSettings.schema.settings(given))
    let pool = WorkerPool(threadCount: 1)
    let train = { (steps: Int) in
      let loop = try TrainingLoop(
        NetworkChoice("cl-acrnet-1x", compression: 64), settings: settings, data: data, seed: 1,
        stem: "\(folder)/net", pool: pool)
      let done = Atomic(0)
      _ = try loop.run(
        progress: { _ in done.wrappingAdd(1, ordering: .relaxed) },
        shouldStop: { done.load(ordering: .relaxed) >= steps })
    }
    try train(4)
    let name = "net-checkpoint.safetensors"
    return Subject(
      folder: folder, originals: [(name, try Self.bytes("\(folder)/\(name)"))]
    ) { _ in try train(1) }
  }

  /// Journals are merged, fitted parts loaded.
  private func run(_ folder: String) throws -> Subject {
    let text = """
      name: fuzz
      link:
        grid: {tones: 16}
        channel: {type: rayleigh, ports: 4}
        transform: {taps: 4}
        codec: {type: pca, compression: 8, fit.drops: 100}
        precoder: {type: mrt, snr_db: 10}
      sweep:
        pilots.snr_db: [0, 10]
      run: {seed: 1, drops: 16, block: 4}
      """
    try Data(text.utf8).write(to: URL(filePath: "\(folder)/s.yaml"))
    let (scenario, _) = try ScenarioReader.standard.read("\(folder)/s.yaml", overrides: [])
    let pool = WorkerPool(threadCount: 1)
    let prepare = { try PreparedRun(scenario, pool: pool, artefactFolder: "\(folder)/fitted") }
    let prepared = try prepare()
    _ = try Runner(prepared, pool: pool, folder: folder).execute()
    guard self == .artefact else {
      return Subject(
        folder: folder, originals: [("journal.log", try Self.bytes("\(folder)/journal.log"))]
      ) { _ in
        _ = try Merge.result(prepared, folders: [folder])
        _ = try Runner(prepared, pool: pool, folder: folder).execute()
      }
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/fitted").sorted()
    let originals = try names.map { ("fitted/\($0)", try Self.bytes("\(folder)/fitted/\($0)")) }
    return Subject(folder: folder, originals: originals) { _ in _ = try prepare() }
  }

  /// A generated data set is read and enlarged.
  private func dataset(_ folder: String) throws -> Subject {
    let text = """
      link:
        grid: {tones: 64}
        channel: {type: rayleigh, ports: 4}
        transform: {taps: 8}
        precoder: {type: mrt, snr_db: 10}
      run: {drops: 4}
      """
    try Data(text.utf8).write(to: URL(filePath: "\(folder)/s.yaml"))
    let (scenario, _) = try ScenarioReader.standard.read("\(folder)/s.yaml", overrides: [])
    let pool = WorkerPool(threadCount: 1)
    let source = try DatasetSource(scenario, pool: pool) { _ in }
    let generate = { (drops: Int) in
      let request = DatasetRequest(
        layout: .csinet, domain: .run, first: 0, drops: drops, slots: nil, shardSize: 4,
        format: .npy)
      _ = try DatasetGeneration(source, request, output: "\(folder)/set", pool: pool).execute()
    }
    try generate(8)
    let name = "set/manifest.json"
    return Subject(
      folder: folder, originals: [(name, try Self.bytes("\(folder)/\(name)"))]
    ) { _ in
      let records = try RecordSource("\(folder)/set")
      _ = try records.rows(0..<records.info.rowCount)
      try generate(8)
    }
  }

  private func scenario(_ folder: String) throws -> Subject {
    var originals: [(String, [UInt8])] = []
    let root = fixtures.deletingLastPathComponent().deletingLastPathComponent()
    for place in ["scenarios", "Tests/Fixtures/scenarios"] {
      let path = root.appending(path: place).path
      for name in try FileManager.default.contentsOfDirectory(atPath: path).sorted()
      where name.hasSuffix(".yaml") {
        originals.append((name, try Self.bytes("\(path)/\(name)")))
      }
    }
    return Subject(folder: folder, originals: originals) { path in
      _ = try ScenarioReader.standard.read(path, overrides: [])
    }
  }
}
