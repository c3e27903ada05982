import Foundation
import LinkMath
import Reports
import Simulation
import Synchronization
import TestSupport
import Testing

/// Resuming from a journal that ends anywhere or is damaged, and refusing one that belongs to another run.
@Suite struct JournalTests {
  private static let yaml = """
    name: resume
    link:
      grid: {tones: 16}
      channel: {type: rayleigh, ports: 4, taps: 4}
      pilots: {type: dft, snr_db: 10}
      transform: {taps: 8}
      quantizer: {type: uniform, bits: 3, range: [-1, 1]}
      feedback: {type: bsc, p: 0.01}
    sweep: {pilots.snr_db: [0, 20]}
    run: {seed: 8, drops: 50, block: 4}
    """

  private func path(_ folder: String) -> String { Runner.journalPath(folder, .whole) }
  private func read(_ folder: String) throws -> Data {
    try Data(contentsOf: URL(filePath: path(folder)))
  }
  private func write(_ data: Data, _ folder: String) throws {
    try data.write(to: URL(filePath: path(folder)))
  }

  /// Runs in the folder, continuing what is there.
  private func report(_ folder: String, set overrides: [String] = [], threads: Int = 1) throws
    -> String
  {
    ReportCSV.text(
      of: try execute(prepare(Self.yaml, set: overrides), threads: threads, folder: folder))
  }

  /// Cuts at 40 random bytes and at the ends of lines: nothing is lost but the block in work.
  @Test func aRunCutAnywhereContinues() throws {
    try withTemporaryFolder { folder in
      let whole = try report(folder)
      let journal = try read(folder)
      var random = StreamKey(seed: 4, domain: .test, purpose: .selection).stream(drop: 0)
      let lines = journal.indices.filter { journal[$0] == 0x0a }
      #expect(lines.count == 14, "a header and 13 blocks")
      let cuts =
        (0..<40).map { _ in Int(random.uniform() * Double(journal.count)) }
        + [0, 1, lines[0], lines[0] + 1, lines[5], lines[5] + 1, journal.count - 1]
      for cut in cuts {
        try write(journal[0..<cut], folder)
        #expect(try report(folder) == whole, "cut at byte \(cut)")
        // A journal continued by one thread is the one that was never cut.
        #expect(try read(folder) == journal, "cut at byte \(cut)")
      }
    }
  }

  /// Damaged bytes behind the header: the blocks they hit are computed again, the others kept.
  @Test func damagedBlocksAreComputedAgain() throws {
    try withTemporaryFolder { folder in
      let whole = try report(folder)
      let journal = try read(folder)
      let header = try #require(journal.firstIndex(of: 0x0a))
      var random = StreamKey(seed: 5, domain: .test, purpose: .selection).stream(drop: 0)
      for trial in 0..<40 {
        var damaged = journal
        for _ in 0..<1 + trial % 3 {
          let place = header + 1 + Int(random.uniform() * Double(journal.count - header - 1))
          // Any other byte, newlines and bytes that are no text among them.
          damaged[place] ^= UInt8(1 + random.uniform() * 254)
        }
        try write(damaged, folder)
        let fresh = Mutex(0)
        let runner = Runner(
          try prepare(Self.yaml), pool: WorkerPool(threadCount: 2), folder: folder)
        let outcome = try runner.execute(progress: { progress in
          fresh.withLock { $0 = progress.finishedDrops - progress.resumedDrops }
        })
        guard case .finished(let result) = outcome else { throw NotFinished() }
        #expect(ReportCSV.text(of: result) == whole, "trial \(trial)")
        #expect((1...24).contains(fresh.withLock { $0 }), "trial \(trial): a few blocks only")
      }
    }
  }

  /// Interrupted between blocks, in any pieces: the same report.
  @Test func interruptedRunsContinue() throws {
    try withTemporaryFolder { folder in
      let whole = try report("\(folder)/whole")
      for round in 0..<30 {
        let run = try prepare(Self.yaml)
        let looks = Mutex(0)
        let outcome = try Runner(
          run, pool: WorkerPool(threadCount: 1), folder: "\(folder)/pieces"
        ).execute(shouldStop: {
          looks.withLock {
            $0 += 1
            return $0 > 2
          }
        })
        if case .finished(let result) = outcome {
          #expect(ReportCSV.text(of: result) == whole)
          #expect(round > 5, "it was interrupted")
          return
        }
      }
      Issue.record("never finished")
    }
  }

