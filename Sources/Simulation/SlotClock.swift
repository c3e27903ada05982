import Parts

/// Discrete time: when the UE measures, when its report arrives, and which slots the BS serves with it.
///
/// The UE measures in slots 0, T, 2T, ...; a report of slot n serves the BS from slot n + D on, D = processing + feedback
/// delay, until the next one arrives. Slots before the first report are not evaluated. One slot without delay is a
/// snapshot study.
struct SlotClock: Sendable, Hashable {
  static let slot = Parameter.number(
    "slot", .time, default: 1e-3, in: 1e-6...1,
    "Duration of a slot; delays and periods are counted in slots.")
  static let slots = Parameter<Int?>.optional(
    "slots", .integer(1...100_000),
    "Slots simulated in each drop, more than both delays together; these plus one report period if left out."
  )
  static let period = Parameter.integer(
    "report_period", default: 1, in: 1...100_000,
    "Slots T from one measurement and report of the UE to the next.")
  static let processing = Parameter.integer(
    "processing_delay", default: 0, in: 0...100_000,
    "Slots that UE and BS take to compute: a report serves the BS this and 'feedback_delay' after its slot."
  )
  static let feedback = Parameter.integer(
    "feedback_delay", default: 0, in: 0...100_000,
    "Slots that a report is on its way, besides 'processing_delay'.")
  static let speed = Parameter.number(
    "speed", .speed, default: 0, in: 0...1000,
    "Speed of the UE, with which the channel changes from slot to slot; 0 keeps it.")
  static let schema = PartSchema(
    .timing, "slots", "Slot clock: report period, delays and UE speed.",
    reference: "TS 38.214 clause 5.4 (CSI processing time)",
    parameters: [
      slot.declaration, slots.declaration, period.declaration, processing.declaration,
      feedback.declaration, speed.declaration,
    ])

  let slotSeconds: Double
  let slotCount: Int
  let period: Int
  let delay: Int
  let speed: Double

  init(_ settings: Settings) throws(SettingsError) {
    slotSeconds = settings[Self.slot]
    period = settings[Self.period]
    delay = settings[Self.processing] + settings[Self.feedback]
    slotCount = settings[Self.slots] ?? delay + period
    speed = settings[Self.speed]
    guard delay < slotCount else {
      throw SettingsError(
        part: settings.part, key: "slots",
        reason: "must exceed the total delay of \(delay) slots, got \(slotCount)",
        hint: "no report would ever be used")
    }
  }

  /// Slots in which the UE measures and reports.
  var reportSlots: [Int] { Array(stride(from: 0, to: slotCount, by: period)) }

  /// Slots that the BS serves with a report.
  var servedSlots: Range<Int> { delay..<slotCount }

  /// The newest report that has arrived in a served slot, as an index into ``reportSlots``.
  func newestReport(at slot: Int) -> Int { (slot - delay) / period }

  /// The settings that the channel of the first slot depends on.
  static func motion(_ settings: Settings) -> String {
    "slot \(settings[slot]) s, speed \(settings[speed]) m/s"
  }

  /// What the channel depends on; the delay matters only at the BS.
  var channelKey: String { "\(slotSeconds) \(slotCount) \(period) \(speed)" }
}
