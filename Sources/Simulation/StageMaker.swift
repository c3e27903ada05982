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

/// Makes the parts of operating points, stage by stage, and fits those that learn from drops.
struct StageMaker {
  private let scenario: Scenario
  private let seed: UInt64
  private let report: ReportSettings
  private let store: FittingStore
  private let replaceChannel: ((any ChannelModel) throws -> any ChannelModel)?
  /// Digests of the files that the parts of a section read, by path.
  private(set) var fileDigests: [Section: [String: String]] = [:]
  private let shared = SharedObjects()
  /// Complaints about estimators with a key that has no effect at some point, and quantisers without one, and those that
  /// have it at some point; by their settings.
  private var idle: [String: PlacedError] = [:]
  private var effective: Set<String> = []

  /// What the stages so far hand to the next one.
  struct State {
    fileprivate(set) var context: LinkContext
    fileprivate(set) var front: FrontEnd?
    /// The front end before the codec.
    fileprivate var input: FrontEnd?
    fileprivate var codec: CodecStage?
    fileprivate var quantizer: (any Quantizer)?
    fileprivate var reporting: (any Reporting)?
    fileprivate var link: (any FeedbackLink)?
    fileprivate var precoder: (any Precoder)?
  }

  /// The stages before the codec of one point, and what they tell the codec.
  ///
  /// - Throws: ``PlacedError`` for settings that do not go together; file errors.
  static func frontEnd(_ point: OperatingPoint, scenario: Scenario, store: FittingStore) throws
    -> (front: FrontEnd, context: LinkContext)
  {
    var maker = StageMaker(scenario, store: store, channels: nil)
    var state = maker.start(point)
    for section in Section.passed.prefix(while: { $0 != .codec }) {
      _ = try maker.stage(section, [point], &state)
    }
    try maker.refuseIdle()
    return (state.front!, state.context)
  }

  init(
    _ scenario: Scenario, store: FittingStore,
    channels: ((any ChannelModel) throws -> any ChannelModel)?
  ) {
    replaceChannel = channels
    self.scenario = scenario
    seed = RunSettings(scenario.run!).seed
    report = ReportSettings(scenario.report!)
    self.store = store
  }

  /// What is known before the first stage.
  func start(_ point: OperatingPoint) -> State {
    var context = LinkContext(
      grid: GridSection.grid(point.settings[.grid]!), seed: seed, directory: scenario.directory)
    context.shared = shared
    context.catalogues = scenario.registry.catalogues
    return State(context: context)
  }

  /// Makes the part of a section, and notes in the state what it settles for the stages behind.
  mutating func stage(
    _ section: Section, _ points: [OperatingPoint], _ state: inout State
  ) throws -> (Stage, key: String) {
    if section == .channel { try enter(points, &state) }
    let stage = try make(section, points, &state)
    let key = try key(section, points[0], state.context)
    state.front?.add(stage, key: key)
    return (stage, key)
  }

  private mutating func make(
    _ section: Section, _ points: [OperatingPoint], _ state: inout State
  ) throws -> Stage {
    let point = points[0]
    switch section {
    case .channel: return .channel(try channel(points, &state))
    case .pilots:
      let scheme: any PilotScheme = try part(section, point, state)
      state.context.pilots = scheme.summary
      return .pilots(scheme)
    case .estimator:
      let estimator: any ChannelEstimator = try part(section, point, state)
      note(idleKeyOf: point, state.context)
      return .estimator(estimator)
    case .transform:
      let transform: any CSITransform = try part(section, point, state)
      (state.context.tapCount, state.context.csiForm) = (transform.rowCount, transform.form)
      return .transform(transform)
    case .normaliser:
      state.context.normaliser = point.settings[section]!.part
      return .normaliser(try part(section, point, state))
    case .codec:
      let codec = try codec(point, state)
      state.codec = codec
      state.input = state.front
      state.context.codewordLength = codec.codewordLength
      state.context.trainedQuantizer = codec.trainedQuantizer
      return .codec(codec)
    case .quantizer:
      let quantizer = try quantizer(point, state)
      state.quantizer = quantizer
      state.context.alphabets = quantizer?.alphabets ?? []
      return .quantizer(quantizer)
    case .coder:
      let reporting = try reporting(point, state)
      state.reporting = reporting
      return .coder(reporting)
    case .feedback:
      let link = try link(point, state)
      state.link = link
      return .feedback(link)
    case .prediction: return .prediction(try part(section, point, state), try clock([point]))
    default:
      let precoder = try precoder(point, state)
      state.precoder = precoder
      return .precoder(precoder)
    }
  }

