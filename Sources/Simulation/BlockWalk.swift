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
  private final class Truth {
    let clock: SlotClock
    private let slots: [Int]
    private let responses: [ComplexArray]
    private var csi: [String: [ComplexArray]] = [:]

    init(clock: SlotClock, slots: [Int], responses: [ComplexArray]) {
      self.clock = clock
      self.slots = slots
      self.responses = responses
    }

    func response(slot: Int) -> ComplexArray { responses[slots.firstIndex(of: slot)!] }

    /// The truncated true CSI of every report slot.
    func csi(_ node: LinkTree.TransformNode) -> [ComplexArray] {
      if let known = csi[node.key] { return known }
      let result = clock.reportSlots.map { node.transform.forward(response(slot: $0)) }
      csi[node.key] = result
      return result
    }
  }

  private mutating func visit(_ node: LinkTree.ChannelNode) throws {
    let slots = Set(node.clock.reportSlots).union(node.clock.servedSlots).sorted()
    let responses = try timer.measure(node.id) {
      try node.channel.frequencyResponse(block, slots: slots)
    }
    let truth = Truth(clock: node.clock, slots: slots, responses: responses)
    for child in node.pilots { try visit(child, truth) }
  }

  private mutating func visit(_ node: LinkTree.PilotNode, _ truth: Truth) throws {
    let observations = timer.measure(node.id) {
      truth.clock.reportSlots.map {
        node.scheme.observe(truth.response(slot: $0), block, slot: $0)
      }
    }
    for child in node.estimators { try visit(child, truth, observations) }
  }

  private mutating func visit(
    _ node: LinkTree.EstimatorNode, _ truth: Truth, _ observations: [PilotObservation]
  ) throws {
    let (estimates, ratios) = timer.measure(node.id) {
      let estimates = observations.map { node.estimator.estimate($0).response }
      let pairs = zip(estimates, observations).map { ErrorEnergies($1.channel, $0) }
      return (estimates, DropRatios.mean(pairs))
    }
    for child in node.transforms { try visit(child, truth, estimates, ratios) }
  }

  private mutating func visit(
    _ node: LinkTree.TransformNode, _ truth: Truth, _ estimates: [ComplexArray],
    _ estimateRatios: [Double]
  ) throws {
    let (csi, trueCSI) = timer.measure(node.id) {
      (estimates.map(node.transform.forward), truth.csi(node))
    }
    var state = UEState(
      truth: truth, transform: node.transform, trueCSI: trueCSI, estimateRatios: estimateRatios,
      csi: csi)
    for child in node.normalisers { try visit(child, &state) }
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
    let reconstructions = try timer.extend(codec.id) {
      try received.enumerated().map { index, report -> ComplexArray in
        let decoded = try codec.codec.decode(report.codeword)
        return state.normaliser!.scale(decoded, by: report.gains ?? state.gains[index])
      }
    }
    recordFeedback(node, state, received, reconstructions)
    let full = timer.extend(node.id) { reconstructions.map(state.transform.inverse) }
    for leaf in node.leaves { try visit(leaf, state, full) }
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

  private mutating func visit(
    _ node: LinkTree.PrecoderNode, _ state: UEState, _ reconstructions: [ComplexArray]
  ) throws {
    let knowsScale = state.normaliser!.delivery != .unit
    let served = node.clock.servedSlots
    try timer.measure(node.id) {
      let snr = linear(decibels: node.precoder.snrDB)
      var directions: (report: Int, value: ComplexArray)?
      for slot in served {
        let report = node.clock.newestReport(at: slot)
        let reconstruction = reconstructions[report]
        if !node.isPerTone, directions?.report != report {
          directions = (report, try node.precoder.directions(reconstruction))
        }
        let channel = state.truth.response(slot: slot)
        let served = DownlinkMetrics(
          channel: channel, reconstruction: reconstruction,
          directions: node.isPerTone ? nil : directions?.value, snr: snr, knowsScale: knowsScale)
        for drop in 0..<block.drops.count { served.add(drop, node.point, to: &metrics) }
      }
      let scale = 1 / Double(served.count)
      for drop in 0..<block.drops.count {
        for metric in DownlinkMetrics.recorded { metrics[node.point, drop, metric] *= scale }
      }
    }
  }
}
