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
  /// Drops whose input is computed together.
  private static let block = 16

  /// - Parameters:
  ///   - folder: where fitted parts are kept; nil keeps them in memory.
  ///   - sources: folders of other runs, which are only read.
  ///   - pool: threads.
  ///   - placeholdersOnly: fits nothing; arrays have the right shapes.
  ///   - progress: told what is fitted.
  init(
    folder: String?, sources: [String] = [], pool: WorkerPool, placeholdersOnly: Bool = false,
    progress: @escaping @Sendable (String) -> Void = { _ in }
  ) {
    self.placeholdersOnly = placeholdersOnly
    self.folder = folder
    self.sources = sources
    self.pool = pool
    self.progress = progress
  }

  /// - Throws: ``SettingsError`` if recorded data has too few drops for fitting.
  func artefact(for fitting: Fitting, part: Settings, _ front: FrontEnd) throws -> Artefact {
    let description = [
      "csilink artefact 2", ProgramIdentity.text, "seed \(front.seed)",
      "drops \(fitting.dropCount)", "\(part.section) \(part.part)", fitting.signature,
      front.key(fitting.source),
    ].joined(separator: "\n")
    let digest = String(Digest.sha256(description).prefix(32))
    if let known = memory.withLock({ $0[digest] }) { return known }
    let name = "\(part.part)-\(digest).safetensors"
    let path = folder.map { "\($0)/\(name)" }
    if let available = front.channel.dropCount(in: .fit), fitting.dropCount > available {
      throw SettingsError(
        part: part.part, key: "fit.drops",
        reason:
          "must be at most the \(available) drops that the data has for fitting, got \(fitting.dropCount)",
        hint: "lower fit.drops or enlarge the fit part of the split")
    }
    if placeholdersOnly {
      let placeholder = fitting.placeholder
      memory.withLock { $0[digest] = placeholder }
      return placeholder
    }
    let known = ([folder].compactMap { $0 } + sources).map { "\($0)/\(name)" }
    if let path = known.first(where: { FileManager.default.fileExists(atPath: $0) }) {
      let loaded = try load(path, fitting, digest: digest)
      memory.withLock { $0[digest] = loaded }
      return loaded
    }
    progress("fitting \(part.section) \(part.part) on \(fitting.dropCount) drops")
    let artefact = try fit(fitting, front)
    if let path { try save(artefact, to: path, digest: digest) }
    memory.withLock { $0[digest] = artefact }
    return artefact
  }

  /// Inputs are computed in parallel, a few blocks at a time, and added in drop order; drops without energy are left out.
  private func fit(_ fitting: Fitting, _ front: FrontEnd) throws -> Artefact {
    var fitter = fitting.makeFitter()
    let starts = Array(stride(from: 0, to: fitting.dropCount, by: Self.block))
    let group = 2 * pool.threadCount
    var kept = 0
    for first in stride(from: 0, to: starts.count, by: group) {
      let members = starts[first..<min(first + group, starts.count)]
      let inputs = try pool.map(members.count) { index, _ in
        let start = members[members.startIndex + index]
        let drops = start..<min(start + Self.block, fitting.dropCount)
        return try front.input(
          fitting.source, DropBlock(drops, domain: .fit, seed: front.seed))
      }
      for (input, count) in inputs {
        kept += count
        if let input { fitter.add(input) }
      }
    }
    guard 2 * kept >= fitting.dropCount else {
      throw SilentDropsError(
        silent: fitting.dropCount - kept, drops: fitting.dropCount, of: "a fit")
    }
    return try fitter.finish(on: pool)
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
