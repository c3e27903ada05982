import Channels
import Foundation
import Link
import Parts
import Scenarios

/// What is legal in a scenario but outside what its channel was made for, or what grid, pilots and slots can show of it.
public enum ChannelWarnings {
  private typealias Placed = (section: Section, error: SettingsError)

  /// One for each distinct complaint, placed where the value is written.
  public static func of(_ scenario: Scenario) -> [Diagnostic] {
    var delays: [[Settings]: LargestDelay?] = [:]
    var asked: Set<[Settings]> = []
    var warnings: [Diagnostic] = []
    for point in scenario.points {
      let channel = point.settings[.channel]!
      let motion = [point.settings[.grid]!, channel, point.settings[.timing]!]
      guard
        asked.insert(motion + [point.settings[.pilots]!, point.settings[.transform]!]).inserted,
        let model = scenario.registry.type(of: channel) as? any ChannelModel.Type,
        let clock = try? SlotClock(point.settings[.timing]!)
      else { continue }
      let context = LinkContext(
        grid: GridSection.grid(point.settings[.grid]!), slotSeconds: clock.slotSeconds,
        speed: clock.speed, seed: scenario.run.map { RunSettings($0).seed } ?? 1,
        directory: scenario.directory)
      let delay = delays[motion] ?? model.largestDelay(channel, in: context)
      delays[motion] = .some(delay)
      let found =
        model.warnings(channel, in: context).map { (section: Section.channel, error: $0) }
        + Self.delay(delay, point, context)
        + Self.motion(model, clock, context).map { (section: Section.timing, error: $0) }
        + Self.images(point, context)
      warnings += found.map {
        scenario.diagnostic(for: $0.error, section: $0.section, severity: .warning)
      }
    }
    var seen: Set<Diagnostic> = []
    return warnings.filter { seen.insert($0).inserted }
  }

  /// Recorded images whose angles the transform would rotate, which networks that were trained on such images do not expect.
  private static func images(_ point: OperatingPoint, _ context: LinkContext) -> [Placed] {
    let transform = point.settings[.transform]!
    let key = AngularDelayTransform.angleShift.key
    let shift = Int(transform.values[key]?.asNumber ?? 0)
    let channel = point.settings[.channel]!
    guard shift != 0, RecordedChannel.hasUntoldAngles(channel, in: context) else { return [] }
    let error = SettingsError(
      part: channel.part, key: key,
      reason:
        "is 0 if it is left out, but transform.\(key) is \(shift): what networks see are the file's images "
        + "with their angles rotated",
      hint: "write 'channel: {\(key): \(shift)}' if the file has the images that networks see, "
        + "as the public sets do; 0 if its first angle is that of the DFT")
    return [(.channel, error)]
  }

  /// Delays of 1 / spacing and more wrap around; between pilot tones already those of 1 / (tone_spacing · spacing).
  private static func delay(
    _ largest: LargestDelay?, _ point: OperatingPoint, _ context: LinkContext
  )
    -> [Placed]
  {
    guard let largest else { return [] }
    let period = 1 / context.grid.spacingHz
    let pilots = point.settings[.pilots]!
    let toneSpacing = pilots.values[OrthogonalPilots.toneSpacing.key]?.asNumber ?? 1
    if largest.seconds >= period {
      let error = SettingsError(
        part: point.settings[.channel]!.part, key: largest.key,
        reason: "makes delays up to \(time(largest.seconds)), and those of "
          + "1 / grid.spacing = \(time(period)) and more wrap around",
        hint: "is the unit of a time right (us for ns)? A smaller grid.spacing shows longer delays")
      return [(.channel, error)]
    }
    guard largest.seconds >= period / toneSpacing else { return [] }
    let error = SettingsError(
      part: pilots.part, key: OrthogonalPilots.toneSpacing.key,
      reason: "of \(Int(toneSpacing)) tones tells delays below 1 / (tone_spacing · grid.spacing) = "
        + "\(time(period / toneSpacing)) apart, and the channel has up to "
        + time(largest.seconds),
      hint: "a smaller tone_spacing, or another channel: longer delays are taken for shorter ones")
    return [(.pilots, error)]
  }

  /// A speed that nothing looks at, and Doppler shifts that slots cannot follow.
  private static func motion(
    _ model: any ChannelModel.Type, _ clock: SlotClock, _ context: LinkContext
  ) -> [SettingsError] {
    guard clock.speed > 0 else { return [] }
    let key = SlotClock.speed.key
    guard model.dependsOnSpeed else {
      return [
        SettingsError(
          part: "timing", key: key, reason: "has no effect on recorded data",
          hint: "remove it; records with an axis of slots hold their own motion")
      ]
    }
    let doppler = context.dopplerHz
    guard clock.slotCount > 1, doppler > 0.5 / clock.slotSeconds else { return [] }
    return [
      SettingsError(
        part: "timing", key: key,
        reason: "makes Doppler shifts up to \(hertz(doppler)), and slots of "
          + "\(time(clock.slotSeconds)) follow \(hertz(0.5 / clock.slotSeconds)) at most: "
          + "faster fading looks slower",
        hint: "is the unit of the speed right (m/s for km/h)? A shorter timing.slot follows it")
    ]
  }

  private static func time(_ seconds: Double) -> String { text(seconds, .time) }
  private static func hertz(_ hertz: Double) -> String { text(hertz, .frequency) }

  /// Three digits.
  private static func text(_ value: Double, _ dimension: Parts.Dimension) -> String {
    guard value > 0 else { return dimension.format(0) }
    let unit = dimension.units.sorted { $0.size > $1.size }.first { value >= $0.size }
    let (name, size) = unit ?? dimension.units.last!
    return String(format: "%.3g %@", value / size, name)
  }
}
