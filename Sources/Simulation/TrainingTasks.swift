import Codecs
import Coding
import Link
import LinkMath
import Networks
import Parts
import Scenarios
import Training

/// Finds out what a scenario asks to be trained: one task for each network and ratio, with the drops and the link of its points.
struct TrainingTasks {
  private let scenario: Scenario
  private let settings: TrainingSettings
  private let store: FittingStore
  /// Told what the user should know of weights to start from.
  private let tell: (String) -> Void
  private var fronts: [String: (front: FrontEnd, context: LinkContext)] = [:]
  private var found: [Found] = []

  /// What the points tell of a network.
  private struct Found {
    let network: NetworkChoice
    let context: LinkContext
    let link: LinkStep.Plan?
    /// Weights that it has already, with digests of what they come from.
    let own: (weights: Weights, digests: [String])?
    /// Front ends of the points that differ before the codec, one for each pilot SNR.
    var kinds: [[(front: FrontEnd, key: String)]]
  }

  init(
    _ scenario: Scenario, _ settings: TrainingSettings, _ store: FittingStore,
    note: @escaping (String) -> Void
  ) {
    (self.scenario, self.settings, self.store) = (scenario, settings, store)
    tell = note
  }

  /// The tasks in the order of the points.
  ///
  /// - Throws: ``PlacedError`` for settings that do not go together; file errors.
  consuming func tasks() throws -> [TrainingRun.Task] {
    let codecs = [NeuralCodec.schema.name, ONNXCodec.schema.name]
    for point in scenario.points where codecs.contains(point.settings[.codec]!.part) {
      do {
        try note(point)
      } catch let error as SettingsError {
        throw PlacedError(error: error, section: .codec, point: point.index)
      } catch let placed as PlacedError {
        // The stages were made for a link of this point alone.
        throw PlacedError(error: placed.error, section: placed.section, point: point.index)
      }
    }
    return try found.map { found in
      var (start, teacher, pairs) = try TrainingRun.sources(
        found.network, settings, scenario, found.context, tell)
      if let own = found.own {
        start = (own.weights.merging(start.weights), own.digests + start.digests)
      }
      return TrainingRun.Task(
        network: found.network, start: start, teacher: teacher, pairs: pairs,
        drops: try drops(found), context: found.context, link: found.link)
    }
  }

  private mutating func note(_ point: OperatingPoint) throws {
    let fronts = try pilotVariants(of: point).map { try front($0) }
    let context = fronts[0].context
    let (network, own) = try network(point.settings[.codec]!, context)
    let kind = fronts.map { (front: $0.front, key: $0.key) }
    let link = settings.passesLink ? plan(point, network, context, kind[0].front) : nil
    guard let known = found.firstIndex(where: { $0.network == network }) else {
      if found.contains(where: { $0.network.stem == network.stem }) {
        throw SettingsError(
          part: point.settings[.codec]!.part, key: "encoder",
          reason: "two networks of the names \(network.name) would be trained into the same files",
          hint: "name the ONNX files differently, or train one at a time")
      }
      return found.append(
        Found(network: network, context: context, link: link, own: own, kinds: [kind]))
    }
    let codec = point.settings[.codec]!.part
    guard found[known].link?.key == link?.key else {
      throw SettingsError(
        part: codec, key: "network", reason: "\(network.title) would be trained through two links",
        hint: "fix the swept stages behind the codec with --set, and give each --output")
    }
    if found[known].kinds.contains(where: { $0.map(\.key) == kind.map(\.key) }) { return }
    guard settings.data.mix != nil else {
      throw SettingsError(
        part: codec, key: "network",
        reason: "\(network.title) would be trained on two kinds of data",
        hint:
          "fix the swept stages before the codec with --set, and give each --output, or mix them with 'training: {mix: [1, 1]}'"
      )
    }
    guard found[known].context.normaliser == context.normaliser else {
      throw SettingsError(
        part: codec, key: "network",
        reason: "\(network.title) would be trained on CSI of two normalisers")
    }
    found[known].kinds.append(kind)
  }

