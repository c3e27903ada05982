import DataFiles
import Foundation
import LinkMath
import Parts
import Scenarios
import Simulation
import TestSupport
import Synchronization
import Testing

/// Scenarios whose pieces do not fit are refused with the place and a way out, before anything is computed.
@Suite struct UnfitScenarioTests {
  struct Unfit: Sendable, CustomTestStringConvertible {
    let name: String
    let quantizer: String
    let feedback: String
    var normaliser = "sample_unit_power"
    var sweep = ""
    /// Line of the complaint in the file.
    let line: Int
    let words: [String]
    var testDescription: String { name }

    var yaml: String {
      """
      link:
        grid: {tones: 16}
        channel: {type: rayleigh, ports: 4, taps: 4}
        transform: {taps: 8}
        normaliser: \(normaliser)
        quantizer: \(quantizer)
        feedback: \(feedback)
      \(sweep)
      run: {seed: 1, drops: 10}
      """
    }
  }

  static let unfit = [
    Unfit(
      name: "bits without a quantiser", quantizer: "none", feedback: "{type: bsc, p: 0.1}", line: 7,
      words: ["feedback", "'bsc' carries bits", "quantizer is none", "hint:"]),
    Unfit(
      name: "analogue feedback of bits", quantizer: "{type: uniform, range: [-1, 1]}",
      feedback: "{type: analogue, snr_db: 10}", line: 7,
      words: ["feedback", "'analogue' carries real codewords", "'quantizer: none'"]),
    Unfit(
      name: "gain bits without a quantiser", quantizer: "none", feedback: "ideal",
      normaliser: "{type: sample_unit_power, gain: quantized}", line: 6,
      words: ["quantizer must not be none", "'gain: genie'"]),
    Unfit(
      name: "one point of a sweep", quantizer: "none", feedback: "ideal",
      sweep: "sweep: {feedback: [ideal, {type: bsc, p: 0.1}]}", line: 8,
      words: ["'bsc' carries bits", "(at feedback = bsc"]),
    Unfit(
      name: "a codec that does not divide", quantizer: "none", feedback: "ideal",
      sweep: "  codec: {type: dft_selection, compression: 7}", line: 8,
      words: ["codec.compression must divide", "got 7"]),
  ]

  /// Interpolation between tones that are all pilots: refused, unless a sweep has it work at another point, where it copies.
  @Test(arguments: ["linear", "nearest"])
  func interpolationOfNothingIsRefused(kind: String) throws {
    let yaml = { (spacings: String) in
      """
      link:
        grid: {tones: 16}
        channel: {type: rayleigh, ports: 4, taps: 2}
        pilots: {type: dft, snr_db: 10}
        transform: {taps: 8}
        estimator: {type: ls, interpolation: \(kind)}
      sweep: {pilots.tone_spacing: \(spacings)}
      run: {seed: 1, drops: 10}
      """
    }
    let complaint = complaints(yaml("[1]")).first ?? ""
    for words in ["test.yaml:6:", "estimator.interpolation must not be \(kind)", "hint:", "dft"] {
      #expect(complaint.contains(words), "\(complaint)")
    }
    let swept = try execute(prepare(yaml("[2, 1]")))
    let plain = try execute(
      prepare(yaml("[1]").replacing(", interpolation: \(kind)", with: "")))
    #expect(swept.points[1][.nmseDB] == plain.points[0][.nmseDB])
    #expect(swept.points[0][.nmseDB] != swept.points[1][.nmseDB])
  }

