import Codecs
import Coding
import ComplexModule
import Link
import LinkMath
import Parts
import Scenarios
import Training

/// What the link of a scenario does to codewords, inside a training: quantiser, coder, feedback link, and what the BS reads.
///
/// The parts are those of a run, and so are the reports with their side bits: codewords become the report that a UE would send in
/// slot e (the epoch; 0 where a set is judged) of the same drop and domain, and what arrives becomes the codeword that the decoder gets. The gradient passes straight
/// through; a lost report moves nothing. Parts that a run fits on drops of their own are fitted here on codewords of the first training
/// samples, before the first epoch and after each; they do not know the fields of a gain that is sent, which has the value 1 here.
final class LinkStep: CodewordStep, @unchecked Sendable {
  // Sendable: one owner trains; judging only reads the parts, which change between epochs.

  /// What the stages behind the codec are made of.
  struct Plan: Sendable {
    let scenario: Scenario
    /// Number of the operating point.
    let point: Int
    let settings: [Section: Settings]
    /// That the quantiser is made in.
    let context: LinkContext
    /// Of a gain that is sent.
    let gain: GainQuantizer?
    /// Whether the link carries reals, so that nothing is quantised.
    let sendsReals: Bool

    /// Names the stages.
    var key: String {
      Self.sections.map { settings[$0]!.canonical }.joined(separator: "\n")
    }

    static let sections: [Section] = [.quantizer, .coder, .feedback]

    var usesTrained: Bool {
      !sendsReals && settings[.quantizer]!.part == TrainedQuantizer.schema.name
    }
  }

  /// The parts as they are between two epochs.
  private struct Made {
    /// Nil for the quantiser of the training, which moves with every step.
    var quantizer: (any Quantizer)?
    var coder: any SymbolCoder
    var feedback: any FeedbackLink
  }

  private let plan: Plan
  private let seed: UInt64
  /// The quantiser that the network is trained through.
  private let trained: (any CodewordStep)?
  private var artefacts: [Section: Artefact] = [:]
  private var made: Made?
  let sampleCount: Int

  /// - Throws: `PlacedError` for parts that do not go together.
  init(_ plan: Plan, seed: UInt64, behind trained: (any CodewordStep)?) throws {
    (self.plan, self.seed, self.trained) = (plan, seed, trained)
    if plan.usesTrained != (trained != nil) {
      throw plan.complaint(
        .quantizer,
        plan.usesTrained
          ? "is the quantiser of a training that has none"
          : "quantises what 'training.quantizer' has quantised",
        plan.usesTrained
          ? "add 'training: {quantizer: {type: codebooks}}', or take another quantizer"
          : "write 'quantizer: trained', or leave 'training.quantizer' out")
    }
    // Whatever the later stages learn, it needs no more codewords than the quantiser's own request says.
    var context = plan.context
    var wanted = 1
    for section in Plan.sections {
      if section != .quantizer {
        context.alphabets = [Int](repeating: 2, count: context.codewordLength)
      }
      if let fitting = try plan.fitting(section, context) {
        wanted = max(wanted, fitting.dropCount)
      }
    }
    sampleCount = wanted
  }

  func begin(_ sample: RealArray) throws { try make(fittedOn: sample) }

  func endEpoch(_ sample: RealArray) throws -> [Range<Int>] {
    try make(fittedOn: sample)
    return []
  }

  /// Makes all parts, fitted on codewords `[sample, M]`, or as they were fitted before if there are none.
  private func make(fittedOn sample: RealArray?) throws {
    var context = plan.context
    func part<P>(_ section: Section, _ input: @autoclosure () -> StageInput) throws -> P {
      if let fitting = try plan.fitting(section, context), sample != nil {
        var fitter = fitting.makeFitter()
        fitter.add(input())
        artefacts[section] = try fitter.finish()
      }
      return try plan.part(section, context, artefacts[section])
    }
    let reals = sample ?? RealArray(uninitialized: [0, context.codewordLength])
    let own: (any Quantizer)? = plan.usesTrained ? nil : try part(.quantizer, .codeword(reals))
    let current = own ?? TrainedQuantizer(of: trained!, length: context.codewordLength)
    context.alphabets = current.alphabets ?? []
    let symbols = SymbolBlock(reals, by: current)
    let coder: any SymbolCoder =
      if let symbols { try part(.coder, .symbols(symbols.codewords)) } else {
        FixedWidthCoder(alphabets: [])
      }
    let reporting = reporting(current, coder)
    guard let kind = plan.type(.feedback) as? any FeedbackLink.Type,
      kind.carries.contains(reporting.size.bitLimit == nil ? .codeword : .payload)
    else {
      throw plan.complaint(
        .feedback, "cannot carry what the quantizer makes of codewords",
        "choose a quantizer for a link of bits, and 'quantizer: none' for one of reals")
    }
    let link: any FeedbackLink = try part(
      .feedback, symbols.map { .symbols($0.codewords) } ?? .codeword(reals))
    try plan.placed(.feedback) { try link.check(reporting.size) }
    made = Made(quantizer: own, coder: coder, feedback: link)
  }

  private func reporting(_ quantizer: any Quantizer, _ coder: any SymbolCoder)
    -> CodewordReporting
  {
    CodewordReporting(
      Relay(codewordLength: plan.context.codewordLength), quantizer, coder, gain: plan.gain)
  }