  /// What is trained, and weights that it has already.
  private func network(_ codec: Settings, _ context: LinkContext) throws -> (
    NetworkChoice, (weights: Weights, digests: [String])?
  ) {
    guard codec.part == ONNXCodec.schema.name else {
      return (try NeuralCodec.network(codec, in: context, isForTraining: true), nil)
    }
    guard settings.initialization == .drawn else {
      let error = SettingsError(
        part: "training", key: "initialization",
        reason: "has no effect on networks of ONNX files, which have their weights",
        hint: "leave it out: the training goes on from the files' weights")
      throw ScenarioErrors([scenario.diagnostic(for: error, section: .training)])
    }
    let onnx = try ONNXCodec.autoencoder(codec, in: context)
    return (onnx.choice, (onnx.weights, onnx.digests + [onnx.weights.digest]))
  }

  /// The stages before the codec, and what its drops depend on.
  private mutating func front(_ point: OperatingPoint) throws -> (
    front: FrontEnd, context: LinkContext, key: String
  ) {
    let stages = FrontEnd.dependencies(point, sees: settings.sees)
    var (front, context) =
      try fronts[stages]
      ?? FrontEnd.make(point, sees: settings.sees, scenario: scenario, store: store)
    fronts[stages] = (front, context)
    if case .range(let levels) = settings.data.pilots {
      guard let varied = front.withPilots(at: levels) else {
        throw complaint(
          DataSettings.pilotRange.key, "needs pilots with an SNR and an estimator without one",
          hint: "give levels, 'pilot_snr_db: [-10, 0, 10]', or write 'estimator: ls'")
      }
      front = varied
    }
    return (front, context, stages + "\n" + front.key(settings.sees))
  }

  /// The point with each pilot SNR of the training.
  private func pilotVariants(of point: OperatingPoint) throws -> [OperatingPoint] {
    let levels: [Double]
    switch settings.data.pilots {
    case .scenario: return [point]
    case .list(let values): levels = values
    case .range(let range): levels = [range.lowerBound]  // in place of those of the points
    }
    let pilots = point.settings[.pilots]!
    let key = "snr_db"
    guard pilots.values[key] != nil else {
      throw complaint(
        DataSettings.pilotLevels.key, "needs pilots with an SNR, which '\(pilots.part)' have not",
        hint: nil)
    }
    let schema = scenario.registry.type(of: pilots).schema
    return try levels.map { level in
      point.replacing(
        try schema.settings(pilots.values.merging([key: .number(level)]) { $1 }))
    }
  }

  private func complaint(_ key: String, _ reason: String, hint: String?) -> ScenarioErrors {
    let error = SettingsError(part: "training", key: key, reason: reason, hint: hint)
    return ScenarioErrors([scenario.diagnostic(for: error, section: .training)])
  }

  /// The kinds of drops with their weights, without those of weight 0.
  private func drops(_ found: Found) throws -> DropMix {
    let mix = settings.data.mix ?? [1]
    guard mix.count == found.kinds.count else {
      throw complaint(
        DataSettings.mix.key,
        "must have \(found.kinds.count) weights: the points of \(found.network.title) have so many kinds of drops, got \(mix.count)",
        hint: "sweep the channel, the grid or the pilots, and give a weight for each value")
    }
    let kinds = zip(found.kinds, mix).filter { $0.1 > 0 }.flatMap { fronts, weight in
      fronts.map { DropMix.Kind(front: $0.front, weight: weight, key: $0.key) }
    }
    guard kinds.count < 256 else {
      throw complaint(
        DataSettings.mix.key, "would mix \(kinds.count) kinds of drops, 255 are the most", hint: nil
      )
    }
    return DropMix(kinds)
  }

  private func plan(
    _ point: OperatingPoint, _ network: NetworkChoice, _ context: LinkContext, _ front: FrontEnd
  ) -> LinkStep.Plan {
    var context = context
    context.codewordLength = network.autoencoder.codewordLength
    let link = scenario.registry.type(of: point.settings[.feedback]!)
    return LinkStep.Plan(
      scenario: scenario, point: point.index, settings: point.settings, context: context,
      gain: front.normaliser!.delivery.quantizer,
      sendsReals: (link as? any FeedbackLink.Type)?.carries == [.codeword])
  }
}
