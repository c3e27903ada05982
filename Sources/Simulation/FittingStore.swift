import DataFiles
import Foundation
import LinkMath
import Networks
import Parts
import Synchronization

/// Fitted parts by the digest of everything they depend on: learned once, kept in memory and, if a folder is given, as
/// safetensors files that resumed runs and shards load.
final class FittingStore: Sendable {
  private let folder: String?
  private let sources: [String]
  private let pool: WorkerPool
  private let progress: @Sendable (String) -> Void
  private let memory = Mutex<[String: Artefact]>([:])
  private let placeholdersOnly: Bool
  private let isResolved: Bool
  /// Parts fitted so far by this process; the number of all that are to be fitted, once it is known.
  private let counts = Mutex<(fitted: Int, total: Int?)>((0, nil))
  /// Counts what the whole run has to fit.
  private let countAll: @Sendable () throws -> Int?
  /// Of placeholders, those that no file has the content of.
  private let missing = Mutex<[Pending]>([])
  /// What the last fit saw before the codec, for others on the same drops: quantisers of several bits, coders, codecs.
  private let recent = Mutex<(key: String, blocks: [ComplexArray?])?>(nil)
  /// Of ``recent``, at most.
  private static let mostBytes = 1 << 28
  /// Fits that ask for more recorded drops than there are, found with placeholders.
  private let shortages = Mutex<[Shortage]>([])
  /// Fits whose number of drops was lowered to what recorded data has.
  private let fewer = Mutex<[Lowered]>([])
  /// Drops whose input is computed together.
  static let block = 16

  /// A fit that a placeholder stands for.
  struct Pending: Sendable {
    /// Settings of the part.
    let part: Settings
    /// What it asks for.
    let fitting: Fitting
    /// The stages before it.
    let front: FrontEnd
  }

  /// A default number of drops that recorded data does not have.
  struct Lowered: Sendable, Hashable {
    /// Section of the part that is fitted.
    let section: Section
    /// The default, and what there is.
    let wanted, drops: Int

    /// For the user.
    var note: String {
      "\(section).fit.drops is \(drops) in place of \(wanted): the data has no more for fitting"
    }
  }

  /// A fit that asks for more drops than recorded data has.
  struct Shortage: Sendable {
    /// What is wrong, at its place.
    let error: PlacedError
    /// Drops that are asked for.
    let wanted: Int
  }

  /// Where a fitted part stands in its scenario.
  struct Place {
    /// Section of the part.
    let section: Section
    /// Operating point.
    let point: Int
    /// The point in words, for the progress.
    var text = ""
    /// Whether the number of drops is no default.
    let isWritten: Bool
    /// The request for so many drops.
    let fewer: (Int) throws -> Fitting
  }

  /// - Parameters:
  ///   - folder: where fitted parts are kept; nil keeps them in memory.
  ///   - sources: folders of other runs, which are only read.
  ///   - pool: threads.
  ///   - placeholdersOnly: fits nothing; arrays have the right shapes.
  ///   - isResolved: the scenario has its defaults written out, so that written numbers of drops may be lowered as well.
  ///   - progress: told what is fitted.
  ///   - countAll: how many parts the whole run has to fit; asked when the first one is.
  init(
    folder: String?, sources: [String] = [], pool: WorkerPool, placeholdersOnly: Bool = false,
    isResolved: Bool = false, progress: @escaping @Sendable (String) -> Void = { _ in },
    countAll: @escaping @Sendable () throws -> Int? = { nil }
  ) {
    self.countAll = countAll
    self.placeholdersOnly = placeholdersOnly
    self.isResolved = isResolved
    self.folder = folder
    self.sources = sources
    self.pool = pool
    self.progress = progress
  }

  /// How many parts are not in the folder, of those that placeholders stood for.
  var missingCount: Int { pending.count }

  /// The fits of those parts, in the order in which they are asked for.
  var pending: [Pending] { missing.withLock { $0 } }

  /// The fits for which recorded data has too few drops; placeholders stand for them.
  var limits: [Shortage] { shortages.withLock { $0 } }

  /// The fits with fewer drops than their default, each section and number once.
  var lowered: [Lowered] { fewer.withLock { $0 } }

  /// - Parameter place: nil for what no key of the scenario asks for.
  /// - Throws: ``SettingsError`` if recorded data has too few drops for fitting; with placeholders, see ``limits``.
  func artefact(for request: Fitting, part: Settings, _ front: FrontEnd, at place: Place? = nil)
    throws -> Artefact
  {
    let fitting = try limited(request, part, front, place)
    let description = [
      "csilink artefact 2", ProgramIdentity.text, "seed \(front.seed)",
      "drops \(fitting.dropCount)", "\(part.section) \(part.part)", fitting.signature,
      front.key(fitting.source),
    ].joined(separator: "\n")
    let digest = String(Digest.sha256(description).prefix(32))
    if let known = memory.withLock({ $0[digest] }) { return known }
    let name = "\(part.part)-\(digest).safetensors"
    let path = folder.map { "\($0)/\(name)" }
    let known = ([folder].compactMap { $0 } + sources).map { "\($0)/\(name)" }
      .first { FileManager.default.fileExists(atPath: $0) }
    if placeholdersOnly {
      let placeholder = fitting.placeholder
      if known == nil {
        missing.withLock { $0.append(Pending(part: part, fitting: fitting, front: front)) }
      }
      memory.withLock { $0[digest] = placeholder }
      return placeholder
    }
    if let known {
      let loaded = try load(known, fitting, digest: digest)
      memory.withLock { $0[digest] = loaded }
      return loaded
    }
    let number = counts.withLock { counts in
      counts.fitted += 1
      return counts.fitted
    }
    let total = try counts.withLock { $0.total } ?? countAll()
    counts.withLock { $0.total = total }
    let share = total.map { $0 > 1 ? "\(number) of \(max($0, number)): " : "" } ?? ""
    progress(
      "fitting \(share)\(part.section) \(part.part) on \(fitting.dropCount) drops"
        + (place.map { $0.text.isEmpty ? "" : " at \($0.text)" } ?? ""))
    let artefact: Artefact
    do {
      artefact = try fit(fitting, front)
    } catch let error as FittingError {
      let point = place.map { $0.text.isEmpty ? "" : " at \($0.text)" } ?? ""
      throw FittingError(
        part: error.part, reason: error.reason,
        place: "fitting \(part.section) on \(fitting.dropCount) drops\(point)")
    }
    if let path { try save(artefact, to: path, digest: digest) }
    memory.withLock { $0[digest] = artefact }
    return artefact
  }

