import Channels
import Codecs
import Link
import LinkMath
import Parts
import Scenarios

/// A complaint of a part, with the section and the operating point it belongs to.
struct PlacedError: Error {
  let error: SettingsError
  let section: Section
  let point: Int
}

/// Makes the parts of every operating point, each distinct prefix once, and fits those that learn from drops.
struct LinkTreeBuilder {
  private let seed: UInt64
  private let directory: String
  private let report: ReportSettings
  private let store: FittingStore
  private let replaceChannel: ((any ChannelModel) throws -> any ChannelModel)?
  private var nodes: [Section] = []
  private var constants: [PointConstants?]
  /// Digests of the files that the parts of a section read, by path.
  private var fileDigests: [Section: [String: String]] = [:]
  private let shared = SharedObjects()
  /// Complaints about estimators with a key that has no effect at some point, and the estimators whose keys all have one at
  /// some point; by their settings.
  private var idleEstimators: [String: PlacedError] = [:]
  private var effectiveEstimators: Set<String> = []

  /// - Throws: ``PlacedError`` for settings that do not go together; file errors.
  static func build(
    _ points: [OperatingPoint], seed: UInt64, directory: String, report: ReportSettings,
    store: FittingStore,
    channels: ((any ChannelModel) throws -> any ChannelModel)? = nil
  ) throws -> LinkTree {
    var builder = LinkTreeBuilder(
      seed: seed, directory: directory, report: report, store: store, channels: channels,
      constants: points.map { _ in nil })
    let roots = try builder.channels(points)
    let idle = builder.idleEstimators.filter { !builder.effectiveEstimators.contains($0.key) }
    if let first = idle.values.min(by: { $0.point < $1.point }) { throw first }
    return LinkTree(
      roots: roots, points: builder.constants.map { $0! }, nodes: builder.nodes,
      fileDigests: builder.fileDigests)
  }

  private init(
    seed: UInt64, directory: String, report: ReportSettings, store: FittingStore,
    channels: ((any ChannelModel) throws -> any ChannelModel)?, constants: [PointConstants?]
  ) {
    replaceChannel = channels
    self.report = report
    self.seed = seed
    self.directory = directory
    self.store = store
    self.constants = constants
  }

  private mutating func number(_ section: Section) -> Int {
    nodes.append(section)
    return nodes.count - 1
  }

  /// Points with equal keys, in the order in which the keys first appear.
  private func groups(_ points: [OperatingPoint], by key: (OperatingPoint) -> String)
    -> [[OperatingPoint]]
  {
    var order: [String] = []
    var members: [String: [OperatingPoint]] = [:]
    for point in points {
      let text = key(point)
      if members[text] == nil { order.append(text) }
      members[text, default: []].append(point)
    }
    return order.map { members[$0]! }
  }

  /// Runs `body` and places its complaints.
  private func placed<R>(_ section: Section, _ point: OperatingPoint, _ body: () throws -> R) throws
    -> R
  {
    do {
      return try body()
    } catch let error as SettingsError {
      throw PlacedError(error: error, section: section, point: point.index)
    }
  }

  /// The part of one section of a point, fitted if it learns from drops.
  private func make<P>(
    _ section: Section, _ points: [OperatingPoint], _ prefix: FitPrefix, _ context: LinkContext,
    as: P.Type = P.self
  ) throws -> P {
    let point = points[0]
    let settings = point.settings[section]!
    let type = LinkCatalogue.type(of: settings)
    return try placed(section, point) {
      let fitted = try type.fitting(settings, in: context).map {
        try store.artefact(for: $0, part: settings, prefix)
      }
      return try type.init(settings, in: context, fitted: fitted) as! P
    }
  }

  private mutating func channels(_ points: [OperatingPoint]) throws -> [LinkTree.ChannelNode] {
    try groups(points) { point in
      let clock = (try? SlotClock(point.settings[.timing]!))?.channelKey ?? "\(point.index)"
      return point.settings[.grid]!.canonical + point.settings[.channel]!.canonical + clock
    }.map { points in
      let id = number(.channel)
      let clock = try points.map { point in
        try placed(.timing, point) { try SlotClock(point.settings[.timing]!) }
      }.min { $0.delay < $1.delay }!
      let grid = points[0].settings[.grid]!
      var context = LinkContext(
        grid: GridSection.grid(grid), slotSeconds: clock.slotSeconds,
        speed: clock.speed, seed: seed, directory: directory)
      context.shared = shared
      let model = try channel(points, context)
      let channel = try replaceChannel?(model) ?? model
      context.portCount = channel.portCount
      // Not the slots: parts are fitted on slot 0, whose draws depend on whether and how fast the UE moves.
      let key = "\(grid.canonical)\(try key(.channel, points, context)) speed \(clock.speed) "
      let prefix = FitPrefix.channel(channel, key: key, seed: seed)
      let cosineToneCount = try placed(.report, points[0]) {
        try report.cosineToneCount(of: context.grid.toneCount)
      }
      let pilots = try pilots(points, prefix, context)
      for point in points {
        constants[point.index]!.sharesEnvironment = channel.sharesEnvironment
      }
      return LinkTree.ChannelNode(
        id: id, channel: channel, clock: clock, context: context,
        cosineToneCount: cosineToneCount, pilots: pilots)
    }
  }

