import CKernels
import Channels
import Codecs
import Link
import LinkMath
import Parts

/// Takes one block of drops through the tree, depth first.
struct BlockWalk {
  private let tree: LinkTree
  private let block: DropBlock
  private var metrics: BlockMetrics
  private let timer: StageTimer

  /// - Returns: the metrics of all operating points and the time of each node.
  static func run(_ tree: LinkTree, _ block: DropBlock) throws -> (BlockMetrics, StageTimer) {
    var walk = BlockWalk(tree: tree, block: block)
    for root in tree.roots { try walk.visit(root) }
    return (walk.metrics, walk.timer)
  }

  private init(tree: LinkTree, block: DropBlock) {
    self.tree = tree
    self.block = block
    metrics = BlockMetrics(pointCount: tree.points.count, dropCount: block.drops.count)
    timer = StageTimer(nodeCount: tree.nodes.count)
  }

  /// The true channel of a block and what every point derives from it, computed at most once.
  ///
  /// Frequency responses are kept, and taken through the link, in parts of a few drops that stay in the cache; only the
  /// small arrays of the angular-delay domain span the block.
  private final class Truth {
    let clock: SlotClock
    let parts: [DropBlock]
    private let slots: [Int]
    /// [part][slot]
    private let responses: [[ComplexArray]]
    private var csi: [String: [ComplexArray]] = [:]

    init(clock: SlotClock, parts: [DropBlock], slots: [Int], responses: [[ComplexArray]]) {
      self.clock = clock
      self.parts = parts
      self.slots = slots
      self.responses = responses
    }

    func response(part: Int, slot: Int) -> ComplexArray {
      responses[part][slots.firstIndex(of: slot)!]
    }

    /// The drops of a part as rows of an array that spans the block.
    func rows(part: Int) -> Range<Int> {
      let first = parts[part].drops.lowerBound - parts[0].drops.lowerBound
      return first..<first + parts[part].drops.count
    }

    /// The truncated true CSI of every report slot.
    func csi(_ node: LinkTree.TransformNode) -> [ComplexArray] {
      if let known = csi[node.key] { return known }
      let result = clock.reportSlots.map { slot in
        ComplexArray.concatenated(
          parts.indices.map { node.transform.forward(response(part: $0, slot: slot)) })
      }
      csi[node.key] = result
      return result
    }
  }

  private mutating func visit(_ node: LinkTree.ChannelNode) throws {
    let slots = Set(node.clock.reportSlots).union(node.clock.servedSlots).sorted()
    let parts = block.parts(of: node.partSize)
    let responses = try parts.enumerated().map { index, part in
      try timer.measure(node.id, counts: index == 0) {
        try node.channel.frequencyResponse(part, slots: slots)
      }
    }
    let truth = Truth(clock: node.clock, parts: parts, slots: slots, responses: responses)
    for child in node.pilots { try visit(child, truth) }
  }

  /// What an estimator node gives the stages after it.
  private struct FrontEnd {
    /// Estimated CSI, [transform][report][part].
    var csi: [[[ComplexArray]]]
    /// [report][part]
    var energies: [[ErrorEnergies]]
  }

  /// Pilots, estimation and transform, part by part: nothing of the size of a frequency response outlives its part.
  private mutating func visit(_ node: LinkTree.PilotNode, _ truth: Truth) throws {
    let slots = truth.clock.reportSlots
    var front = node.estimators.map { estimator in
      FrontEnd(
        csi: estimator.transforms.map { _ in slots.map { _ in [] } },
        energies: slots.map { _ in [] })
    }
    for (part, drops) in truth.parts.enumerated() {
      for (report, slot) in slots.enumerated() {
        let isFirst = part == 0 && report == 0
        let channel = truth.response(part: part, slot: slot)
        let observation = timer.measure(node.id, counts: isFirst) {
          node.scheme.observe(channel, drops, slot: slot)
        }
        for (e, estimator) in node.estimators.enumerated() {
          let estimate = timer.measure(estimator.id, counts: isFirst) {
            let estimate = estimator.estimator.estimate(observation).response
            front[e].energies[report].append(ErrorEnergies(channel, estimate))
            return estimate
          }
          for (t, transform) in estimator.transforms.enumerated() {
            timer.measure(transform.id, counts: isFirst) {
              front[e].csi[t][report].append(transform.transform.forward(estimate))
            }
          }
        }
      }
    }
    for (e, estimator) in node.estimators.enumerated() {
      let ratios = DropRatios.mean(front[e].energies.map(ErrorEnergies.concatenated))
      for (t, transform) in estimator.transforms.enumerated() {
        let trueCSI = timer.measure(transform.id, counts: false) { truth.csi(transform) }
        var state = UEState(
          truth: truth, transform: transform.transform, trueCSI: trueCSI, estimateRatios: ratios,
          csi: front[e].csi[t].map(ComplexArray.concatenated))
        for child in transform.normalisers { try visit(child, &state) }
      }
    }
  }

