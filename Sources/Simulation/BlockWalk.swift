import Channels
import Codecs
import Link
import LinkMath
import Parts

/// Takes one block of drops through the tree, depth first, a few slots at a time.
///
/// Only the slots in flight are in memory, and what the BS keeps of earlier ones.
struct BlockWalk {
  private let tree: LinkTree
  private let block: DropBlock
  private var metrics: BlockMetrics
  private let timer: StageTimer
  /// Whether the true channel has no energy in a slot that counts, [point][drop].
  private var isSilent: [[Bool]]
  /// Reports and served slots so far, by point.
  private var counts: [(reports: Int, served: Int)]
  /// What the BS still has of the reports, by feedback node and number of the report.
  private var received: [Int: [Int: ComplexArray]] = [:]

  /// - Returns: the metrics of all operating points and the time of each node.
  static func run(_ tree: LinkTree, _ block: DropBlock) throws -> (BlockMetrics, StageTimer) {
    var walk = BlockWalk(tree: tree, block: block)
    for root in tree.roots {
      guard case .channel(let channel) = root.stage else { preconditionFailure("stage order") }
      let slots = channel.slots
      let size = channel.slotsInFlight(drops: block.drops.count)
      for first in stride(from: 0, to: slots.count, by: size) {
        try walk.visit(root, channel, Array(slots[first..<min(first + size, slots.count)]))
      }
    }
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
    counts = Array(repeating: (0, 0), count: tree.points.count)
  }