  /// More drops continue a finished run, fewer are found in it; the last block of 50 drops is not full.
  @Test(arguments: [(50, 90), (50, 52), (50, 49), (50, 20), (48, 50), (50, 48)])
  func anotherNumberOfDropsContinues(first: Int, second: Int) throws {
    try withTemporaryFolder { folder in
      let fresh = try report("\(folder)/fresh", set: ["run.drops=\(second)"])
      _ = try report("\(folder)/grown", set: ["run.drops=\(first)"])
      let before = try read("\(folder)/grown")
      let grown = try report("\(folder)/grown", set: ["run.drops=\(second)"])
      #expect(grown == fresh)
      #expect(try read("\(folder)/grown").starts(with: before), "what was there is kept")
      // And back.
      #expect(
        try report("\(folder)/grown", set: ["run.drops=\(first)"])
          == report("\(folder)/other", set: ["run.drops=\(first)"]))
    }
  }

  @Test(arguments: [
    "transform.taps=4", "run.seed=9", "run.block=5", "channel.taps=3", "feedback.p=0.02",
  ])
  func theJournalOfAnotherScenarioIsRefused(override: String) throws {
    try withTemporaryFolder { folder in
      _ = try report(folder)
      let before = try read(folder)
      let error = #expect(throws: JournalError.self) { try report(folder, set: [override]) }
      let text = error.map(String.init(describing:)) ?? ""
      #expect(text.contains("holds results of another scenario,"), "\(text)")
      #expect(text.contains(path(folder)) && text.contains("--fresh"), "\(text)")
      #expect(try read(folder) == before, "it is left alone")
    }
  }

  /// A header field other than the scenario: the message says which.
  @Test(arguments: [
    ("\"build\":\"", "another build of csilink"), ("\"format\":", "another build of csilink"),
    ("\"kernel\":\"", "kernels that round otherwise"),
    ("\"dataDigest\":\"", "other data or weights"),
    ("\"weightsDigest\":\"", "other data or weights"),
    ("\"physics\":\"", "another scenario"),
  ])
  func theJournalOfAnotherProgramIsRefused(field: String, message: String) throws {
    try withTemporaryFolder { folder in
      _ = try report(folder)
      let journal = String(decoding: try read(folder), as: UTF8.self)
      let place = try #require(journal.range(of: field))
      let isNumber = field.hasSuffix(":")
      var damaged = try read(folder)
      let offset = journal.utf8.distance(from: journal.startIndex, to: place.upperBound)
      damaged.insert(UInt8(ascii: isNumber ? "1" : "x"), at: damaged.startIndex + offset)
      try write(damaged, folder)
      let error = #expect(throws: JournalError.self) { try report(folder) }
      #expect(error?.problem.contains(message) == true, "\(String(describing: error))")
      let mergeError = #expect(throws: JournalError.self) {
        try Merge.result(prepare(Self.yaml), folders: [folder])
      }
      #expect(mergeError?.problem.contains(message) == true)
    }
  }

  @Test(arguments: ["hello\nworld\n", "{}\n", "block 0 1 aa bb\n"])
  func aFileThatIsNoJournalIsRefused(content: String) throws {
    try withTemporaryFolder { folder in
      try write(Data(content.utf8), folder)
      let error = #expect(throws: JournalError.self) { try report(folder) }
      #expect(error?.problem.contains("not a journal") == true, "\(String(describing: error))")
      #expect(try read(folder) == Data(content.utf8), "it is left alone")
    }
  }

  /// Merging reads and nothing else, whatever state the shards are in: no byte, file or time changes.
  @Test func mergingLeavesTheShardsAlone() throws {
    try withTemporaryFolder { folder in
      let whole = try report("\(folder)/whole")
      let parts = try (1...2).map { index in
        let shard = try #require(Shard("\(index)/2"))
        let part = "\(folder)/part\(index)"
        let run = try prepare(Self.yaml)
        _ = try Runner(run, pool: WorkerPool(threadCount: 1), folder: part, shard: shard).execute()
        return (folder: part, journal: Runner.journalPath(part, shard))
      }
      let good = try parts.map { try Data(contentsOf: URL(filePath: $0.journal)) }
      func state() throws -> [String] {
        try parts.flatMap { part in
          try FileManager.default.contentsOfDirectory(atPath: part.folder).sorted().map { name in
            let path = "\(part.folder)/\(name)"
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            let time = try #require(attributes[.modificationDate] as? Date)
            let bytes = try Data(contentsOf: URL(filePath: path))
            return "\(name) \(time.timeIntervalSince1970) \(bytes.base64EncodedString())"
          }
        }
      }
      func merge() throws -> RunResult {
        let run = try PreparedRun(
          scenario(Self.yaml), pool: WorkerPool(threadCount: 1), artefactFolder: nil, isDry: true)
        return try Merge.result(run, folders: parts.map(\.folder))
      }
      var before = try state()
      #expect(ReportCSV.text(of: try merge()) == whole)
      #expect(try state() == before)
      // Unfinished lines, half a header, an empty file: blocks are missing, and nothing is cut off.
      for cut in [good[1].count - 7, 40, 0] {
        try good[1].prefix(cut).write(to: URL(filePath: parts[1].journal))
        before = try state()
        let error = #expect(throws: JournalError.self) { try merge() }
        #expect(error?.problem.contains("is missing") == true, "\(String(describing: error))")
        #expect(try state() == before, "cut at \(cut)")
      }
      // A shard that is still at work keeps its journal locked.
      try good[1].write(to: URL(filePath: parts[1].journal))
      let handle = try #require(FileHandle(forUpdatingAtPath: parts[1].journal))
      #expect(flock(handle.fileDescriptor, LOCK_EX | LOCK_NB) == 0)
      #expect(ReportCSV.text(of: try merge()) == whole)
    }
  }

  /// As many drops as it takes: their number costs neither time nor memory.
  @Test func aRunOfAnyLengthEndsByItsRule() throws {
    try withTemporaryFolder { folder in
      let set = ["run.drops=\(1 << 40)", "run.block=1", "run.stop.nmse_half_width_db=0.5"]
      let result = try execute(prepare(Self.yaml, set: set), threads: 2, folder: folder)
      #expect(result.points.allSatisfy { $0.stopReason == .interval && $0.drops < 5000 })
      let shard = try #require(Shard("7/9"))
      let total = Mutex(0)
      let runner = Runner(
        try prepare(Self.yaml, set: ["run.drops=\(1 << 40)", "run.block=3"]),
        pool: WorkerPool(threadCount: 1), folder: folder, shard: shard)
      let outcome = try runner.execute(
        progress: { progress in total.withLock { $0 = progress.totalDrops } },
        shouldStop: { total.withLock { $0 > 0 } })
      guard case .interrupted = outcome else { throw NotFinished() }
      // Blocks 6, 15, 24, ... of 366503875926 blocks of 3; the last block of the run, of one drop, is not among them.
      let blocks = ((1 << 40) + 2) / 3
      #expect(total.withLock { $0 } == 3 * ((blocks - 1 - 6) / 9 + 1))
      #expect((blocks - 1) % 9 != 6)
    }
  }

  @Test func aFolderWithoutJournalsCannotBeMerged() throws {
    try withTemporaryFolder { folder in
      let error = #expect(throws: JournalError.self) {
        try Merge.result(prepare(Self.yaml), folders: [folder])
      }
      #expect(error?.problem.contains("no journal") == true)
    }
  }

  @Test func twoRunsCannotShareAJournal() throws {
    try withTemporaryFolder { folder in
      let run = try prepare(Self.yaml)
      let refused = Mutex<JournalError?>(nil)
      _ = try Runner(run, pool: WorkerPool(threadCount: 1), folder: folder).execute(
        progress: { progress in
          guard progress.finishedDrops == 4 else { return }
          do {
            _ = try Runner(run, pool: WorkerPool(threadCount: 1), folder: folder).execute()
          } catch {
            refused.withLock { $0 = error as? JournalError }
          }
        })
      #expect(refused.withLock { $0 }?.problem.contains("in use") == true)
    }
  }

  /// A child process that another thread starts during a run has copies of all descriptors until it closes them; the journal
  /// is free when its run ends all the same.
  @Test func aCopiedDescriptorDoesNotKeepTheJournalLocked() throws {
    try withTemporaryFolder { folder in
      let copies = Mutex<[Int32]>([])
      defer { copies.withLock { $0.forEach { close($0) } } }
      let run = try prepare(Self.yaml)
      _ = try Runner(run, pool: WorkerPool(threadCount: 1), folder: folder).execute(
        progress: { progress in
          guard progress.finishedDrops == 4 else { return }
          let own = self.descriptors(of: self.path(folder)).map { dup($0) }
          copies.withLock { $0 = own }
        })
      #expect(copies.withLock { !$0.isEmpty })
      _ = try report(folder)
      // Nor does a run that refuses the journal.
      for _ in 0..<2 {
        let error = #expect(throws: JournalError.self) { try report(folder, set: ["run.seed=9"]) }
        #expect(error?.problem.contains("another scenario") == true)
      }
    }
  }

  /// Open descriptors of this process that refer to a file.
  private func descriptors(of path: String) -> [Int32] {
    var wanted = stat()
    guard stat(path, &wanted) == 0 else { return [] }
    return (3..<Int32(1024)).filter { descriptor in
      var found = stat()
      return fstat(descriptor, &found) == 0 && found.st_ino == wanted.st_ino
        && found.st_dev == wanted.st_dev
    }
  }
}