  /// Sends codewords.
  ///
  /// - Returns: zero.
  func forward(_ codewords: UnsafeMutablePointer<Float>, _ pass: CodewordPass) -> Double {
    let (count, length) = (pass.samples, pass.length)
    let made = made!
    let reporting = reporting(
      made.quantizer ?? TrainedQuantizer(of: trained!, length: length), made.coder)
    let values = RealArray(
      UnsafeBufferPointer(start: codewords, count: count * length), shape: [count, length])
    let measurement = Measurement(
      csi: ComplexArray(uninitialized: [count, 0, 0]),
      gains: [Float](repeating: 1, count: count), codeword: Codeword(values: values))
    let block = DropBlock(pass.first..<pass.first + count, domain: pass.domain, seed: seed)
    let (arrived, received) = delivered(measurement, reporting, made.feedback, block, pass.epoch)
    for (sample, delivery) in arrived.enumerated() {
      let codeword = codewords + sample * length
      if delivery.isLost {
        codeword.update(repeating: CodewordPass.lost, count: length)
      } else {
        for i in 0..<length { codeword[i] = received[sample, 0, i].real }
      }
    }
    return 0
  }

  private func delivered(
    _ measurement: Measurement, _ reporting: CodewordReporting, _ link: any FeedbackLink,
    _ block: DropBlock, _ slot: Int
  ) -> ([Delivery], ComplexArray) {
    do {
      var user = reporting.makeUE(drops: block.drops.count)
      let sent = try user.report(measurement, slot: slot, acknowledged: [])
      var arrived = link.transmit(sent, block, slot: slot)
      for (row, report) in sent.enumerated() where report.isWithdrawn { arrived[row] = .lost }
      var station = reporting.makeBS(drops: block.drops.count)
      return (arrived, try station.receive(arrived, slot: slot).csi)
    } catch {
      preconditionFailure("reports of codewords cannot fail: \(error)")
    }
  }

  var state: [String: [Float]] {
    get {
      artefacts.reduce(into: [:]) { state, entry in
        for (name, array) in entry.value.arrays {
          state["\(entry.key.rawValue).\(name)"] = array.elements
        }
      }
    }
    set {
      artefacts = [:]
      do {
        try restore(newValue)
      } catch {
        preconditionFailure("a checkpoint holds parts of a link that do not fit: \(error)")
      }
    }
  }

  /// Shapes of what was learned follow from the parts before.
  private func restore(_ state: [String: [Float]]) throws {
    for section in Plan.sections {
      let prefix = "\(section.rawValue)."
      let own = state.filter { $0.key.hasPrefix(prefix) }
      guard !own.isEmpty, let fitting = try plan.fitting(section, contextBefore(section)) else {
        continue
      }
      artefacts[section] = Artefact(
        own.reduce(into: [:]) { arrays, entry in
          let name = String(entry.key.dropFirst(prefix.count))
          arrays[name] = RealArray(entry.value, shape: fitting.shapes[name]!)
        })
    }
    try make(fittedOn: nil)
  }

  private func contextBefore(_ section: Section) throws -> LinkContext {
    var context = plan.context
    guard section != .quantizer else { return context }
    let quantizer: any Quantizer
    if plan.usesTrained {
      quantizer = TrainedQuantizer(of: trained!, length: context.codewordLength)
    } else {
      quantizer = try plan.part(.quantizer, context, artefacts[.quantizer])
    }
    context.alphabets = quantizer.alphabets ?? []
    return context
  }
}

extension LinkStep.Plan {
  func type(_ section: Section) -> any Part.Type { scenario.registry.type(of: settings[section]!) }

  func complaint(_ section: Section, _ reason: String, _ hint: String) -> PlacedError {
    PlacedError(
      error: SettingsError(
        part: settings[section]!.part, key: "", reason: reason + " (training.link)", hint: hint),
      section: section, point: point)
  }

  func placed<R>(_ section: Section, _ body: () throws -> R) throws -> R {
    do {
      return try body()
    } catch let error as SettingsError {
      throw PlacedError(error: error, section: section, point: point)
    }
  }

  /// What a part learns from codewords; nil if nothing.
  func fitting(_ section: Section, _ context: LinkContext) throws -> Fitting? {
    guard !(section == .quantizer && (usesTrained || sendsReals)) else { return nil }
    return try placed(section) { try type(section).fitting(settings[section]!, in: context) }
  }

  func part<P>(_ section: Section, _ context: LinkContext, _ fitted: Artefact?) throws -> P {
    if section == .quantizer, sendsReals {
      return NoQuantizer(try NoQuantizer.schema.settings(), in: context, fitted: nil) as! P
    }
    return try placed(section) {
      try type(section).init(settings[section]!, in: context, fitted: fitted) as! P
    }
  }
}

/// Carries a codeword through the reports of a codec: its CSI is the codeword itself, `[drop, 1, M]`.
private struct Relay: CodewordCodec {
  let codewordLength: Int
  let summary = "codewords as they are"

  func encode(_ csi: ComplexArray) throws -> Codeword {
    preconditionFailure("codewords come from the network")
  }

  func decode(_ codeword: Codeword) throws -> ComplexArray {
    ComplexArray(
      codeword.values.elements.map { ComplexFloat($0, 0) },
      shape: [codeword.values[dimension: 0], 1, codewordLength])
  }
}
