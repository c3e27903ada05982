import Codecs
import Foundation
import Link
import LinkMath
import Parts
import Scenarios

/// What `csilink check` prints: shapes, payload bits, memory, what will be fitted, and estimated time, from one block timed
/// without fitted parts and from a few drops of each kind of fit (`FittingEstimate`).
public enum ScenarioCheck {
  /// - Parameters:
  ///   - scenario: what was read.
  ///   - trained: the same with weights for its networks; what runs, if its own have none.
  ///   - threads: workers of the estimate.
  /// - Throws: everything that training and running the scenario would throw before its first step or block.
  public static func text(_ scenario: Scenario, trained: Scenario? = nil, threads: Int) throws
    -> String
  {
    let pool = WorkerPool(threadCount: threads)
    let training = scenario.training == nil ? [] : try TrainingCheck.lines(scenario, pool: pool)
    let scenario = trained ?? scenario
    // Levels that a training finds are not there before it.
    if TrainingRun.isUntrained(scenario), !training.isEmpty {
      return
        (["# scenario \(scenario.name)"] + training
        + ["# run: told after the training, which makes its quantizer too"])
        .joined(separator: "\n")
    }
    let run = try PreparedRun(scenario, pool: pool, artefactFolder: nil, isDry: true)
    return
      (training + header(run) + shapes(run) + payloads(run) + [memory(run, threads: threads)]
      + (try time(run, pool))).joined(separator: "\n")
  }

  private static func header(_ run: PreparedRun) -> [String] {
    let stages = Section.stages.compactMap { section -> String? in
      let count = run.tree.nodes.filter { $0 == section }.count
      return count > 0 ? "\(section.rawValue) \(count)" : nil
    }
    return [
      "# scenario \(run.scenario.name): \(run.pointCount) operating points, at most "
        + "\(run.settings.maximumDrops) drops in blocks of \(run.blockSize)"
        + (run.tree.users > 1 ? ", up to \(run.tree.users) users in each" : ""),
      "# distinct prefixes: " + stages.joined(separator: ", "),
    ]
  }

  private static func shapes(_ run: PreparedRun) -> [String] {
    var lines: [String] = []
    for (root, channel) in zip(run.tree.roots, run.tree.channels) {
      let (tones, ports) = (channel.context.grid.toneCount, channel.context.portCount)
      lines.append(
        "# channel          [drop, subcarrier, port]  [\(run.blockSize), \(tones), \(ports)]")
      for rows in root.distinct(.transform).map(\.csiRowCount) {
        lines.append(
          "# angular-delay    [drop, delay, angle]      [\(run.blockSize), \(rows), \(ports)]")
      }
    }
    let codecs = run.tree.distinctCodecs.map { codec in
      let shape = "[drop, real]              [\(run.blockSize), \(codec.codewordLength)]"
      return "# codec            \(codec.codewordLength > 0 ? shape + "  " : "")\(codec.summary)"
    }
    return lines + codecs.uniqued(by: \.self)
  }

  private static func payloads(_ run: PreparedRun) -> [String] {
    let axes = run.scenario.axes.map(\.path)
    let rows = run.tree.points.map { point in
      let place = zip(axes, point.coordinates).compactMap { axis, value in
        value.map { "\(axis)=\($0)" }
      }
      return place.filter { !$0.hasPrefix("pilots.") }.joined(separator: " ") + ": "
        + (point.payloadBits.map { "\(point.payloadVaries ? "at most " : "")\($0) bits" }
          ?? "real codeword, no bits")
    }
    return rows.uniqued(by: \.self).prefix(40).map { "# payload \($0)" }
  }

  /// Bytes of the arrays that are alive at the deepest point of the tree, for each worker, and of the codecs.
  static func memoryBytes(_ run: PreparedRun, threads: Int) -> Int {
    let perWorker = zip(run.tree.roots, run.tree.channels).map {
      blockByteCount($0, $1, drops: run.blockSize * run.tree.users)
    }.max()!
    let metrics = 8 * run.blockSize * run.tree.layout.valuesPerDrop
    let codecs = run.tree.distinctCodecs.map(\.memoryBytes)
    // A codec keeps its scratch memory for the next block.
    let scratch = codecs.reduce(0) { $0 + $1.perThread }
    return threads * (perWorker + 4 * metrics + scratch) + codecs.reduce(0) { $0 + $1.shared }
  }

  /// Bytes of the arrays of one block below a channel, of the slots that are in memory at a time.
  private static func blockByteCount(_ root: Node, _ channel: ChannelStage, drops: Int) -> Int {
    let slots = min(channel.slots.count, channel.slotsInFlight(drops: drops))
    let reports = min(channel.clock.reportSlots.count, (slots - 1) / channel.clock.period + 1)
    let response = channel.responseByteCount
    func csi(_ node: Node) -> Int {
      8 * drops * node.csiRowCount * channel.context.portCount * reports
    }
    // The channel in every slot; the true CSI of every transform, and the estimated CSI behind every estimator.
    let (distinct, all) = (root.distinct(.transform), root.all(.transform))
    let kept =
      drops * slots * response + distinct.reduce(0) { $0 + csi($1) }
      + all.reduce(0) { $0 + csi($1) }
    // Behind one of them: both as one array, normalised, decoded, reconstructed; codewords sent, received and decoded.
    let deepest = distinct.map { 5 * csi($0) }.max() ?? 0
    let lengths = root.all(.codec).map { node in
      if case .codec(let codec) = node.stage { codec.codewordLength } else { 0 }
    }
    let codewords = 3 * 4 * drops * reports * (lengths.max() ?? 0)
    // Of a few drops: pilots, least squares, estimate and precoder; a reconstruction for each report.
    let parts = min(channel.partSize, drops) * response * (4 + reports)
    return kept + deepest + codewords + parts
  }

  private static func memory(_ run: PreparedRun, threads: Int) -> String {
    let megabytes = Double(memoryBytes(run, threads: threads)) / Double(1 << 20)
    return String(
      format: "# memory: about %.0f MiB for %d threads, independent of the number of drops",
      megabytes.rounded(.up), threads)
  }

  private static func time(_ run: PreparedRun, _ pool: WorkerPool) throws -> [String] {
    let clock = ContinuousClock()
    _ = try run.metrics(ofBlock: 0)  // first use makes plans and touches memory
    let start = clock.now
    _ = try run.metrics(ofBlock: 0)
    let perBlock = (clock.now - start).seconds
    let seconds = perBlock * Double(run.blockCount) / Double(pool.threadCount)
    let time = String(
      format: "# time: about %.1f s with %d threads (%.2f ms for a drop at all points)",
      seconds, pool.threadCount, 1e3 * perBlock / Double(run.dropCount(ofBlock: 0)))
    guard !run.pendingFits.isEmpty else { return [time] }
    let fits = try FittingEstimate(run.pendingFits, pool: pool)
    return [
      "# fits: \(fits.text), each done once and kept in the result folder",
      time + String(format: ", and about %.1f s for the fits", fits.seconds),
    ]
  }
}

extension Node {
  /// Rows of the CSI behind a transform.
  fileprivate var csiRowCount: Int {
    if case .transform(let transform) = stage { transform.rowCount } else { 0 }
  }
}