  /// The channel of points, brought to unit mean power if `normalise: dataset` asks for it.
  private mutating func channel(_ points: [OperatingPoint], _ context: LinkContext) throws
    -> any ChannelModel
  {
    let model: any ChannelModel = try make(.channel, points, .none, context)
    let settings = points[0].settings[.channel]!
    let key = try key(.channel, points, context)
    return try placed(.channel, points[0]) {
      guard let fitting = try Normalisation.fitting(settings) else { return model }
      let motion = "\(points[0].settings[.grid]!.canonical)\(key) speed \(context.speed) "
      let prefix = FitPrefix.channel(model, key: motion, seed: seed)
      return ScaledChannel(model, try store.artefact(for: fitting, part: settings, prefix))
    }
  }

  /// A text for what the part of a section does: its settings, and the content of the files that it reads.
  private mutating func key(
    _ section: Section, _ points: [OperatingPoint], _ context: LinkContext
  ) throws -> String {
    let settings = points[0].settings[section]!
    let files = LinkCatalogue.type(of: settings).files(settings, in: context)
    return try files.reduce(settings.canonical) { key, file in
      let digest = try fileDigests[section]?[file] ?? FileDigest.of(file)
      fileDigests[section, default: [:]][file] = digest
      return key + " " + digest
    }
  }

  private mutating func pilots(
    _ points: [OperatingPoint], _ prefix: FitPrefix, _ context: LinkContext
  ) throws -> [LinkTree.PilotNode] {
    try groups(points) { $0.settings[.pilots]!.canonical }.map { points in
      let id = number(.pilots)
      var context = context
      let scheme: any PilotScheme = try make(.pilots, points, prefix, context)
      context.pilots = scheme.summary
      return LinkTree.PilotNode(
        id: id, scheme: scheme,
        estimators: try estimators(points, prefix, scheme, context))
    }
  }

  private mutating func estimators(
    _ points: [OperatingPoint], _ prefix: FitPrefix, _ scheme: any PilotScheme,
    _ context: LinkContext
  ) throws -> [LinkTree.EstimatorNode] {
    try groups(points) { $0.settings[.estimator]!.canonical }.map { points in
      let id = number(.estimator)
      let estimator: any ChannelEstimator = try make(.estimator, points, prefix, context)
      note(idleKeyOf: points[0], context)
      let key =
        points[0].settings[.pilots]!.canonical + points[0].settings[.estimator]!.canonical
      return LinkTree.EstimatorNode(
        id: id, estimator: estimator,
        transforms: try transforms(points, prefix.estimated(scheme, estimator, key: key), context))
    }
  }

  private mutating func note(idleKeyOf point: OperatingPoint, _ context: LinkContext) {
    let settings = point.settings[.estimator]!
    let error = (LinkCatalogue.type(of: settings) as? any ChannelEstimator.Type)?
      .idleKey(settings, in: context)
    if let error {
      idleEstimators[settings.canonical] =
        idleEstimators[settings.canonical]
        ?? PlacedError(error: error, section: .estimator, point: point.index)
    } else {
      effectiveEstimators.insert(settings.canonical)
    }
  }

  private mutating func transforms(
    _ points: [OperatingPoint], _ prefix: FitPrefix, _ context: LinkContext
  ) throws -> [LinkTree.TransformNode] {
    try groups(points) { $0.settings[.transform]!.canonical }.map { points in
      let id = number(.transform)
      var context = context
      let transform: AngularDelayTransform = try make(.transform, points, prefix, context)
      context.tapCount = transform.tapCount
      let key = points[0].settings[.transform]!.canonical
      let prefix = prefix.map(key) { input in
        guard case .response(let response) = input else { preconditionFailure("stage order") }
        return .csi(transform.forward(response))
      }
      return LinkTree.TransformNode(
        id: id, key: key, transform: transform,
        normalisers: try normalisers(points, prefix, context))
    }
  }