  /// The request for at most the drops that recorded data has, if their number is a default.
  private func limited(
    _ fitting: Fitting, _ part: Settings, _ front: FrontEnd, _ place: Place?
  ) throws -> Fitting {
    guard let available = front.channel.dropCount(in: .fit), fitting.dropCount > available else {
      return fitting
    }
    if available > 0, let place, !place.isWritten || isResolved {
      let found = Lowered(section: part.section, wanted: fitting.dropCount, drops: available)
      fewer.withLock { if !$0.contains(found) { $0.append(found) } }
      do {
        return try place.fewer(available)
      } catch let error as SettingsError where error.hint == nil {
        throw SettingsError(
          part: error.part, key: error.key, reason: error.reason,
          hint:
            "the data has \(available) drops for fitting: 'split.fit' of the channel gives it more, if there are more; "
            + "a larger codec.compression needs fewer")
      }
    }
    let error = SettingsError(
      part: part.part, key: "fit.drops",
      reason:
        "must be at most the \(available) drops that the data has for fitting, got \(fitting.dropCount)",
      hint: available == 0
        ? "give fitting some of the records, as in channel: {split: {fit: 100}}; the rest is evaluated"
        : "lower fit.drops or enlarge the fit part of the split")
    guard placeholdersOnly, let place else { throw error }
    shortages.withLock {
      let placed = PlacedError(error: error, section: place.section, point: place.point)
      $0.append(Shortage(error: placed, wanted: fitting.dropCount))
    }
    return fitting
  }

  /// Inputs are computed in parallel, a few blocks at a time, and added in drop order; drops without energy are left out.
  private func fit(_ fitting: Fitting, _ front: FrontEnd) throws -> Artefact {
    var fitter = fitting.makeFitter()
    let key = "drops \(fitting.dropCount)\n" + front.keyOfSeen(fitting.source)
    let known = recent.withLock { $0?.key == key ? $0!.blocks : nil }
    var blocks: [ComplexArray?] = []
    var (kept, bytes) = (0, known == nil && front.transform != nil ? 0 : Int.max)
    let count = (fitting.dropCount + Self.block - 1) / Self.block
    let group = 2 * pool.threadCount
    for first in stride(from: 0, to: count, by: group) {
      let inputs = try pool.map(min(group, count - first)) { index, _ in
        let seen =
          if let known { known[first + index] } else {
            try self.seen(first + index, fitting, front)
          }
        return (seen, try seen.map(front.input))
      }
      for (seen, input) in inputs {
        kept += seen?.shape[0] ?? 0
        if let input { fitter.add(input) }
        guard bytes <= Self.mostBytes else { continue }
        blocks.append(seen)
        bytes += (seen?.count ?? 0) * MemoryLayout<ComplexFloat>.stride
      }
      if bytes > Self.mostBytes { blocks = [] }
    }
    if bytes <= Self.mostBytes { recent.withLock { $0 = (key, blocks) } }
    guard 2 * kept >= fitting.dropCount else {
      throw SilentDropsError(
        silent: fitting.dropCount - kept, drops: fitting.dropCount, of: "a fit")
    }
    return try fitter.finish(on: pool)
  }

  private func seen(_ block: Int, _ fitting: Fitting, _ front: FrontEnd) throws -> ComplexArray? {
    let start = block * Self.block
    let drops = start..<min(start + Self.block, fitting.dropCount)
    return try front.seen(fitting.source, DropBlock(drops, domain: .fit, seed: front.seed))
  }

  private func save(_ artefact: Artefact, to path: String, digest: String) throws {
    try AtomicFile.createFolder(folder!)
    let arrays = artefact.arrays.keys.sorted().map { name in
      let array = artefact.arrays[name]!
      return NumericArray(name: name, shape: array.shape, floats: array.elements)
    }
    try SealedTensors.write(arrays, metadata: ["csilink_artefact": digest], to: path)
  }

  private func load(_ path: String, _ fitting: Fitting, digest: String) throws -> Artefact {
    let file = try SealedTensors.read(path)
    let artefact = Artefact(
      file.tensors.mapValues { RealArray($0.floats(), shape: $0.shape) })
    guard file.metadata["csilink_artefact"] == digest,
      artefact.arrays.mapValues(\.shape) == fitting.shapes
    else {
      throw JournalError(
        path: path, problem: "does not hold the arrays of this fitted part",
        hint: "delete the file; it is learned again")
    }
    return artefact
  }
}
