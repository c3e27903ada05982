import Foundation

/// Joins the journals of shards into the result of the whole run; the shards' folders are only read.
public enum Merge {
  /// - Parameters:
  ///   - folders: result folders; every journal in them is used.
  ///   - run: the prepared run the shards belong to.
  /// - Returns: the result, the same bytes as of one run.
  /// - Throws: ``JournalError`` if a journal belongs to another run, or blocks are missing before the stop rule is met.
  public static func result(_ run: PreparedRun, folders: [String]) throws -> RunResult {
    let paths = try journals(in: folders)
    let journals = try paths.map {
      try JournalReader(reading: $0, header: run.header, dropsOfBlock: run.dropCount(ofBlock:))
    }
    let shards = Set(
      paths.compactMap { Shard(journal: String($0.split(separator: "/").last ?? "")) })
    var fold = OrderedFold(run)
    try fold.advance { block in
      try journals.first { $0.blocks[block] != nil }.map { try $0.read(block) }
    }
    guard fold.reason != nil else {
      throw missing(fold.missingBlock, of: run, shards, folders)
    }
    return try run.result(fold)
  }

  /// The journals in the folders of shards.
  ///
  /// - Throws: ``JournalError`` for a folder that cannot be read, and if there is none.
  public static func journals(in folders: [String]) throws -> [String] {
    let paths = try folders.flatMap { folder in
      guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
        throw JournalError(
          path: folder, problem: "no such folder, or one that cannot be read",
          hint: "name the result folders of 'csilink run --shard i/n'")
      }
      return names.sorted().filter { $0.hasPrefix("journal") && $0.hasSuffix(".log") }
        .map { "\(folder)/\($0)" }
    }
    guard !paths.isEmpty else {
      throw JournalError(
        path: folders.joined(separator: ", "), problem: "holds no journal",
        hint: "name the result folders of 'csilink run --shard i/n'")
    }
    return paths
  }

  /// Names the shard that a missing block belongs to.
  private static func missing(
    _ block: Int, of run: PreparedRun, _ shards: Set<Shard>, _ folders: [String]
  ) -> JournalError {
    let path = folders.joined(separator: ", ")
    let problem = "block \(block) of \(run.blockCount) is missing"
    let counts = Set(shards.map(\.count)).sorted()
    guard counts.count < 2 else {
      return JournalError(
        path: path,
        problem:
          "shards of \(counts.map { "1/\($0)" }.joined(separator: " and ")) do not go together",
        hint: "name the shards of one division")
    }
    guard let count = shards.first?.count,
      let shard = (1...count).compactMap({ Shard("\($0)/\(count)") }).first(where: {
        $0.contains(block)
      })
    else {
      return JournalError(
        path: path, problem: problem, hint: "run the shards that are not finished again")
    }
    let absent = (1...count).compactMap { Shard("\($0)/\(count)") }
      .filter { !shards.contains($0) }.map { "\($0)" }.joined(separator: ", ")
    return shards.contains(shard)
      ? JournalError(
        path: path, problem: "shard \(shard) is not finished: \(problem)",
        hint:
          "run it again with --shard \(shard), where it goes on; or has the merge fewer --set than the shards?"
      )
      : JournalError(
        path: path, problem: "shard \(absent) is missing",
        hint: "run it with --shard \(shard), and name its folder too")
  }
}
