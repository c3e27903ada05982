import Channels
import Codecs
import DataFiles
import Link
import LinkMath
import Parts
import Scenarios

/// Arranges the parts of all operating points as a tree: every distinct prefix of the link is made once.
struct LinkTreeBuilder {
  private let scenario: Scenario
  private let metricTypes: [any Metric.Type]
  private var maker: StageMaker
  private var nodes: [Section] = []
  private var constants: [Int: PointConstants] = [:]
  private var metrics: [Int: [any Metric]] = [:]
  /// What is wrong, if all of it is looked for; nil if the first complaint ends the building.
  private var problems: [LinkProblem]?

  /// - Throws: ``PlacedError`` for settings that do not go together; file errors.
  static func build(
    _ scenario: Scenario, metrics: MetricSelection, store: FittingStore,
    channels: ((any ChannelModel) throws -> any ChannelModel)? = nil
  ) throws -> LinkTree {
    let maker = StageMaker(scenario, store: store, channels: channels)
    var builder = LinkTreeBuilder(
      scenario: scenario, metricTypes: metrics.metrics, maker: maker)
    let roots = try builder.branch(
      Section.passed[...], scenario.points, maker.start(scenario.points[0]))
    try builder.maker.refuseIdle()
    let points = scenario.points.indices
    return LinkTree(
      roots: roots, points: points.map { builder.constants[$0]! },
      metrics: points.map { builder.metrics[$0]! },
      layout: BlockLayout(
        numbers: metrics.numbers.map(\.name), users: points.map { builder.constants[$0]!.users }),
      numbers: metrics.numbers, nodes: builder.nodes, fileDigests: builder.maker.fileDigests)
  }

  /// Everything that keeps the links of a scenario from being made: a part that cannot be made hides only what stands behind it.
  ///
  /// - Parameter store: of placeholders.
  static func problems(
    _ scenario: Scenario, metrics: MetricSelection, store: FittingStore
  ) -> [LinkProblem] {
    let maker = StageMaker(scenario, store: store, channels: nil)
    var builder = LinkTreeBuilder(
      scenario: scenario, metricTypes: metrics.metrics, maker: maker)
    builder.problems = []
    _ = try? builder.branch(
      Section.passed[...], scenario.points, maker.start(scenario.points[0]))
    return builder.problems ?? []
  }

  private init(scenario: Scenario, metricTypes: [any Metric.Type], maker: StageMaker) {
    self.scenario = scenario
    self.metricTypes = metricTypes
    self.maker = maker
  }

  /// The nodes of a section behind a state: one for each distinct setting.
  private mutating func branch(
    _ sections: ArraySlice<Section>, _ points: [OperatingPoint], _ state: StageMaker.State
  ) throws -> [Node] {
    guard let section = sections.first else {
      try conclude(points[0], state)
      return []
    }
    var order: [String] = []
    var groups: [String: [OperatingPoint]] = [:]
    for point in points {
      let key = groupKey(section, point)
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(point)
    }
    return try order.compactMap { key in
      let points = groups[key]!
      let id = nodes.count
      nodes.append(section)
      var state = state
      do {
        let (stage, key) = try maker.stage(section, points, &state)
        return Node(
          id: id, stage: stage, key: key,
          children: try branch(sections.dropFirst(), points, state), points: points.map(\.index))
      } catch {
        guard problems != nil else { throw error }
        problems! += ((error as? SeveralErrors)?.errors ?? [error])
          .map { LinkProblem($0, section: section, point: points[0].index) }
        return nil
      }
    }
  }

  /// Equal for points that share a node behind a common prefix.
  private func groupKey(_ section: Section, _ point: OperatingPoint) -> String {
    let own = point.settings[section]!.canonical
    switch section {
    case .channel:
      let clock = (try? SlotClock(point.settings[.timing]!))?.channelKey ?? "\(point.index)"
      return point.settings[.grid]!.canonical + own + clock
    // Analogue links send what every quantiser would get.
    case .quantizer: return maker.sendsReals(point) ? NoQuantizer.schema.name : own
    case .prediction: return own + point.settings[.timing]!.canonical
    case .precoder: return "\(point.index)"
    default: return own
    }
  }

  /// What statistics and metrics need to know of the link of a point.
  private mutating func conclude(_ point: OperatingPoint, _ state: StageMaker.State) throws {
    constants[point.index] = try maker.constants(point, state)
    metrics[point.index] = try metricTypes.map { type in
      try maker.placed(.report, point) {
        try type.init(type.schema.settings(), in: state.context, fitted: nil)
      }
    }
  }
}
