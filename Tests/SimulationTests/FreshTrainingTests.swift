import Codecs
import DataFiles
import Foundation
import LinkMath
import Networks
import Parts
import Scenarios
import Synchronization
import TestSupport
import Simulation
import Testing
import Training

/// Trainings on new drops in every epoch, on several kinds of drops, and on estimates at several pilot SNRs.
@Suite struct FreshTrainingTests {
  private static let yaml = """
    link:
      grid: {tones: 32}
      channel: {type: rayleigh, ports: 8, taps: 3}
      pilots: {type: dft, snr_db: 10}
      transform: {taps: 8}
      codec: {network: csinet, compression: 4}
    training:
      samples: 20
      validation_samples: 8
      test_samples: 10
      epochs: 3
      batch: 10
    run: {seed: 3}
    """
  private static let size = 2 * 8 * 8

  /// The sets that a scenario's first training draws, by its own code.
  private func data(_ folder: String, set: [String], threads: Int = 1) throws -> TrainingData {
    let pool = WorkerPool(threadCount: threads)
    let run = try TrainingRun(scenario(Self.yaml, set: set), pool: pool)
    let draw = TrainingDraw(
      task: run.tasks[0], sees: run.settings.sees, seed: run.seed, folder: folder, pool: pool
    ) { _, _, _ in
    } leftOut: { _, _, _ in
    }
    return try #require(try draw.data(run.settings, shouldStop: { false }))
  }

  private func values(_ source: any SampleSource, _ samples: Range<Int>) throws
    -> (inputs: [Float], targets: [Float])
  {
    let count = samples.count * Self.size
    let memory = UnsafeMutablePointer<Float>.allocate(capacity: 2 * count)
    defer { memory.deallocate() }
    let targets = source.targetsAreInputs ? memory : memory + count
    try source.load(
      Array(samples)[...], inputs: SampleMemory(memory), targets: SampleMemory(targets),
      pool: WorkerPool(threadCount: 1))
    return (
      Array(UnsafeBufferPointer(start: memory, count: count)),
      Array(UnsafeBufferPointer(start: targets, count: count))
    )
  }

  /// Epoch e of N samples has the drops e N ..< (e + 1) N, which a fixed set of 3 N drops has too; the other sets do not change.
  @Test(arguments: [[], ["training.source=estimate"]], [1, 2])
  func freshDropsFollowEachOther(set: [String], threads: Int) throws {
    try withTemporaryFolder { folder in
      let fixed = try data(folder, set: set + ["training.samples=60"])
      let fresh = try data(folder, set: set + ["training.data=fresh"], threads: threads)
      #expect(fresh.training.count == 20)
      for samples in [0..<10, 17..<23, 40..<60] {
        let (a, b) = try (values(fixed.training, samples), values(fresh.training, samples))
        #expect(a == b)
      }
      #expect(try values(fixed.test, 0..<10) == values(fresh.test, 0..<10))
      let again = try data(folder, set: set + ["training.data=fresh"])
      #expect(again.digest == fresh.digest && fresh.digest != fixed.digest)
      let other = try data(folder, set: set + ["training.data=fresh", "run.seed=4"])
      #expect(other.digest != fresh.digest)
    }
  }

  /// The same weights for any number of threads, interrupted or not.
  @Test(arguments: [
    ["training.data=fresh"],
    [
      "training.data=fresh", "training.source=estimate", "training.pilot_snr_range_db=[-5, 20]",
      "training.mix=[2, 1]", "sweep.channel.taps=[2, 5]", "training.codeword_snr_range_db=[0, 20]",
    ],
  ])
  func continuesToTheSameBytes(set: [String]) throws {
    func files(_ threads: Int, stepsAtATime: Int) throws -> [Data] {
      try withTemporaryFolder { folder in
        let run = try TrainingRun(
          scenario(Self.yaml, set: set), pool: WorkerPool(threadCount: threads))
        for part in 0..<40 {
          let done = Atomic(0)
          let trained = try run.execute(
            in: folder,
            progress: { if case .training = $0 { done.wrappingAdd(1, ordering: .relaxed) } },
            shouldStop: { done.load(ordering: .relaxed) >= stepsAtATime })
          guard let trained else { continue }
          #expect(stepsAtATime > 100 || part >= 3)
          // No file of training samples; those of validation and test stay.
          let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/data")
          #expect(!names.contains { $0.hasPrefix("train") } && names.count >= 3)
          return try trained[0].files.map { try Data(contentsOf: URL(filePath: $0)) }
        }
        Issue.record("never ends")
        return []
      }
    }
    #expect(try files(2, stepsAtATime: 1000) == files(1, stepsAtATime: 2))
  }