  /// Runs `body` and places its complaints.
  func placed<R>(_ section: Section, _ point: OperatingPoint, _ body: () throws -> R) throws
    -> R
  {
    do {
      return try body()
    } catch let error as SettingsError {
      throw PlacedError(error: error, section: section, point: point.index)
    }
  }

  /// The part of one section of a point, fitted if it learns from drops.
  private func part<P>(_ section: Section, _ point: OperatingPoint, _ state: State) throws -> P {
    let settings = point.settings[section]!
    let type = scenario.registry.type(of: settings)
    return try placed(section, point) {
      let fitted = try type.fitting(settings, in: state.context).map { fitting in
        guard let front = state.front else {
          preconditionFailure("a channel model cannot be fitted on drops")
        }
        return try store.artefact(
          for: fitting, part: settings, front,
          at: place(section, point) { drops in
            var values = settings.values
            values["fit.drops"] = .integer(drops)
            return try type.fitting(type.schema.settings(values), in: state.context) ?? fitting
          })
      }
      return try type.init(settings, in: state.context, fitted: fitted) as! P
    }
  }

  /// The swept values that the stages up to a section have at a point.
  ///
  /// - Parameter fewer: the request for another number of drops than the default.
  private func place(
    _ section: Section, _ point: OperatingPoint, fewer: @escaping (Int) throws -> Fitting
  ) -> FittingStore.Place {
    let values = zip(scenario.axes, point.coordinates).compactMap { axis, value in
      let owner = Section(rawValue: String(axis.path.prefix { $0 != "." }))
      return owner.flatMap { $0 <= section ? value : nil }.map { "\(axis.path)=\($0)" }
    }
    return FittingStore.Place(
      section: section, point: point.index, text: values.joined(separator: ", "),
      isWritten: scenario.isWritten("fit.drops", section, point: point.index), fewer: fewer)
  }

  /// A text for what the part of a section does: its settings, and the content of the files that it reads.
  private mutating func key(
    _ section: Section, _ point: OperatingPoint, _ context: LinkContext
  ) throws -> String {
    let settings = point.settings[section]!
    let files = scenario.registry.type(of: settings).files(settings, in: context)
    return try files.reduce(settings.canonical) { key, file in
      let digest = try fileDigests[section]?[file] ?? FileDigest.of(file)
      fileDigests[section, default: [:]][file] = digest
      return key + " " + digest
    }
  }
}

extension StageMaker {
  /// Grid and slots of a channel.
  private func enter(_ points: [OperatingPoint], _ state: inout State) throws {
    let clock = try clock(points)
    state.context.grid = GridSection.grid(points[0].settings[.grid]!)
    (state.context.slotSeconds, state.context.speed) = (clock.slotSeconds, clock.speed)
  }

  /// The clock with the shortest delay.
  private func clock(_ points: [OperatingPoint]) throws -> SlotClock {
    try points.map { point in
      try placed(.timing, point) { try SlotClock(point.settings[.timing]!) }
    }.min { $0.delay < $1.delay }!
  }