  /// What the stages at the UE hand down.
  private struct UEState {
    let truth: Truth
    let transform: AngularDelayTransform
    let trueCSI: [ComplexArray]
    let estimateRatios: [Double]
    /// Estimated CSI of every report slot, [drop, delay, angle].
    let csi: [ComplexArray]
    var normaliser: Normaliser?
    /// Gain of every report slot and drop, as the UE has it.
    var gains: [[Float]] = []
    var normalised: [ComplexArray] = []
  }

  private mutating func visit(_ node: LinkTree.NormaliserNode, _ state: inout UEState) throws {
    timer.measure(node.id) {
      state.normaliser = node.normaliser
      state.gains = state.csi.map(node.normaliser.gains)
      state.normalised = zip(state.csi, state.gains).map {
        node.normaliser.scale($0, by: $1.map { 1 / $0 })
      }
    }
    for child in node.codecs { try visit(child, state) }
  }

  private mutating func visit(_ node: LinkTree.CodecNode, _ state: UEState) throws {
    let codewords = try timer.measure(node.id) { try state.normalised.map(node.codec.encode) }
    for child in node.quantizers { try visit(child, state, node, codewords) }
  }

  private mutating func visit(
    _ node: LinkTree.QuantizerNode, _ state: UEState, _ codec: LinkTree.CodecNode,
    _ codewords: [Codeword]
  ) throws {
    let format = PayloadFormat(
      normaliser: state.normaliser!, codec: codec.codec, quantizer: node.quantizer)
    let reports = timer.measure(node.id) {
      codewords.enumerated().map { format.pack($1, gains: state.gains[$0]) }
    }
    for child in node.links { try visit(child, state, codec, format, reports) }
  }

  private mutating func visit(
    _ node: LinkTree.FeedbackNode, _ state: UEState, _ codec: LinkTree.CodecNode,
    _ format: PayloadFormat, _ reports: [PackedReport]
  ) throws {
    let slots = state.truth.clock.reportSlots
    let received = timer.measure(node.id) {
      zip(reports, slots).map { report, slot in
        ReceivedReport(
          report, arrived: node.link.transmit(report.content, block, slot: slot), format)
      }
    }
    // Decoding belongs to the codec, in the time of its node too.
    let reconstructions = try timer.measure(codec.id, counts: false) {
      try received.enumerated().map { index, report -> ComplexArray in
        let decoded = try codec.codec.decode(report.codeword)
        return state.normaliser!.scale(decoded, by: report.gains ?? state.gains[index])
      }
    }
    recordFeedback(node, state, received, reconstructions)
    for part in state.truth.parts.indices {
      let rows = state.truth.rows(part: part)
      let full = timer.measure(node.id, counts: false) {
        reconstructions.map { state.transform.inverse($0.slice(rows)) }
      }
      for leaf in node.leaves { try visit(leaf, state, part: part, full) }
    }
  }

  /// Errors in the truncated domain against the true CSI of the measured slot, and bits.
  private mutating func recordFeedback(
    _ node: LinkTree.FeedbackNode, _ state: UEState, _ received: [ReceivedReport],
    _ reconstructions: [ComplexArray]
  ) {
    let energies = zip(state.trueCSI, reconstructions).map { ErrorEnergies($0, $1) }
    let ratios = DropRatios.mean(energies)
    for leaf in node.leaves {
      for drop in 0..<block.drops.count {
        metrics[leaf.point, drop, .estimateRatio] = state.estimateRatios[drop]
        metrics[leaf.point, drop, .errorRatio] = ratios[drop]
        for energy in energies {
          metrics[leaf.point, drop, .errorEnergy] += energy.error[drop]
          metrics[leaf.point, drop, .referenceEnergy] += energy.reference[drop]
        }
        for report in received {
          metrics[leaf.point, drop, .bitErrors] += Double(report.bitErrors[drop])
          metrics[leaf.point, drop, .clippedValues] += Double(report.clipped[drop])
        }
      }
    }
  }

  /// The downlink of every served slot, for the drops of one part.
  private mutating func visit(
    _ node: LinkTree.PrecoderNode, _ state: UEState, part: Int, _ reconstructions: [ComplexArray]
  ) throws {
    let knowsScale = state.normaliser!.delivery != .unit
    let served = node.clock.servedSlots
    let rows = state.truth.rows(part: part)
    try timer.measure(node.id, counts: part == 0) {
      let snr = linear(decibels: node.precoder.snrDB)
      var directions: (report: Int, value: ComplexArray)?
      for slot in served {
        let report = node.clock.newestReport(at: slot)
        let reconstruction = reconstructions[report]
        if !node.isPerTone, directions?.report != report {
          directions = (report, try node.precoder.directions(reconstruction))
        }
        let downlink = DownlinkMetrics(
          channel: state.truth.response(part: part, slot: slot), reconstruction: reconstruction,
          directions: directions?.value, snr: snr, knowsScale: knowsScale)
        for (index, drop) in rows.enumerated() {
          downlink.add(index, to: &metrics, point: node.point, drop: drop)
        }
      }
      let scale = 1 / Double(served.count)
      for drop in rows {
        for metric in DownlinkMetrics.recorded { metrics[node.point, drop, metric] *= scale }
      }
    }
  }
}