  /// New drops do not repeat: with three times the drops per epoch for one epoch, or fresh ones for three, the encoder sees as many.
  @Test func metadataTellFreshData() throws {
    try withTemporaryFolder { folder in
      let run = try TrainingRun(
        scenario(Self.yaml, set: ["training.data=fresh"]), pool: WorkerPool(threadCount: 2))
      _ = try run.execute(in: folder, progress: { _ in }, shouldStop: { false })
      let file = try WeightsFile(
        folder,
        NetworkChoice("csinet", compression: 4, image: .image(angles: 8, taps: 8)), .encoder)
      #expect(file.metadata["data"] == "fresh" && file.metadata["samples"] == "20")
    }
  }

  @Test(arguments: [[1], [1, 1], [2, 1], [3, 5, 1], [1, 7]])
  func turnsKeepTheWeights(weights: [Int]) throws {
    let run = try TrainingRun(scenario(Self.yaml), pool: WorkerPool(threadCount: 1))
    let front = run.tasks[0].drops.kinds[0].front
    let mix = DropMix(weights.map { DropMix.Kind(front: front, weight: $0, key: "") })
    let total = weights.reduce(0, +)
    for samples in 0..<3 * total {
      let counts = weights.indices.map { mix.count(of: $0, among: samples) }
      #expect(counts.reduce(0, +) == samples)
      // No kind is ever a whole sample or more away from its share.
      for (count, weight) in zip(counts, weights) {
        #expect(abs(Double(count) - Double(samples * weight) / Double(total)) < 1)
      }
    }
  }

  /// Every sample of a mix is a drop of its kind, in whatever ranges it is drawn; kinds of one channel share no drop.
  @Test func samplesOfAMix() throws {
    let set = ["sweep.channel.taps=[1, 6]", "training.mix=[2, 1]"]
    let run = try TrainingRun(scenario(Self.yaml, set: set), pool: WorkerPool(threadCount: 1))
    let drops = run.tasks[0].drops
    #expect(drops.kinds.map(\.weight) == [2, 1])
    let whole = try drops.images(0..<24, domain: .train, seed: 3, sees: .truth)
    var parts: [Float] = []
    for range in [0..<1, 1..<7, 7..<8, 8..<24] {
      parts += try drops.images(range, domain: .train, seed: 3, sees: .truth).seen
    }
    #expect(parts == whole.seen)
    var next = [0, 0]
    for sample in 0..<24 {
      let kind = drops.count(of: 0, among: sample + 1) > drops.count(of: 0, among: sample) ? 0 : 1
      let front = drops.kinds[kind].front
      let number = kind << 32 + next[kind]
      next[kind] += 1
      let alone = try front.sample(
        DropBlock(number..<number + 1, domain: .train, seed: 3), sees: .truth)
      let place = sample * Self.size..<(sample + 1) * Self.size
      #expect(CSIImages.images(alone.seen).elements == Array(whole.seen[place]))
    }
    #expect(next == [16, 8])
    let twins = DropMix([drops.kinds[0], drops.kinds[0]])
    let both = try twins.images(0..<2, domain: .train, seed: 3, sees: .truth).seen
    #expect(both[..<Self.size] != both[Self.size...])
  }

  /// Channels, grids and pilots may be mixed; a weight of 0 gives the training of the others by themselves.
  @Test func mixesOfAScenario() throws {
    try withTemporaryFolder { folder in
      let channels = ["sweep.channel.taps=[1, 6]"]
      let first = try data(folder, set: channels + ["training.mix=[1, 0]"])
      let alone = try data(folder, set: ["channel.taps=1"])
      #expect(try values(first.training, 0..<20) == values(alone.training, 0..<20))
      let both = try data(folder, set: channels + ["training.mix=[1, 1]"])
      #expect(both.digest != first.digest && both.digest != alone.digest)
      #expect(both.validation.count == 8)
      let grids = try data(
        folder, set: ["sweep.grid.tones=[16, 32, 64]", "training.mix=[1, 1, 2]"])
      #expect(grids.training.count == 20)
    }
  }