  /// The channel of points, brought to unit mean power if `normalise: dataset` asks for it.
  private mutating func channel(_ points: [OperatingPoint], _ state: inout State) throws
    -> ChannelStage
  {
    let point = points[0]
    var model: any ChannelModel = try part(.channel, point, state)
    // Not the slots: parts are fitted on slot 0, whose draws depend on whether and how fast the UE moves.
    let key =
      "\(point.settings[.grid]!.canonical)\(try key(.channel, point, state.context))"
      + " speed \(state.context.speed) "
    let settings = point.settings[.channel]!
    try placed(.channel, point) {
      guard let fitting = try PowerScaling.fitting(settings) else { return }
      let front = FrontEnd(model, key: key, seed: seed)
      var place = place(.channel, point) { fitting.limited(to: $0) }
      place.text = ""
      model = ScaledChannel(
        model, try store.artefact(for: fitting, part: settings, front, at: place))
    }
    model = try replaceChannel?(model) ?? model
    state.context.portCount = model.portCount
    state.front = FrontEnd(model, key: key, seed: seed)
    let tones = state.context.grid.toneCount
    return ChannelStage(
      channel: model, clock: try clock(points), context: state.context,
      cosineToneCount: try placed(.report, point) { try report.cosineToneCount(of: tones) })
  }

  /// Keys and quantisers that have no effect at any point are a mistake; so are those of a single point.
  func refuseIdle() throws(PlacedError) {
    let idle = self.idle.filter { !effective.contains($0.key) }
    if let first = idle.values.min(by: { $0.point < $1.point }) { throw first }
  }

  private mutating func note(idleKeyOf point: OperatingPoint, _ context: LinkContext) {
    let settings = point.settings[.estimator]!
    let error = (scenario.registry.type(of: settings) as? any ChannelEstimator.Type)?
      .idleKey(settings, in: context)
    if let error {
      idle[settings.canonical] =
        idle[settings.canonical]
        ?? PlacedError(error: error, section: .estimator, point: point.index)
    } else {
      effective.insert(settings.canonical)
    }
  }

  private func codec(_ point: OperatingPoint, _ state: State) throws -> CodecStage {
    let made: any Part = try part(.codec, point, state)
    if let codec = made as? any CodewordCodec { return .codewords(codec) }
    guard let reporting = made as? any Reporting else {
      preconditionFailure("a codec makes codewords or reports")
    }
    return .reports(reporting)
  }

  /// Whether the feedback link of a point carries real codewords only.
  func sendsReals(_ point: OperatingPoint) -> Bool {
    let type = scenario.registry.type(of: point.settings[.feedback]!)
    return (type as? any FeedbackLink.Type)?.carries == [.codeword]
  }

  /// The quantiser of codewords; none before a link that sends reals, where another one must have an effect elsewhere.
  private mutating func symbols(_ point: OperatingPoint, _ state: State) throws -> any Quantizer {
    let settings = point.settings[.quantizer]!
    guard sendsReals(point), settings.part != NoQuantizer.schema.name else {
      effective.insert(settings.canonical)
      return try part(.quantizer, point, state)
    }
    let name = point.settings[.feedback]!.part
    let error = SettingsError(
      part: name, key: "",
      reason: "'\(name)' carries real codewords, but the codeword is quantised to bits",
      hint: "write 'quantizer: none', or choose a digital feedback link")
    let complaint = PlacedError(error: error, section: .feedback, point: point.index)
    idle[settings.canonical] = idle[settings.canonical] ?? complaint
    return NoQuantizer(try NoQuantizer.schema.settings(), in: state.context, fitted: nil)
  }

  /// Nil behind a codec that makes reports of its own.
  private mutating func quantizer(_ point: OperatingPoint, _ state: State) throws -> (
    any Quantizer
  )? {
    let gain = state.front!.normaliser!.delivery.quantizer
    func refuse(_ reason: String, _ hint: String) -> PlacedError {
      PlacedError(
        error: SettingsError(part: "quantizer", key: "", reason: reason, hint: hint),
        section: .quantizer, point: point.index)
    }
    guard case .codewords = state.codec! else {
      let name = point.settings[.codec]!.part
      if point.settings[.quantizer]!.part != NoQuantizer.schema.name {
        throw refuse(
          "must be none: the codec '\(name)' makes bits itself", "write 'quantizer: none'")
      }
      if gain != nil {
        throw refuse(
          "cannot send a gain for the codec '\(name)', which makes reports of its own",
          "write 'gain: genie' or 'gain: unit' below 'normaliser:'")
      }
      return nil
    }
    let quantizer = try symbols(point, state)
    if quantizer.alphabets == nil, gain != nil {
      throw refuse(
        "must not be none when the gain is sent as bits",
        "write 'gain: genie', or choose a quantizer")
    }
    return quantizer
  }