  /// Makes means of sums over slots, marks the drops without energy, and refuses any other number that is not finite.
  private mutating func conclude() throws(MetricError) {
    for point in tree.points.indices {
      let served = 1 / Double(counts[point].served)
      for drop in 0..<block.drops.count {
        for metric in DropMetric.ofReports {
          metrics[point, drop, metric] /= Double(counts[point].reports)
        }
        for metric in DownlinkMetrics.recorded { metrics[point, drop, metric] *= served }
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

  /// The slots in flight below a channel.
  ///
  /// Frequency responses are kept, and taken through the link, in parts of a few drops that stay in the cache; only the
  /// small arrays of the codec's domain span the block.
  private struct Flight {
    let clock: SlotClock
    let cosineToneCount: Int
    let parts: [DropBlock]
    let slots: [Int]
    /// Of these, the slots in which the UE reports.
    let reports: [Int]
    /// [part][slot]
    var responses: [[ComplexArray]] = []
    /// Truncated true CSI, [transform key][report][part]: computed once for each distinct transform.
    var truth: [String: [[ComplexArray]]] = [:]
    /// Estimated CSI, [transform node][report][part].
    var csi: [Int: [[ComplexArray]]] = [:]
    /// Of the estimates, [estimator node][report][part].
    var energies: [Int: [[ErrorEnergies]]] = [:]

    init(_ channel: ChannelStage, _ block: DropBlock, _ slots: [Int]) {
      clock = channel.clock
      cosineToneCount = channel.cosineToneCount
      self.slots = slots
      reports = slots.filter { [period = channel.clock.period] in $0 % period == 0 }
      parts = block.parts(of: channel.partSize)
    }

    func response(part: Int, slot: Int) -> ComplexArray? {
      slots.firstIndex(of: slot).map { responses[part][$0] }
    }

    /// The drops of a part as rows of an array that spans the block.
    func rows(part: Int) -> Range<Int> {
      let first = parts[part].drops.lowerBound - parts[0].drops.lowerBound
      return first..<first + parts[part].drops.count
    }
  }

  /// Channel, pilots, estimation and transform, part by part; then the stages of the small domain, on the whole block.
  private mutating func visit(_ root: Node, _ channel: ChannelStage, _ slots: [Int]) throws {
    var flight = Flight(channel, block, slots)
    let transforms = root.distinct(.transform)
    for (index, part) in flight.parts.enumerated() {
      flight.responses.append(
        try timer.measure(root.id) { try channel.channel.frequencyResponse(part, slots: slots) })
      for (report, slot) in flight.reports.enumerated() {
        let response = flight.response(part: index, slot: slot)!
        for pilots in root.children { try sound(pilots, response, part, report, slot, &flight) }
        for node in transforms {
          guard case .transform(let transform) = node.stage else { continue }
          try timer.measure(node.id) {
            flight.truth[node.key, at: report].append(try transform.forward(response))
          }
        }
      }
    }
    for estimator in root.all(.estimator) { try visit(estimator, flight) }
  }

  /// Pilots, estimates and CSI of one part in one report slot.
  private func sound(
    _ node: Node, _ response: ComplexArray, _ part: DropBlock, _ report: Int, _ slot: Int,
    _ flight: inout Flight
  ) throws {
    guard case .pilots(let scheme) = node.stage else { return }
    let observation = timer.measure(node.id) { scheme.observe(response, part, slot: slot) }
    for node in node.children {
      guard case .estimator(let estimator) = node.stage else { continue }
      let estimate = timer.measure(node.id) {
        let estimate = estimator.estimate(observation).response
        flight.energies[node.id, at: report].append(ErrorEnergies(response, estimate))
        return estimate
      }
      for node in node.children {
        guard case .transform(let transform) = node.stage else { continue }
        try timer.measure(node.id) {
          flight.csi[node.id, at: report].append(try transform.forward(estimate))
        }
      }
    }
  }

  private mutating func visit(_ estimator: Node, _ flight: Flight) throws {
    let energies = (flight.energies[estimator.id] ?? []).map(ErrorEnergies.concatenated)
    for node in estimator.children {
      guard case .transform(let transform) = node.stage else { continue }
      let state = State(
        flight: flight, transform: transform, energies: energies,
        truth: (flight.truth[node.key] ?? []).map(ComplexArray.concatenated),
        csi: (flight.csi[node.id] ?? []).map(ComplexArray.concatenated))
      for child in node.children { try visit(child, state) }
    }
  }

  /// What the stages behind the transform hand down, by report.
  private struct State {
    let flight: Flight
    let transform: any CSITransform
    /// Of the estimates.
    let energies: [ErrorEnergies]
    let truth: [ComplexArray]
    /// CSI [drop, row, column] as the UE has it, before and after the normaliser.
    var csi: [ComplexArray]
    /// Gain of every drop, as the UE has it.
    var gains: [[Float]] = []
    var normaliser: (any Normaliser)?
    var codec: (node: Node, part: any CSICodec)?
    var codewords: [Codeword] = []
    var format: PayloadFormat?
    var packed: [PackedReport] = []
  }

  /// One stage behind the transform, and all behind it.
  private mutating func visit(_ node: Node, _ state: State) throws {
    var state = state
    switch node.stage {
    case .normaliser(let normaliser):
      timer.measure(node.id) {
        state.normaliser = normaliser
        state.gains = state.csi.map(normaliser.gains)
        state.csi = zip(state.csi, state.gains).map {
          normaliser.scale($0, by: $1.map { 1 / $0 })
        }
      }
    case .codec(let codec):
      state.codec = (node, codec)
      state.codewords = try timer.measure(node.id) { try state.csi.map(codec.encode) }
    case .quantizer(let quantizer):
      let format = PayloadFormat(
        gain: state.normaliser!.delivery.quantizer, codec: state.codec!.part, quantizer: quantizer)
      state.format = format
      state.packed = timer.measure(node.id) {
        state.codewords.enumerated().map { format.pack($1, gains: state.gains[$0]) }
      }
    case .feedback(let link): return try receive(node, link, state)
    case .channel, .pilots, .estimator, .transform, .precoder: preconditionFailure("stage order")
    }
    for child in node.children { try visit(child, state) }
  }

  /// The reports cross the feedback link and are decoded; then the downlink of the served slots, part by part.
  private mutating func receive(_ node: Node, _ link: any FeedbackLink, _ state: State) throws {
    let slots = state.flight.reports
    let received = timer.measure(node.id) {
      zip(state.packed, slots).map { report, slot in
        ReceivedReport(
          report, arrived: link.transmit(report.content, block, slot: slot), state.format!)
      }
    }
    // Decoding belongs to the codec, in the time of its node too.
    let (codec, normaliser) = (state.codec!, state.normaliser!)
    let reconstructions = try timer.measure(codec.node.id) {
      try received.enumerated().map { index, report -> ComplexArray in
        let decoded = try codec.part.decode(report.codeword)
        return normaliser.scale(decoded, by: report.gains ?? state.gains[index])
      }
    }
    record(node, state, received, reconstructions)
    for (slot, csi) in zip(slots, reconstructions) {
      self.received[node.id, default: [:]][slot / state.flight.clock.period] = csi
    }
    for part in state.flight.parts.indices { try serve(node, state, part: part) }
    forget(node, after: state.flight.slots.last!)
  }

  /// Errors in the codec's domain against the true CSI of the measured slot, and bits.
  private mutating func record(
    _ node: Node, _ state: State, _ received: [ReceivedReport], _ reconstructions: [ComplexArray]
  ) {
    for (index, report) in received.enumerated() {
      let (estimate, truth) = (state.energies[index], state.truth[index])
      let error = ErrorEnergies(truth, reconstructions[index])
      let lost = estimate.lostShares(truth)
      for point in node.points {
        counts[point].reports += 1
        for drop in 0..<block.drops.count {
          if estimate.reference[drop] == 0 || error.reference[drop] == 0 {
            isSilent[point][drop] = true
          }
          metrics[point, drop, .estimateRatio] += estimate.ratio(drop)
          metrics[point, drop, .errorRatio] += error.ratio(drop)
          metrics[point, drop, .truncationRatio] += lost[drop]
          metrics[point, drop, .errorEnergy] += error.error[drop]
          metrics[point, drop, .referenceEnergy] += error.reference[drop]
          metrics[point, drop, .bitErrors] += Double(report.bitErrors[drop])
          metrics[point, drop, .clippedValues] += Double(report.clipped[drop])
        }
      }
    }
  }

  /// The downlink of every served slot below a feedback link, for the drops of one part.
  private mutating func serve(_ node: Node, _ state: State, part: Int) throws {
    let (flight, rows) = (state.flight, state.flight.rows(part: part))
    let reports = received[node.id] ?? [:]
    /// Responses that the BS believes in, by report.
    var full: [Int: ComplexArray] = [:]
    for leaf in node.children {
      guard case .precoder(let stage) = leaf.stage else { continue }
      let snr = linear(decibels: stage.precoder.snrDB)
      var directions: (report: Int, value: ComplexArray)?
      for (index, slot) in flight.slots.enumerated() where slot >= stage.clock.delay {
        let report = stage.clock.newestReport(at: slot)
        let reconstruction =
          full[report]
          ?? timer.measure(node.id) { state.transform.inverse(reports[report]!.slice(rows)) }
        full[report] = reconstruction
        try timer.measure(leaf.id) {
          if !stage.isPerTone, directions?.report != report {
            directions = (report, try stage.precoder.directions(reconstruction))
          }
          let downlink = DownlinkMetrics(
            channel: flight.responses[part][index], reconstruction: reconstruction,
            directions: directions?.value, snr: snr,
            knowsScale: state.normaliser!.delivery.givesScale && state.transform.keepsEnergy,
            cosineToneCount: flight.cosineToneCount)
          for (index, drop) in rows.enumerated() {
            let hasEnergy = downlink.add(index, to: &metrics, point: stage.point, drop: drop)
            if !hasEnergy { isSilent[stage.point][drop] = true }
          }
        }
        if part == 0 { counts[stage.point].served += 1 }
      }
    }
  }

  /// Lets go of the reports that no slot after this one is served with.
  private mutating func forget(_ node: Node, after slot: Int) {
    let needed = node.children.map { leaf -> Int in
      guard case .precoder(let stage) = leaf.stage else { return .max }
      return slot + 1 < stage.clock.delay ? 0 : stage.clock.newestReport(at: slot + 1)
    }.min()!
    received[node.id] = received[node.id]?.filter { $0.key >= needed }
  }
}

extension Dictionary {
  /// The part of a list of lists at a key: list `index`, empty at first.
  fileprivate subscript<Element>(key: Key, at index: Int) -> [Element] where Value == [[Element]] {
    get { self[key].flatMap { index < $0.count ? $0[index] : nil } ?? [] }
    _modify {
      while self[key, default: []].count <= index { self[key, default: []].append([]) }
      yield &self[key]![index]
    }
  }
}
