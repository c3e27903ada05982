import Foundation

/// Joins the journals of shards into the result of the whole run; the shards' folders are only read.
public enum Merge {
  /// - Parameters:
  ///   - folders: result folders; every journal in them is used.
  ///   - run: the prepared run the shards belong to.
  /// - Returns: the result, the same bytes as of one run.
  /// - Throws: ``JournalError`` if a journal belongs to another run, or blocks are missing before the stop rule is met.
  public static func result(_ run: PreparedRun, folders: [String]) throws -> RunResult {
    var journals: [JournalReader] = []
    for folder in folders {
      for name in try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      where name.hasPrefix("journal") && name.hasSuffix(".log") {
        journals.append(
          try JournalReader(
            reading: "\(folder)/\(name)", header: run.header, dropsOfBlock: run.dropCount(ofBlock:))
        )
      }
    }
    guard !journals.isEmpty else {
      throw JournalError(
        path: folders.joined(separator: ", "), problem: "holds no journal",
        hint: "name the result folders of 'csilink run --shard i/n'")
    }
    var fold = OrderedFold(run)
    try fold.advance { block in
      try journals.first { $0.blocks[block] != nil }.map { try $0.read(block) }
    }
    guard fold.reason != nil else {
      throw JournalError(
        path: folders.joined(separator: ", "),
        problem: "block \(fold.missingBlock) of \(run.blockCount) is missing",
        hint: "run the shards that are not finished again")
    }
    return try run.result(fold.summaries)
  }
}
