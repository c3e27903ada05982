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
  /// What UE and BS remember from one slot to the next, by node.
  private var ues: [Int: any UESide] = [:]
  private var stations: [Int: any BSSide] = [:]
  private var acknowledged: [Int: [Bool]] = [:]
  private var beliefs: [Int: Belief] = [:]

  /// What the BS remembers behind a prediction, and the reports that are on their way to it.
  private struct Belief {
    var memory: any BSMemory
    var onTheWay: [(slot: Int, csi: ComplexArray, isNew: [Bool])] = []
    /// Reports that have arrived.
    var count = 0
  }

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
          let isMissing = isSilent[point][drop] || tree.points[point].absent.contains(metric)
          if isMissing { metrics[point, drop, metric] = .nan }
          let value = metrics[point, drop, metric]
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
    var codec: Node?
    var codewords: [Codeword]?
    var reporting: (node: Node, part: any Reporting)?
    /// What the UE sends, unless it depends on what arrives.
    var sent: [[Report]]?

    func measurement(_ report: Int) -> Measurement {
      Measurement(csi: csi[report], gains: gains[report], codeword: codewords?[report])
    }
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
    case .codec(let stage):
      state.codec = node
      state.codewords = try timer.measure(node.id) {
        guard case .codewords(let codec) = stage else { return nil }
        return try state.csi.map(codec.encode)
      }
    case .quantizer(let reporting):
      state.reporting = (node, reporting)
      if !reporting.listens {
        state.sent = try state.flight.reports.indices.map {
          try report(state, $0, to: node, acknowledged: [])
        }
      }
    case .feedback(let link): return try receive(node, link, state)
    case .channel, .pilots, .estimator, .transform, .prediction, .precoder:
      preconditionFailure("stage order")
    }
    for child in node.children { try visit(child, state) }
  }

  /// What the UE sends; its memory belongs to a node.
  private mutating func report(
    _ state: State, _ index: Int, to node: Node, acknowledged: [Bool]
  ) throws -> [Report] {
    let reporting = state.reporting!
    return try timer.measure(reporting.node.id) {
      var ue = ues[node.id] ?? reporting.part.makeUE(drops: block.drops.count)
      defer { ues[node.id] = ue }
      return try ue.report(
        state.measurement(index), slot: state.flight.reports[index], acknowledged: acknowledged)
    }
  }

  /// The reports cross the feedback link and are decoded; then the downlink of the served slots, part by part.
  private mutating func receive(_ node: Node, _ link: any FeedbackLink, _ state: State) throws {
    let reporting = state.reporting!.part
    let none = Array(repeating: false, count: block.drops.count)
    var station = stations[node.id] ?? reporting.makeBS(drops: block.drops.count)
    for (index, slot) in state.flight.reports.enumerated() {
      let sent =
        try state.sent?[index]
        ?? report(state, index, to: node, acknowledged: acknowledged[node.id] ?? none)
      let arrived = timer.measure(node.id) { link.transmit(sent, block, slot: slot) }
      let isNew = arrived.map { !$0.isLost }
      acknowledged[node.id] = isNew
      // Decoding belongs to the codec, in the time of its node too.
      let csi = try timer.measure(state.codec!.id) {
        let told = try station.receive(arrived, slot: slot)
        return state.normaliser!.scale(told.csi, by: told.gains ?? state.gains[index])
      }
      record(node, state, index, csi)
      record(node, sent, arrived)
      for child in node.children { send((slot, csi, isNew), to: child) }
    }
    stations[node.id] = station
    for child in node.children { try serve(child, state) }
  }

  private mutating func send(_ report: (slot: Int, csi: ComplexArray, isNew: [Bool]), to node: Node)
  {
    guard case .prediction(let prediction, _) = node.stage else { return }
    let fresh = Belief(memory: prediction.makeMemory(drops: block.drops.count))
    beliefs[node.id, default: fresh].onTheWay.append(report)
  }

  /// Errors in the codec's domain against the true CSI of the measured slot.
  private mutating func record(_ node: Node, _ state: State, _ index: Int, _ csi: ComplexArray) {
    let (estimate, truth) = (state.energies[index], state.truth[index])
    let error = ErrorEnergies(truth, csi)
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
      }
    }
  }

  /// Bits that were sent and what became of them.
  private mutating func record(_ node: Node, _ sent: [Report], _ arrived: [Delivery]) {
    for (drop, report) in sent.enumerated() {
      var (bits, wrong) = (0, 0)
      if report.reals == nil { bits = report.bits.count }
      if case .bits(let received, _) = arrived[drop] {
        wrong = report.bits.hammingDistance(to: received)
      }
      for point in node.points {
        metrics[point, drop, .sentBits] += Double(bits)
        metrics[point, drop, .bitErrors] += Double(wrong)
        metrics[point, drop, .lostReports] += arrived[drop].isLost ? 1 : 0
        metrics[point, drop, .clippedValues] += Double(report.clippedCount)
      }
    }
  }

  /// The served slots behind a prediction: what the BS believes in each, then the downlink, part by part.
  private mutating func serve(_ node: Node, _ state: State) throws {
    guard case .prediction(let prediction, let clock) = node.stage else { return }
    var served: [(index: Int, version: Int, csi: ComplexArray)] = []
    timer.measure(node.id) {
      for (index, slot) in state.flight.slots.enumerated() where slot >= clock.delay {
        while let next = beliefs[node.id]!.onTheWay.first, next.slot + clock.delay <= slot {
          beliefs[node.id]!.onTheWay.removeFirst()
          beliefs[node.id]!.memory.store(next.csi, isNew: next.isNew, measured: next.slot)
          beliefs[node.id]!.count += 1
        }
        let version = prediction.changesBetweenReports ? slot : beliefs[node.id]!.count
        served.append((index, version, beliefs[node.id]!.memory.csi(at: slot)))
      }
    }
    for part in state.flight.parts.indices {
      var full: (version: Int, response: ComplexArray)?
      var directions: [Int: (version: Int, value: ComplexArray)] = [:]
      for (index, version, csi) in served {
        if full?.version != version {
          full = timer.measure(node.id) {
            (version, state.transform.inverse(csi.slice(state.flight.rows(part: part))))
          }
        }
        for leaf in node.children {
          try serve(leaf, state.flight, part, index, full!, &directions[leaf.id])
        }
      }
    }
  }

  /// The downlink of one slot, for the drops of one part.
  private mutating func serve(
    _ leaf: Node, _ flight: Flight, _ part: Int, _ slot: Int,
    _ believed: (version: Int, response: ComplexArray),
    _ directions: inout (version: Int, value: ComplexArray)?
  ) throws {
    guard case .precoder(let precoder) = leaf.stage, let point = leaf.points.first else { return }
    try timer.measure(leaf.id) {
      // Those of maximum ratio are the response itself, whose products need not be formed again.
      if !(precoder is MRTPrecoder), directions?.version != believed.version {
        directions = (believed.version, try precoder.directions(believed.response))
      }
      let downlink = DownlinkMetrics(
        channel: flight.responses[part][slot], reconstruction: believed.response,
        directions: directions?.value, snr: linear(decibels: precoder.snrDB),
        knowsScale: tree.points[point].knowsScale, cosineToneCount: flight.cosineToneCount)
      for (index, drop) in flight.rows(part: part).enumerated() {
        let hasEnergy = downlink.add(index, to: &metrics, point: point, drop: drop)
        if !hasEnergy { isSilent[point][drop] = true }
      }
    }
    if part == 0 { counts[point].served += 1 }
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