  /// A level of the training stands for that of the link, one after the other.
  @Test func pilotLevels() throws {
    try withTemporaryFolder { folder in
      let estimate = ["training.source=estimate"]
      let link = try data(folder, set: estimate + ["pilots.snr_db=5"])
      let one = try data(folder, set: estimate + ["training.pilot_snr_db=5"])
      #expect(try values(link.training, 0..<20) == values(one.training, 0..<20))
      // Swept pilots do not make two kinds of data, if the training has its own.
      let swept = try data(
        folder,
        set: estimate + ["training.pilot_snr_db=5", "sweep.pilots.snr_db=[-10, 0, 10]"])
      #expect(swept.digest == one.digest)
      let two = try data(folder, set: estimate + ["training.pilot_snr_db=[-15, 25]"])
      let errors = try ratios(two.training, 20)
      #expect(errors.enumerated().allSatisfy { $0 % 2 == 0 ? $1 > 0.3 : $1 < 0.03 }, "\(errors)")
      // The LMMSE rule of each level is its own.
      let smooth = try data(
        folder, set: estimate + ["training.pilot_snr_db=[-15, 25]", "estimator=lmmse"])
      #expect(try ratios(smooth.training, 20)[0] < 1.2)
    }
  }

  /// ‖seen - truth‖² / ‖truth‖² of each sample.
  private func ratios(_ source: any SampleSource, _ count: Int) throws -> [Double] {
    let (seen, truth) = try values(source, 0..<count)
    return (0..<count).map { sample in
      let places = sample * Self.size..<(sample + 1) * Self.size
      let error = places.reduce(0.0) { $0 + pow(Double(seen[$1]) - Double(truth[$1]), 2) }
      return error / places.reduce(0.0) { $0 + pow(Double(truth[$1]) - 0.5, 2) }
    }
  }

  /// Each drop draws its level from a stream of its own: the drop at that level is the sample.
  @Test func pilotLevelsOfARange() throws {
    try withTemporaryFolder { folder in
      let estimate = ["training.source=estimate"]
      let data = try data(folder, set: estimate + ["training.pilot_snr_range_db=[-15, 25]"])
      var levels: [Double] = []
      for drop in [0, 3, 19] {
        var stream = StreamKey(seed: 3, domain: .train, purpose: .pilotNoise, instance: 2)
          .stream(drop: drop)
        let level = -15 + 40 * stream.uniform()
        levels.append(level)
        let run = try TrainingRun(
          scenario(Self.yaml, set: estimate + ["pilots.snr_db=\(level)"]),
          pool: WorkerPool(threadCount: 1))
        let alone = try run.tasks[0].drops.images(
          drop..<drop + 1, domain: .train, seed: 3, sees: .estimate)
        let (seen, truth) = try values(data.training, drop..<drop + 1)
        #expect(alone.seen == seen && alone.truth == truth)
      }
      #expect(Set(levels).count == 3)
    }
  }

  private func complaint(_ set: [String], yaml: String = Self.yaml) -> String {
    do {
      try withTemporaryFolder { folder in
        let run = try TrainingRun(
          scenario(yaml, set: set), pool: WorkerPool(threadCount: 1))
        _ = try run.execute(in: folder, progress: { _ in }, shouldStop: { false })
      }
      return ""
    } catch {
      return "\(error)"
    }
  }

  @Test func complaints() throws {
    let estimate = "training.source=estimate"
    #expect(
      complaint(["sweep.channel.taps=[1, 6]"]).contains(
        "or mix them with 'training: {mix: [1, 1]}'"))
    #expect(
      complaint(["sweep.channel.taps=[1, 6]", "training.mix=[1, 1, 1]"])
        .contains("training.mix must have 2 weights"))
    #expect(complaint(["training.mix=[0]"]).contains("must have a weight above zero"))
    #expect(
      complaint(["training.pilot_snr_db=3"]).contains("has no effect on the true channel"))
    #expect(
      complaint([estimate, "training.pilot_snr_range_db=[0, 9]", "estimator=lmmse"])
        .contains("pilot_snr_range_db needs pilots with an SNR and an estimator without one"))
    try withTemporaryFolder { folder in
      let values = (0..<40 * 2048).map { (i: Int) -> Float in
        let whole = (i * 7919) % 101 - 50
        return 0.5 + Float(whole) / 200
      }
      let file = "\(folder)/records.npy"
      try ArrayFile.write([NumericArray(shape: [40, 2048], floats: values)], to: file)
      let yaml = """
        link:
          preset: csinet
          channel: {type: recorded, file: \(file), layout: csinet, split: {train: 20, validation: 8, test: 10}}
          codec: {network: cl-acrnet-1x, compression: 64}
          estimator: perfect
        training: {samples: 20, validation_samples: 8, test_samples: 10, epochs: 1, batch: 10}
        """
      #expect(complaint([], yaml: yaml) == "")
      #expect(
        complaint(["training.data=fresh"], yaml: yaml).contains(
          "training.data cannot be fresh: the channel has only the 20 recorded drops of its split"))
    }
  }
}
