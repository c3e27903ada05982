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
  /// Whether the true channel has no energy in a slot that counts, [point][drop].
  private var isSilent: [[Bool]]

  /// - Returns: the metrics of all operating points and the time of each node.
  static func run(_ tree: LinkTree, _ block: DropBlock) throws -> (BlockMetrics, StageTimer) {
    var walk = BlockWalk(tree: tree, block: block)
    for root in tree.roots { try walk.visit(root) }
    try walk.conclude()
    return (walk.metrics, walk.timer)
  }

  private init(tree: LinkTree, block: DropBlock) {
    self.tree = tree
    self.block = block
    metrics = BlockMetrics(pointCount: tree.points.count, dropCount: block.drops.count)
    timer = StageTimer(nodeCount: tree.nodes.count)
    isSilent = Array(
      repeating: Array(repeating: false, count: block.drops.count), count: tree.points.count)
  }

  /// Marks the drops without energy, and refuses any other number that is not finite.
  private mutating func conclude() throws(MetricError) {
    for point in tree.points.indices {
      for drop in 0..<block.drops.count {
        for metric in DropMetric.allCases {
          if isSilent[point][drop] { metrics[point, drop, metric] = .nan }
          let value = metrics[point, drop, metric]
          let isMissing = isSilent[point][drop] || metric == .fullRatio && value.isNaN
          guard isMissing || value.isFinite else {
            throw MetricError(
              metric: metric, value: value, drop: block.drops.lowerBound + drop,
              point: tree.points[point].coordinates)
          }
        }
      }
    }
  }

  /// The true channel of a block.
  ///
  /// Frequency responses are kept, and taken through the link, in parts of a few drops that stay in the cache; only the
  /// small arrays of the angular-delay domain span the block.
  private struct Truth {
    let clock: SlotClock
    let cosineToneCount: Int
    let parts: [DropBlock]
    /// Slots that are reported or served, ascending.
    let slots: [Int]
    /// [part][slot]
    var responses: [[ComplexArray]] = []
    /// Truncated true CSI, [transform key][report][part]: computed once for each distinct transform.
    var csi: [String: [[ComplexArray]]] = [:]

    init(_ node: LinkTree.ChannelNode, _ block: DropBlock) {
      clock = node.clock
      cosineToneCount = node.cosineToneCount
      slots = Set(clock.reportSlots).union(clock.servedSlots).sorted()
      parts = block.parts(of: node.partSize)
    }

    func response(part: Int, slot: Int) -> ComplexArray {
      responses[part][slots.firstIndex(of: slot)!]
    }

    /// The drops of a part as rows of an array that spans the block.
    func rows(part: Int) -> Range<Int> {
      let first = parts[part].drops.lowerBound - parts[0].drops.lowerBound
      return first..<first + parts[part].drops.count
    }
  }

  /// What an estimator node gives the stages after it.
  private struct FrontEnd {
    /// Estimated CSI, [transform][report][part].
    var csi: [[[ComplexArray]]]
    /// [report][part]
    var energies: [[ErrorEnergies]]

    init(_ node: LinkTree.EstimatorNode, reports: Int) {
      csi = node.transforms.map { _ in Array(repeating: [], count: reports) }
      energies = Array(repeating: [], count: reports)
    }
  }

  /// Channel, pilots, estimation and transform, part by part; then the stages of the small domain, on the whole block.
  private mutating func visit(_ node: LinkTree.ChannelNode) throws {
    var truth = Truth(node, block)
    var front = node.pilots.map { pilots in
      pilots.estimators.map { FrontEnd($0, reports: truth.clock.reportSlots.count) }
    }
    for (index, part) in truth.parts.enumerated() {
      truth.responses.append(
        try timer.measure(node.id, counts: index == 0) {
          try node.channel.frequencyResponse(part, slots: truth.slots)
        })
      for (report, slot) in truth.clock.reportSlots.enumerated() {
        let channel = truth.response(part: index, slot: slot)
        for (p, pilots) in node.pilots.enumerated() {
          sound(pilots, channel, part, report: report, slot: slot, &front[p])
        }
        transformTruth(node, channel, report: report, &truth)
      }
    }
    for (p, pilots) in node.pilots.enumerated() {
      for (e, estimator) in pilots.estimators.enumerated() {
        try visit(estimator, truth, front[p][e])
      }
    }
  }

  /// The true CSI of one part and report, once for each distinct transform below a channel.
  private func transformTruth(
    _ node: LinkTree.ChannelNode, _ channel: ComplexArray, report: Int, _ truth: inout Truth
  ) {
    let reports = truth.clock.reportSlots.count
    for transform in node.distinctTransforms {
      timer.measure(transform.id, counts: false) {
        truth.csi[transform.key, default: Array(repeating: [], count: reports)][report].append(
          transform.transform.forward(channel))
      }
    }
  }

  /// Pilots, estimates and CSI of one part in one report slot.
  private func sound(
    _ node: LinkTree.PilotNode, _ channel: ComplexArray, _ part: DropBlock, report: Int, slot: Int,
    _ front: inout [FrontEnd]
  ) {
    let isFirst = part.drops.lowerBound == block.drops.lowerBound && report == 0
    let observation = timer.measure(node.id, counts: isFirst) {
      node.scheme.observe(channel, part, slot: slot)
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

  private mutating func visit(
    _ node: LinkTree.EstimatorNode, _ truth: Truth, _ front: FrontEnd
  ) throws {
    let energies = front.energies.map(ErrorEnergies.concatenated)
    let ratios = DropRatios.mean(energies)
    for (t, transform) in node.transforms.enumerated() {
      let trueCSI = truth.csi[transform.key]!.map(ComplexArray.concatenated)
      var state = UEState(
        truth: truth, transform: transform.transform, trueCSI: trueCSI,
        isSilent: ErrorEnergies.areSilent(energies), estimateRatios: ratios,
        truncationRatios: DropRatios.lost(zip(trueCSI, energies).map { ($0, $1.reference) }),
        csi: front.csi[t].map(ComplexArray.concatenated))
      for child in transform.normalisers { try visit(child, &state) }
    }
  }

  /// What the stages at the UE hand down.
  private struct UEState {
    let truth: Truth
    let transform: AngularDelayTransform
    let trueCSI: [ComplexArray]
    /// Drops without energy in a report slot.
    let isSilent: [Bool]
    let estimateRatios: [Double]
    let truncationRatios: [Double]
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
    let isCutOff = ErrorEnergies.areSilent(energies)
    for leaf in node.leaves {
      for drop in 0..<block.drops.count {
        if state.isSilent[drop] || isCutOff[drop] { isSilent[leaf.point][drop] = true }
        metrics[leaf.point, drop, .estimateRatio] = state.estimateRatios[drop]
        metrics[leaf.point, drop, .errorRatio] = ratios[drop]
        metrics[leaf.point, drop, .truncationRatio] = state.truncationRatios[drop]
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
          directions: directions?.value, snr: snr, knowsScale: knowsScale,
          cosineToneCount: state.truth.cosineToneCount)
        for (index, drop) in rows.enumerated() {
          let hasEnergy = downlink.add(index, to: &metrics, point: node.point, drop: drop)
          if !hasEnergy { isSilent[node.point][drop] = true }
        }
      }
      let scale = 1 / Double(served.count)
      for drop in rows {
        for metric in DownlinkMetrics.recorded { metrics[node.point, drop, metric] *= scale }
      }
    }
  }
}
