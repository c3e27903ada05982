import Channels
import Codecs
import Link
import LinkMath
import Parts

/// Takes one block of drops through the tree, depth first, a few slots at a time.
///
/// The users of a drop are rows of their own up to the precoder: first all drops of the first user, then those of the next.
/// Only the slots in flight are in memory, and what UE and BS keep of earlier ones, by node.
struct BlockWalk {
  private let tree: LinkTree
  /// The drops for each user.
  private let users: [DropBlock]
  private let timer: StageTimer
  private var record: BlockRecord
  private var ues: [Int: any UESide] = [:]
  private var stations: [Int: (side: any BSSide, acknowledged: [Bool])] = [:]
  private var beliefs: [Int: Belief] = [:]
  private var downlink = Downlink()
  /// Who looks at the data of stages; nil in a run.
  private let tap: StageTap?

  /// - Returns: the metrics of all operating points and the time of each node.
  static func run(_ tree: LinkTree, _ block: DropBlock) throws -> (BlockMetrics, StageTimer) {
    var walk = BlockWalk(tree: tree, block: block, tap: nil)
    try walk.pass()
    return (try walk.record.finish(tree.points.indices), walk.timer)
  }

  /// Walks only the nodes that a tap passes, and hands it their data.
  static func run(_ tree: LinkTree, _ block: DropBlock, into tap: StageTap) throws {
    var walk = BlockWalk(tree: tree, block: block, tap: tap)
    try walk.pass()
  }

  /// - Parameter point: an operating point that the tap passes up to its last stage.
  /// - Returns: metrics, of which those of the point have a meaning.
  static func run(_ tree: LinkTree, _ block: DropBlock, into tap: StageTap, point: Int) throws
    -> BlockMetrics
  {
    var walk = BlockWalk(tree: tree, block: block, tap: tap)
    try walk.pass()
    return try walk.record.finish(point..<point + 1)
  }

  private mutating func pass() throws {
    for root in passed(tree.roots) {
      guard case .channel(let channel) = root.stage else { preconditionFailure("stage order") }
      let slots = channel.slots
      let size = channel.slotsInFlight(drops: rowCount)
      for first in stride(from: 0, to: slots.count, by: size) {
        let flown = Array(slots[first..<min(first + size, slots.count)])
        try visit(root, Signal(flight: Flight(channel, users, flown)))
      }
    }
  }

  private func passed(_ nodes: [Node]) -> [Node] { tap.map { nodes.filter($0.passes) } ?? nodes }

  private init(tree: LinkTree, block: DropBlock, tap: StageTap?) {
    self.tree = tree
    self.tap = tap
    users = block.each(of: tree.users)
    record = BlockRecord(tree, drops: block.drops)
    timer = StageTimer(nodeCount: tree.nodes.count)
  }

  private var rowCount: Int { users.count * users[0].drops.count }

