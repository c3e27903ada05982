import DataFiles
import LinkMath
import Parts

/// The data of one stage for all drops of a run, as .npy files.
///
/// `STAGE-P.npy` holds `[drop, report, user, ...]` in single precision, complex where the stage is; the axes `report` and `user` are left
/// out where they have length one. P is the first row of `report.csv`, counted from 0, that has this data: points that share the stage
/// share the file, and `STAGE.csv` tells the file of each row. Drops are computed again from their random numbers, a few
/// blocks at a time, so that nothing needs to be kept of a run that was interrupted; files do not depend on threads.
public enum StageDump: String, Sendable, CaseIterable {
  /// The UE's estimate `[subcarrier, port]`.
  case estimate
  /// Reals of the codeword `[M]`.
  case codeword
  /// Angular-delay CSI `[delay, angle]` that the BS makes of a report.
  case reconstruction

  private var stage: TappedStage {
    switch self {
    case .estimate: .estimate
    case .codeword: .codeword
    case .reconstruction: .reconstruction
    }
  }

  /// Writes the files of a stage.
  ///
  /// - Parameters:
  ///   - run: the scenario with its parts.
  ///   - drops: drops of the result.
  ///   - folder: where the files appear; made if missing.
  ///   - pool: threads that blocks are worked on with.
  ///   - shouldStop: looked at between groups of blocks; true leaves everything out.
  /// - Returns: the file of each operating point, nil where it has no such data; nil if stopped.
  /// - Throws: ``ReplayError`` if no point has the data; errors of stages and files.
  /// - Complexity: memory for a block for each thread.
  public func write(
    _ run: PreparedRun, drops: Int, to folder: String, pool: WorkerPool,
    shouldStop: @escaping @Sendable () -> Bool = { false }
  ) throws -> [String?]? {
    try AtomicFile.createFolder(folder)
    let blocks = (drops + run.blockSize - 1) / run.blockSize
    var writers: [Int: ArrayFileWriter] = [:]
    var files: [String?] = Array(repeating: nil, count: run.pointCount)
    for first in stride(from: 0, to: blocks, by: pool.threadCount) {
      if shouldStop() { return nil }
      let group = first..<min(first + pool.threadCount, blocks)
      let results = try pool.map(group.count) { index, _ in
        try chunks(run, block: group.lowerBound + index, drops: drops)
      }
      for chunk in results.flatMap({ $0 }) {
        if writers[chunk.point] == nil {
          let name = "\(rawValue)-\(chunk.point).npy"
          writers[chunk.point] = try ArrayFileWriter(
            "\(folder)/\(name)",
            [
              ArrayInfo(
                shape: [drops] + chunk.shape, isComplex: chunk.isComplex, elementType: .float32)
            ])
          for point in chunk.points { files[point] = name }
        }
        try writers[chunk.point]!.append(.float(chunk.values))
      }
    }
    guard !writers.isEmpty else {
      throw ReplayError(
        message: "no operating point has a \(rawValue)",
        hint: "codecs that make reports of their own have no codeword")
    }
    for (_, writer) in writers.sorted(by: { $0.key < $1.key }) { try writer.finish() }
    return files
  }

  /// The rows of a block for one node.
  private struct Chunk: Sendable {
    let point: Int
    let points: [Int]
    let shape: [Int]
    let isComplex: Bool
    let values: [Float]
  }

  private func chunks(_ run: PreparedRun, block: Int, drops: Int) throws -> [Chunk] {
    let range = block * run.blockSize..<min((block + 1) * run.blockSize, drops)
    let tap = StageTap(points: Set(0..<run.pointCount), stages: [stage])
    try BlockWalk.run(run.tree, DropBlock(range, seed: run.settings.seed), into: tap)
    return (tap.data[stage] ?? [:]).sorted { $0.key < $1.key }.map { node, slots in
      let points = tap.pointsOfNode[node]!
      let users = points.map { run.tree.layout.users[$0] }.max()!
      let ordered = slots.sorted { $0.key < $1.key }.map(\.value)
      var values: [Float] = []
      for drop in 0..<range.count {
        for slot in ordered {
          for user in 0..<users { values += slot.rows[user * range.count + drop] }
        }
      }
      return Chunk(
        point: points[0], points: points,
        shape: [ordered.count, users].filter { $0 > 1 } + ordered[0].shape!,
        isComplex: ordered[0].isComplex, values: values)
    }
  }
}
