import Codecs
import Foundation
import Link
import LinkMath
import Parts
import Scenarios

/// What `csilink check` prints: shapes, payload bits, memory and estimated time, from one block timed without fitted parts.
public enum ScenarioCheck {
  /// - Throws: everything that running the scenario would throw before its first block.
  public static func text(_ scenario: Scenario, threads: Int) throws -> String {
    let pool = WorkerPool(threadCount: threads)
    let training = scenario.training == nil ? [] : try TrainingCheck.lines(scenario, pool: pool)
    // A scenario that only trains has no weights to run with yet.
    if !training.isEmpty,
      scenario.points.contains(where: { NeuralCodec.isUntrained($0.settings[.codec]!) })
    {
      return (["# scenario \(scenario.name)"] + training).joined(separator: "\n")
    }
    let run = try PreparedRun(scenario, pool: pool, artefactFolder: nil, isDry: true)
    return
      (training + header(run) + shapes(run) + payloads(run) + [memory(run, threads: threads)]
      + [try time(run, threads: threads)]).joined(separator: "\n")
  }

  private static func header(_ run: PreparedRun) -> [String] {
    let stages = Section.stages.compactMap { section -> String? in
      let count = run.tree.nodes.filter { $0 == section }.count
      return count > 0 ? "\(section.rawValue) \(count)" : nil
    }
    return [
      "# scenario \(run.scenario.name): \(run.pointCount) operating points, at most "
        + "\(run.settings.maximumDrops) drops in blocks of \(run.blockSize)",
      "# distinct prefixes: " + stages.joined(separator: ", "),
    ]
  }

  private static func shapes(_ run: PreparedRun) -> [String] {
    var lines: [String] = []
    for root in run.tree.roots {
      let (tones, ports) = (root.context.grid.toneCount, root.context.portCount)
      lines.append(
        "# channel          [drop, subcarrier, port]  [\(run.blockSize), \(tones), \(ports)]")
      for transform in root.distinctTransforms {
        lines.append(
          "# angular-delay    [drop, delay, angle]      [\(run.blockSize), \(transform.transform.tapCount), \(ports)]"
        )
      }
    }
    let codecs = run.tree.distinctCodecs.map { codec in
      "# codec            [drop, real]              [\(run.blockSize), \(codec.codewordLength)]"
        + "  \(codec.summary)"
    }
    return lines + unique(codecs, by: \.self)
  }

  private static func unique<T>(_ items: [T], by key: (T) -> String) -> [T] {
    var seen: Set<String> = []
    return items.filter { seen.insert(key($0)).inserted }
  }

  private static func payloads(_ run: PreparedRun) -> [String] {
    let axes = run.scenario.axes.map(\.path)
    let rows = run.tree.points.map { point in
      let place = zip(axes, point.coordinates).compactMap { axis, value in
        value.map { "\(axis)=\($0)" }
      }
      return place.filter { !$0.hasPrefix("pilots.") }.joined(separator: " ") + ": "
        + (point.payloadBits.map { "\($0) bits" } ?? "real codeword, no bits")
    }
    return unique(rows, by: \.self).prefix(40).map { "# payload \($0)" }
  }

  /// Bytes of the arrays that are alive at the deepest point of the tree, for each worker, and of the codecs.
  static func memoryBytes(_ run: PreparedRun, threads: Int) -> Int {
    let perWorker = run.tree.roots.map { blockByteCount($0, drops: run.blockSize) }.max()!
    let metrics = 8 * run.pointCount * run.blockSize * DropMetric.allCases.count
    let codecs = run.tree.distinctCodecs.map(\.memoryBytes)
    // A codec keeps its scratch memory for the next block.
    let scratch = codecs.reduce(0) { $0 + $1.perThread }
    return threads * (perWorker + 4 * metrics + scratch) + codecs.reduce(0) { $0 + $1.shared }
  }

  /// Bytes of the arrays of one block below a channel.
  private static func blockByteCount(_ root: LinkTree.ChannelNode, drops: Int) -> Int {
    let slots = Set(root.clock.reportSlots).union(root.clock.servedSlots).count
    let reports = root.clock.reportSlots.count
    let response = 8 * root.context.grid.toneCount * root.context.portCount
    func csi(_ node: LinkTree.TransformNode) -> Int {
      8 * drops * node.transform.tapCount * root.context.portCount * reports
    }
    // The channel in every slot; the true CSI of every transform, and the estimated CSI behind every estimator.
    let estimators = root.pilots.flatMap(\.estimators)
    let kept =
      drops * slots * response + root.distinctTransforms.reduce(0) { $0 + csi($1) }
      + estimators.flatMap(\.transforms).reduce(0) { $0 + csi($1) }
    // Behind one of them: both as one array, normalised, decoded, reconstructed; codewords sent, received and decoded.
    let deepest = root.distinctTransforms.map { 5 * csi($0) }.max() ?? 0
    let codecs = estimators.flatMap(\.transforms).flatMap(\.normalisers).flatMap(\.codecs)
    let codewords = 3 * 4 * drops * reports * (codecs.map(\.codec.codewordLength).max() ?? 0)
    // Of a few drops: pilots, least squares, estimate and precoder; a reconstruction for each report.
    let parts = min(root.partSize, drops) * response * (4 + reports)
    return kept + deepest + codewords + parts
  }

  private static func memory(_ run: PreparedRun, threads: Int) -> String {
    let megabytes = Double(memoryBytes(run, threads: threads)) / Double(1 << 20)
    return String(
      format: "# memory: about %.0f MiB for %d threads, independent of the number of drops",
      megabytes.rounded(.up), threads)
  }

  private static func time(_ run: PreparedRun, threads: Int) throws -> String {
    let clock = ContinuousClock()
    _ = try run.metrics(ofBlock: 0)  // first use makes plans and touches memory
    let start = clock.now
    _ = try run.metrics(ofBlock: 0)
    let perBlock = (clock.now - start).seconds
    let seconds = perBlock * Double(run.blockCount) / Double(threads)
    return String(
      format:
        "# time: about %.1f s with %d threads (%.2f ms for a drop at all points), fitting not counted",
      seconds, threads, 1e3 * perBlock / Double(run.dropCount(ofBlock: 0)))
  }
}