  /// One stage and all behind it.
  private mutating func visit(_ node: Node, _ signal: Signal) throws {
    let flight = signal.flight
    switch node.stage {
    case .channel(let channel):
      try sound(node, channel, signal)
    case .pilots(let scheme):
      var next = signal
      next.observation = timer.measure(node.id) {
        scheme.observe(
          flight.response(part: signal.part, report: signal.report), flight.parts[signal.part],
          slot: flight.reports[signal.report])
      }
      tap?.append(
        .observation, node, slot: flight.reports[signal.report], next.observation!.received)
      try visit(node.children, next)
    case .estimator(let estimator):
      var next = signal
      next.estimate = timer.measure(node.id) {
        let estimate = estimator.estimate(signal.observation!).response
        let response = flight.response(part: signal.part, report: signal.report)
        return (estimate, ErrorEnergies(response, estimate))
      }
      tap?.append(
        .estimate, node, slot: flight.reports[signal.report], next.estimate!.response)
      try visit(node.children, next)
    case .transform(let transform):
      // The stages behind it work on the whole block.
      try timer.measure(node.id) {
        try flight.hear(
          signal.estimate!.response, signal.estimate!.errors, transform, node, part: signal.part,
          report: signal.report)
      }
    case .normaliser(let normaliser):
      var next = signal
      timer.measure(node.id) {
        next.normaliser = normaliser
        next.gains = signal.csi.map(normaliser.gains)
        next.csi = zip(signal.csi, next.gains).map {
          normaliser.scale($0, by: $1.map { 1 / $0 })
        }
      }
      for (index, slot) in flight.reports.enumerated() {
        tap?.add(.gain, node, slot: slot, TappedRows(next.gains[index].map { [$0] }, isBits: false))
        tap?.add(.normalised, node, slot: slot, TappedRows(next.csi[index]))
      }
      try visit(node.children, next)
    case .codec(let stage):
      var next = signal
      next.codec = node
      if case .codewords(let codec) = stage {
        next.codewords = try timer.measure(node.id) { try signal.csi.map(codec.encode) }
        for (slot, codeword) in zip(flight.reports, next.codewords!) {
          tap?.add(.codeword, node, slot: slot, TappedRows(codeword.values))
        }
      }
      try visit(node.children, next)
    case .quantizer(let quantizer):
      var next = signal
      next.symbols = timer.measure(node.id) {
        guard let quantizer, quantizer.alphabets != nil else { return nil }
        return signal.codewords?.map { SymbolBlock($0.values, by: quantizer)! }
      }
      for (slot, symbols) in zip(flight.reports, next.symbols ?? []) {
        tap?.add(.symbols, node, slot: slot, TappedRows(symbols))
      }
      try visit(node.children, next)
    case .coder(let reporting):
      var next = signal
      next.reporting = (node, reporting)
      if !reporting.listens {
        next.sent = try flight.reports.indices.map {
          try report(next, $0, memory: node.id, acknowledged: [])
        }
      }
      try visit(node.children, next)
    case .feedback(let link):
      var next = signal
      next.decoded = try flight.reports.indices.map { try receive(node, link, signal, $0) }
      try visit(node.children, next)
    case .prediction(let prediction, let clock):
      try serve(node, prediction, clock, signal)
    case .precoder(let precoder):
      try serve(node, precoder, signal)
    }
  }

  private mutating func visit(_ nodes: [Node], _ signal: Signal) throws {
    for node in passed(nodes) { try visit(node, signal) }
  }

  /// Channel, pilots, estimation and transform, part by part; then the stages of the small domain, on the whole block.
  private mutating func sound(_ root: Node, _ channel: ChannelStage, _ given: Signal) throws {
    var signal = given
    let flight = signal.flight
    for (index, part) in flight.parts.enumerated() {
      flight.append(
        try timer.measure(root.id) {
          try channel.channel.frequencyResponse(part, slots: flight.slots)
        })
      for (slot, response) in zip(flight.slots, flight.responses[index]) {
        tap?.append(.channel, root, slot: slot, response)
      }
      for report in flight.reports.indices {
        (signal.part, signal.report) = (index, report)
        try visit(root.children, signal)
      }
    }
    for node in passed(root.all(.transform)) {
      guard case .transform(let transform) = node.stage else { continue }
      signal.transform = transform
      (signal.csi, signal.truth, signal.errors) = flight.heard(node)
      for (index, slot) in flight.reports.enumerated() {
        tap?.add(.truth, node, slot: slot, TappedRows(signal.truth[index]))
        tap?.add(.csi, node, slot: slot, TappedRows(signal.csi[index]))
      }
      try visit(node.children, signal)
    }
  }