  private mutating func normalisers(
    _ points: [OperatingPoint], _ prefix: FitPrefix, _ context: LinkContext
  ) throws -> [LinkTree.NormaliserNode] {
    try groups(points) { $0.settings[.normaliser]!.canonical }.map { points in
      let id = number(.normaliser)
      let normaliser: Normaliser = try make(.normaliser, points, prefix, context)
      var context = context
      context.normaliser = normaliser.rule.rawValue
      let prefix = prefix.map(points[0].settings[.normaliser]!.canonical) { input in
        guard case .csi(let csi) = input else { preconditionFailure("stage order") }
        return .csi(normaliser.scale(csi, by: normaliser.gains(csi).map { 1 / $0 }))
      }
      return LinkTree.NormaliserNode(
        id: id, normaliser: normaliser,
        codecs: try codecs(points, prefix, normaliser, context))
    }
  }

  private mutating func codecs(
    _ points: [OperatingPoint], _ prefix: FitPrefix, _ normaliser: Normaliser,
    _ context: LinkContext
  ) throws -> [LinkTree.CodecNode] {
    try groups(points) { $0.settings[.codec]!.canonical }.map { points in
      let id = number(.codec)
      var context = context
      let codec: any CSICodec = try make(.codec, points, prefix, context)
      context.codewordLength = codec.codewordLength
      let key = try key(.codec, points, context)
      let prefix = prefix.map(key) { input in
        guard case .csi(let csi) = input else { preconditionFailure("stage order") }
        return .codeword(try codec.encode(csi).values)
      }
      return LinkTree.CodecNode(
        id: id, key: key, codec: codec,
        quantizers: try quantizers(points, prefix, normaliser, codec, context))
    }
  }

  private mutating func quantizers(
    _ points: [OperatingPoint], _ prefix: FitPrefix, _ normaliser: Normaliser,
    _ codec: any CSICodec, _ context: LinkContext
  ) throws -> [LinkTree.QuantizerNode] {
    try groups(points) { $0.settings[.quantizer]!.canonical }.map { points in
      let id = number(.quantizer)
      let quantizer: any Quantizer = try make(.quantizer, points, prefix, context)
      if quantizer.bitCount == nil, normaliser.delivery == .quantized {
        throw PlacedError(
          error: SettingsError(
            part: "quantizer", key: "", reason: "must not be none when the gain is sent as bits",
            hint: "write 'gain: genie', or choose a quantizer"), section: .quantizer,
          point: points[0].index)
      }
      let payload = quantizer.bitCount.map {
        $0 + codec.sideBitCount + normaliser.payloadBitCount
      }
      return LinkTree.QuantizerNode(
        id: id, quantizer: quantizer,
        links: try links(points, prefix, payload, codec.codewordLength, context))
    }
  }

  private mutating func links(
    _ points: [OperatingPoint], _ prefix: FitPrefix, _ payload: Int?, _ codewordLength: Int,
    _ context: LinkContext
  ) throws -> [LinkTree.FeedbackNode] {
    try groups(points) { $0.settings[.feedback]!.canonical }.map { points in
      let id = number(.feedback)
      let link: any FeedbackLink = try make(.feedback, points, prefix, context)
      guard type(of: link).carries.contains(payload == nil ? .codeword : .payload) else {
        let name = points[0].settings[.feedback]!.part
        throw PlacedError(
          error: SettingsError(
            part: name, key: "",
            reason: payload == nil
              ? "'\(name)' carries bits, but the quantizer is none"
              : "'\(name)' carries real codewords, but the codeword is quantised to bits",
            hint: payload == nil
              ? "choose a quantizer such as 'uniform', or feedback 'ideal' or 'analogue'"
              : "write 'quantizer: none', or choose a digital feedback link"),
          section: .feedback, point: points[0].index)
      }
      return LinkTree.FeedbackNode(
        id: id, link: link,
        leaves: try precoders(
          points, prefix, payload, codewordLength, link.bitErrorRate, context))
    }
  }

  private mutating func precoders(
    _ points: [OperatingPoint], _ prefix: FitPrefix, _ payload: Int?, _ codewordLength: Int,
    _ bitErrorRate: Double, _ context: LinkContext
  ) throws -> [LinkTree.PrecoderNode] {
    try points.map { point in
      let id = number(.precoder)
      let precoder: any Precoder = try make(.precoder, [point], prefix, context)
      let clock = try placed(.timing, point) { try SlotClock(point.settings[.timing]!) }
      constants[point.index] = PointConstants(
        coordinates: point.coordinates, payloadBits: payload,
        quantizedValues: payload == nil ? 0 : codewordLength,
        reportsPerDrop: clock.reportSlots.count, bitErrorRate: bitErrorRate)
      return LinkTree.PrecoderNode(
        id: id, precoder: precoder, isPerTone: precoder is MRTPrecoder, clock: clock,
        point: point.index)
    }
  }
}