  /// Codec, quantiser, coder and gain together.
  private func reporting(_ point: OperatingPoint, _ state: State) throws -> any Reporting {
    let hasSymbols = state.quantizer?.alphabets != nil
    if !hasSymbols, point.settings[.coder]!.part != FixedWidthCoder.schema.name {
      throw PlacedError(
        error: SettingsError(
          part: point.settings[.coder]!.part, key: "",
          reason: "codes the symbols of a quantizer, and there are none",
          hint: "choose a quantizer and a codec that makes codewords, or leave 'coder' out"),
        section: .coder, point: point.index)
    }
    switch state.codec! {
    case .codewords(let codec):
      return CodewordReporting(
        codec, state.quantizer!, try part(.coder, point, state),
        gain: state.front!.normaliser!.delivery.quantizer)
    case .reports(let reporting): return reporting
    }
  }

  private func link(_ point: OperatingPoint, _ state: State) throws -> any FeedbackLink {
    let sendsReals = state.reporting!.size.bitLimit == nil
    let settings = point.settings[.feedback]!
    let kind = scenario.registry.type(of: settings) as! any FeedbackLink.Type
    if kind.carries.contains(sendsReals ? .codeword : .payload) {
      let link: any FeedbackLink = try part(.feedback, point, state)
      try placed(.feedback, point) { try link.check(state.reporting!.size) }
      return link
    }
    let name = settings.part
    throw PlacedError(
      error: SettingsError(
        part: name, key: "",
        reason: sendsReals
          ? "'\(name)' carries bits, but the quantizer is none"
          : "'\(name)' carries real codewords, but the codeword is quantised to bits",
        hint: sendsReals
          ? "choose a quantizer such as 'uniform', or feedback 'ideal' or 'analogue'"
          : "write 'quantizer: none', or choose a digital feedback link"),
      section: .feedback, point: point.index)
  }

  private func precoder(_ point: OperatingPoint, _ state: State) throws -> any Precoder {
    let precoder: any Precoder = try part(.precoder, point, state)
    let isScaled =
      state.front!.transform!.keepsEnergy && !state.reporting!.givesDirections
      && state.front!.normaliser!.delivery.givesScale
    guard isScaled || !precoder.needsScale else {
      throw PlacedError(
        error: SettingsError(
          part: point.settings[.precoder]!.part, key: "",
          reason: "needs CSI in the scale of the channel, which the BS of this link does not know",
          hint: "write 'regularised: false', or let the normaliser send its gain"),
        section: .precoder, point: point.index)
    }
    return precoder
  }

  /// The constants of a point whose stages are all made.
  func constants(_ point: OperatingPoint, _ state: State) throws -> PointConstants {
    let (reporting, front, link) = (state.reporting!, state.front!, state.link!)
    var payloadVaries = false
    if case .atMostBits = reporting.size { payloadVaries = true }
    let variances = try placed(.report, point) {
      report.asks(for: .gaussianFloorDB)
        ? try InputVariances.learned(state.input!, state.context, scenario.report!, store) : nil
    }
    let entropy = try placed(.report, point) {
      report.asks(for: .symbolEntropy)
        ? try SymbolFrequencies.entropy(front, scenario.report!, store) : nil
    }
    return PointConstants(
      coordinates: point.coordinates, users: state.precoder!.users,
      payloadBits: reporting.size.bitLimit, payloadVaries: payloadVaries,
      quantizedValues: reporting.size.bitLimit == nil ? 0 : state.context.codewordLength,
      reportsPerDrop: try clock([point]).reportSlots.count,
      bitErrorRate: link.bitErrorRate(bits: reporting.size.bitLimit ?? 0),
      lossRate: link.lossRate(bits: reporting.size.bitLimit ?? 0),
      sharesEnvironment: front.channel.sharesEnvironment,
      keepsEnergy: front.transform!.keepsEnergy, givesDirections: reporting.givesDirections,
      givesScale: front.normaliser!.delivery.givesScale, inputVariances: variances,
      symbolEntropy: entropy)
  }
}