  @Test func thePublicCosineDomainNeedsThePublicGrid() {
    let found = complaints(
      """
      link:
        grid: {tones: 256}
        channel: {type: rayleigh, ports: 4, taps: 4}
        transform: {taps: 8}
      report: {cosine_domain: public_set}
      """)
    #expect(found.count == 1, "\(found)")
    #expect(
      found.first?.contains(
        ":5:25: error: report.cosine_domain public_set needs a grid of 257 tones") == true)
    #expect(found.first?.contains("preset: csinet") == true)
  }

  @Test(arguments: unfit)
  func piecesThatDoNotFitAreRefusedInPlace(test: Unfit) {
    let found = complaints(test.yaml)
    #expect(found.count == 1, "\(found)")
    let text = found.first ?? ""
    #expect(text.hasPrefix("test.yaml:\(test.line):"), "\(text)")
    for word in test.words { #expect(text.contains(word), "no \(word) in: \(text)") }
  }

  /// What is wrong at several places, settings and files, is told at once: a part that cannot be made hides only what stands behind it.
  @Test func allThatIsWrongIsToldAtOnce() throws {
    let folder = FileManager.default.temporaryDirectory.path
    let yaml = { (codecs: String) in
      """
      link:
        grid: {tones: 16}
        channel: {type: rayleigh, ports: 4, taps: 4}
        transform: {taps: 8}
        codec: {type: pca, fit: {drops: 100}}
      sweep:
        codec: [\(codecs)]
        quantizer: [none, {type: uniform, range: [-1, 1]}]
        feedback: [ideal, {type: bsc, p: 0.1}]
      run: {seed: 1, drops: 10}
      """
    }
    let missing = ["a", "b"].map { "\(folder)/csilink-missing-\($0).safetensors" }
    let networks = missing.map { "{network: cl-crnet, compression: 4, weights: \($0)}" }
    let found = complaints(
      yaml("none, {type: dft_selection, compression: 7}, {type: dft_selection, compression: 11}"))
    #expect(found.count == 3, "\(found)")
    for words in ["got 7", "got 11", "'bsc' carries bits"] {
      #expect(found.contains { $0.contains(words) }, "\(found)")
    }
    let files = #expect(throws: FileErrors.self) {
      try prepare(yaml(networks.joined(separator: ", ")))
    }
    let text = files.map { "\($0)" } ?? ""
    for words in missing + ["test.yaml:7:"] { #expect(text.contains(words), "\(text)") }
  }

  /// The other two combinations of quantiser and link are legal.
  @Test(arguments: [
    ("none", "ideal"), ("none", "{type: analogue, snr_db: 10}"),
    ("{type: uniform, range: [-1, 1]}", "ideal"),
    ("{type: uniform, range: [-1, 1]}", "{type: bsc, p: 0.1}"),
  ])
  func piecesThatFitAreAccepted(quantizer: String, feedback: String) {
    let test = Unfit(name: "", quantizer: quantizer, feedback: feedback, line: 0, words: [])
    #expect(complaints(test.yaml) == [])
  }

  /// Recorded data ends.
  @Test func moreDropsThanRecordsAreRefused() throws {
    try withTemporaryFolder { folder in
      let values: [Float] = (0..<80).map { (i: Int) -> Float in Float(1 + i % 7) }
      try ArrayFile.write(
        [NumericArray(shape: [5, 4, 2], isComplex: true, floats: values)],
        to: "\(folder)/five.npy")
      let yaml = """
        link:
          grid: {tones: 4}
          channel: {type: recorded, file: five.npy, layout: frequency}
          transform: {taps: 2}
        run: {seed: 1, drops: 6}
        """
      let path = "\(folder)/test.yaml"
      let found = complaints(yaml, path: path)
      #expect(found.count == 1, "\(found)")
      let text = found.first ?? ""
      #expect(text.hasPrefix("\(path):5:23: error: run.drops must be at most the 5"), "\(text)")
      #expect(text.contains("got 6") && text.contains("write 'drops: 5'"), "\(text)")
      #expect(complaints(yaml, path: path, set: ["run.drops=5"]) == [])
      // The split leaves fewer for the run, and too few to fit a codec on.
      let split = complaints(
        yaml, path: path, set: ["run.drops=4", "channel.split.fit=2"])
      #expect(split.first?.contains("at most the 3") == true, "\(split)")
      let fit = complaints(
        yaml, path: path,
        set: [
          "run.drops=3", "channel.split.fit=2", "codec={type: pca, compression: 2, fit.drops: 5}",
        ])
      #expect(
        fit.first?.contains("codec.fit.drops must be at most the 2 drops") == true, "\(fit)")
    }
  }

  /// 40 records, of which 12 are for fits.
  private static let small = """
    link:
      grid: {tones: 4}
      channel: {type: recorded, file: h.npy, layout: frequency, split.fit: 12}
      estimator: lmmse
      transform: {taps: 4}
      codec: {type: pca, length: 4}
      quantizer: {type: uniform, bits: 4}
    run: {seed: 1}
    """

  private static func withRecords(_ body: (_ folder: String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let values: [Float] = (0..<40 * 16).map { (i: Int) -> Float in
        Float(1 + i * i % 23) - Float(i % 5)
      }
      try ArrayFile.write(
        [NumericArray(shape: [40, 4, 2], isComplex: true, floats: values)], to: "\(folder)/h.npy")
      try body(folder)
    }
  }

  /// Everything that is written and too much is told together, before anything is fitted.
  @Test func allShortagesAreToldAtOnce() throws {
    try Self.withRecords { folder in
      let notes = Mutex<[String]>([])
      let asked = [
        "run.drops=29", "estimator.fit.drops=13", "quantizer.fit.drops=100",
      ]
      let error = #expect(throws: ScenarioErrors.self) {
        try PreparedRun(
          scenario(Self.small, path: "\(folder)/test.yaml", set: asked),
          pool: WorkerPool(threadCount: 1), artefactFolder: nil,
          progress: { note in notes.withLock { $0.append(note) } })
      }
      let text = (error?.diagnostics ?? []).map(\.description).joined(separator: "\n")
      for part in [
        "estimator.fit.drops must be at most the 12 drops", "quantizer.fit.drops must be at most",
        "run.drops must be at most the 28 drops",
      ] {
        #expect(text.contains(part), "\(text)")
      }
      #expect(error?.diagnostics.count == 3, "\(text)")
      #expect(notes.withLock { $0 } == [])
      let none = complaints(
        Self.small, path: "\(folder)/test.yaml", set: ["channel.split.fit=0"])
      #expect(none.count == 3 && none.allSatisfy { $0.contains("split: {fit: 100}") }, "\(none)")
    }
  }

  /// Defaults are at most what there is, which is told; the result is that of the same numbers written.
  @Test func defaultsAreAtMostWhatIsThere() throws {
    try Self.withRecords { folder in
      let path = "\(folder)/test.yaml"
      let notes = Mutex<[String]>([])
      let run = try PreparedRun(
        scenario(Self.small, path: path), pool: WorkerPool(threadCount: 1), artefactFolder: nil,
        progress: { note in notes.withLock { $0.append(note) } })
      #expect(run.settings.maximumDrops == 28)
      let told = notes.withLock { $0 }
      for note in [
        "estimator.fit.drops is 12 in place of 500: the data has no more for fitting",
        "codec.fit.drops is 12 in place of 4000: the data has no more for fitting",
        "quantizer.fit.drops is 12 in place of 4000: the data has no more for fitting",
        "run.drops is 28: the data has no more",
      ] {
        #expect(told.count { $0 == note } == 1, "\(told)")
      }
      let written = try prepare(
        Self.small, path: path,
        set: [
          "run.drops=28", "estimator.fit.drops=12", "codec.fit.drops=12", "quantizer.fit.drops=12",
        ])
      #expect(try run.metrics(ofBlock: 0).values == written.metrics(ofBlock: 0).values)
    }
  }

  /// Where nothing says who gets which records, fits get at most half of them; the result is that of the same split written.
  @Test func recordsAreDividedWhereNobodySays() throws {
    try Self.withRecords { folder in
      let path = "\(folder)/test.yaml"
      let undivided = Self.small.replacing(", split.fit: 12", with: "")
      let notes = Mutex<[String]>([])
      let run = try PreparedRun(
        scenario(undivided, path: path), pool: WorkerPool(threadCount: 1), artefactFolder: nil,
        progress: { note in notes.withLock { $0.append(note) } })
      #expect(run.settings.maximumDrops == 20)
      let told = notes.withLock { $0.filter { $0.hasPrefix("channel.split.fit is 20:") } }
      #expect(told.count == 1)
      let written = try prepare(undivided, path: path, set: ["channel.split.fit=20"])
      #expect(try run.metrics(ofBlock: 0).values == written.metrics(ofBlock: 0).values)
      // Fewer if all fits together ask for fewer; a word about any part of the split is the last one.
      let few = ["estimator", "codec", "quantizer"].map { "\($0).fit.drops=5" }
      #expect(try prepare(undivided, path: path, set: few).settings.maximumDrops == 35)
      #expect(
        complaints(undivided, path: path, set: ["channel.split.run=30"]).contains {
          $0.contains("at most the 0 drops that the data has for fitting")
        })
      // Without fits all records are evaluated.
      let unfitted = ["estimator=ls", "codec=none", "quantizer=none", "feedback=ideal"]
      #expect(try prepare(undivided, path: path, set: unfitted).settings.maximumDrops == 40)
    }
  }

  /// What turns out in a fit tells where the part stands.
  @Test func fitsTellTheirPlace() throws {
    try Self.withRecords { folder in
      let error = #expect(throws: FittingError.self) {
        try prepare(
          Self.small, path: "\(folder)/test.yaml",
          set: [
            "estimator=ls", "codec={type: pca, length: 4}", "quantizer={type: vector, bits: 3}",
          ])
      }
      let text = error.map { "\($0)" } ?? ""
      #expect(text.hasPrefix("fitting quantizer on 12 drops: vector: "), "\(text)")
    }
  }

  /// A share that is too small for a part by itself names the key that enlarges it.
  @Test func smallSharesNameTheSplit() throws {
    try Self.withRecords { folder in
      let found = complaints(
        Self.small, path: "\(folder)/test.yaml",
        set: ["channel.split.fit=3", "estimator=ls", "quantizer=none"])
      #expect(found.count == 1 && found[0].contains("at least 4, the reals"), "\(found)")
      #expect(found.first?.contains("'split.fit' of the channel gives it more") == true)
      let training = #expect(throws: ScenarioErrors.self) {
        try TrainingRun(
          scenario(
            Self.small, path: "\(folder)/test.yaml",
            set: ["codec={network: csinet, compression: 4}", "estimator=ls", "training.epochs=1"]),
          pool: WorkerPool(threadCount: 1))
      }
      let text = "\(training.map { "\($0)" } ?? "")"
      #expect(text.contains("{split: {train: 28, validation: 4, test: 4}}"), "\(text)")
    }
  }

  /// The same for the sets of a training.
  @Test func setsOfATrainingAreAtMostWhatIsThere() throws {
    try Self.withRecords { folder in
      let yaml = """
        link:
          grid: {tones: 4}
          channel: {type: recorded, file: h.npy, layout: frequency, split: {train: 20, validation: 6, test: 5}}
          transform: {taps: 4}
          codec: {network: csinet, compression: 4}
        training: {epochs: 1, batch: 4}
        run: {seed: 1}
        """
      let notes = Mutex<[String]>([])
      let pool = WorkerPool(threadCount: 1)
      let training = try TrainingRun(scenario(yaml, path: "\(folder)/test.yaml"), pool: pool) {
        note in notes.withLock { $0.append(note) }
      }
      #expect(training.sampleCount == 20)
      #expect(
        notes.withLock { $0 } == [
          "training.samples is 20 in place of 20000: the data has no more for it",
          "training.validation_samples is 6 in place of 2000: the data has no more for it",
          "training.test_samples is 5 in place of 2000: the data has no more for it",
        ])
      #expect(try training.execute(in: folder)?.count == 1)
      let error = #expect(throws: ScenarioErrors.self) {
        try TrainingRun(
          scenario(
            yaml, path: "\(folder)/test.yaml",
            set: ["training.samples=21", "training.test_samples=6"]), pool: pool)
      }
      #expect(error?.diagnostics.count == 2, "\(String(describing: error))")
    }
  }
}