  /// What the UE sends; its memory belongs to a node.
  private mutating func report(
    _ signal: Signal, _ index: Int, memory: Int, acknowledged: [Bool]
  ) throws -> [Report] {
    let (node, reporting) = signal.reporting!
    return try timer.measure(node.id) {
      var ue = ues[memory] ?? reporting.makeUE(drops: rowCount)
      defer { ues[memory] = ue }
      let measurement = Measurement(
        csi: signal.csi[index], gains: signal.gains[index], codeword: signal.codewords?[index],
        symbols: signal.symbols?[index])
      return try ue.report(
        measurement, slot: signal.flight.reports[index], acknowledged: acknowledged)
    }
  }

  /// The reports of a slot cross the feedback link and are decoded.
  private mutating func receive(
    _ node: Node, _ link: any FeedbackLink, _ signal: Signal, _ index: Int
  ) throws -> Belief.Decoded {
    let slot = signal.flight.reports[index]
    var station =
      stations[node.id] ?? (
        signal.reporting!.part.makeBS(drops: rowCount), Array(repeating: false, count: rowCount)
      )
    let sent =
      try signal.sent?[index]
      ?? report(signal, index, memory: node.id, acknowledged: station.acknowledged)
    var arrived = timer.measure(node.id) {
      let count = users[0].drops.count
      return users.flatMap { block in
        let own = sent[block.user * count..<(block.user + 1) * count]
        return link.transmit(Array(own), block, slot: slot)
      }
    }
    for (row, report) in sent.enumerated() where report.isWithdrawn { arrived[row] = .lost }
    station.acknowledged = arrived.map { !$0.isLost }
    // Decoding belongs to the codec, in the time of its node too.
    let csi = try timer.measure(signal.codec!.id) {
      let told = try station.side.receive(arrived, slot: slot)
      return signal.normaliser!.scale(told.csi, by: told.gains ?? signal.gains[index])
    }
    stations[node.id] = station
    if let tap {
      let carried = TappedRows.sent(sent)
      tap.add(.payload, node, slot: slot, carried)
      tap.add(.received, node, slot: slot, .arrived(arrived, asBits: carried.isBits))
      tap.add(.reconstruction, node, slot: slot, TappedRows(csi))
    }
    record.add(
      ReportedSlot(
        slot: slot, reports: sent, deliveries: arrived, truth: signal.truth[index],
        reconstruction: csi, estimateEnergies: signal.errors[index]), points: node.points)
    return (slot, csi, station.acknowledged)
  }

  /// The served slots behind a prediction, part by part.
  private mutating func serve(
    _ node: Node, _ prediction: any Prediction, _ clock: SlotClock, _ given: Signal
  ) throws {
    var signal = given
    let flight = signal.flight
    let fresh = Belief(prediction, delay: clock.delay, rows: self.users)
    let held = timer.measure(node.id) {
      beliefs[node.id, default: fresh].held(signal.decoded, slots: flight.slots)
    }
    let users = 0..<node.points.map { tree.layout.users[$0] }.max()!
    for part in flight.partsPerUser {
      signal.part = part
      signal.believed = nil
      downlink.forget()
      for held in held {
        signal.slot = held.index
        if signal.believed?.version != held.version {
          signal.believed = timer.measure(node.id) {
            let responses = users.map { user in
              let rows = flight.rows(part: flight.part(part, of: user))
              return signal.transform!.inverse(held.csi.slice(rows))
            }
            return (held.version, responses)
          }
        }
        try visit(node.children, signal)
      }
    }
  }

  /// The downlink of one slot, for the drops of one part and all users that the precoder serves.
  private mutating func serve(_ leaf: Node, _ precoder: any Precoder, _ signal: Signal) throws {
    let flight = signal.flight
    let parts = (0..<precoder.users).map { flight.part(signal.part, of: $0) }
    try timer.measure(leaf.id) {
      let slots = try downlink.slots(
        leaf.id, precoder, channels: parts.map { flight.responses[$0][signal.slot] },
        believed: signal.believed!, cosineToneCount: flight.cosineToneCount)
      for (part, slot) in zip(parts, slots) {
        record.add(slot, point: leaf.points[0], row: flight.rows(part: part).lowerBound)
      }
    }
  }
}
