import Networks
import Parts

/// Keys that schedules share.
enum ScheduleKeys {
  static let rate = Parameter.number(
    "learning_rate", default: 1e-3, in: 0...100,
    "Learning rate of the optimiser: constant, the start of a decay, or the peak of warm_up_cosine."
  )
  static let factor = Parameter.number(
    "schedule.factor", default: 0.1, in: 1e-9...1,
    "What the learning rate is multiplied by each 'interval' epochs (schedule: step, exponential).")
  static let interval = Parameter.integer(
    "schedule.interval", default: 100, in: 1...1_000_000,
    "Epochs in which the learning rate changes by 'factor' (schedule: step, exponential).")
  /// `schedule.interval` in optimiser steps.
  static func steps(_ settings: Settings, _ stepsPerEpoch: Int) -> Int {
    settings[interval] * stepsPerEpoch
  }

  static let minimum = Parameter.number(
    "schedule.minimum", default: 5e-5, in: 0...100,
    """
    Learning rate that the cosine of warm_up_cosine comes down to after the last epoch, at most 'learning_rate'; the other \
    schedules and the warm-up may go below it.
    """)
  static let warmUp = Parameter.integer(
    "schedule.warm_up", default: 30, in: 0...1_000_000,
    "Epochs in which warm_up_cosine rises from 0 to 'learning_rate', fewer than 'epochs'.")
}

extension ConstantSchedule: SchedulePart {
  public static let word = "constant"
  public static let summary = "'learning_rate' at every step"
  public static let keys = [ScheduleKeys.rate.declaration]

  /// Reads `learning_rate`.
  public init(_ settings: Settings, epochs: Int, stepsPerEpoch: Int) throws(SettingsError) {
    self.init(settings[ScheduleKeys.rate])
  }
}

extension StepSchedule: SchedulePart {
  public static let word = "step"
  public static let summary = "times 'factor' after each 'interval' epochs"
  public static let keys = [
    ScheduleKeys.rate.declaration, ScheduleKeys.factor.declaration,
    ScheduleKeys.interval.declaration,
  ]

  /// Reads `learning_rate`, `schedule.factor`, `schedule.interval`.
  public init(_ settings: Settings, epochs: Int, stepsPerEpoch: Int) throws(SettingsError) {
    self.init(
      rate: settings[ScheduleKeys.rate], factor: settings[ScheduleKeys.factor],
      interval: ScheduleKeys.steps(settings, stepsPerEpoch))
  }
}

extension ExponentialSchedule: SchedulePart {
  public static let word = "exponential"
  public static let summary = "the same continuously"
  public static let keys = StepSchedule.keys

  /// Reads `learning_rate`, `schedule.factor`, `schedule.interval`.
  public init(_ settings: Settings, epochs: Int, stepsPerEpoch: Int) throws(SettingsError) {
    self.init(
      rate: settings[ScheduleKeys.rate], factor: settings[ScheduleKeys.factor],
      interval: ScheduleKeys.steps(settings, stepsPerEpoch))
  }
}

extension WarmUpCosineSchedule: SchedulePart {
  public static let word = "warm_up_cosine"
  public static let summary =
    "linear from 0 over 'warm_up' epochs, then half a cosine down to 'minimum'"
  public static let dependsOnEpochs = true
  public static let keys = [
    ScheduleKeys.rate.declaration, ScheduleKeys.minimum.declaration,
    ScheduleKeys.warmUp.declaration,
  ]

  /// Reads `learning_rate`, `schedule.minimum`, `schedule.warm_up`.
  ///
  /// - Throws: `SettingsError` for a warm-up that does not leave room for the cosine, or a cosine that would rise.
  public init(_ settings: Settings, epochs: Int, stepsPerEpoch: Int) throws(SettingsError) {
    let rate = settings[ScheduleKeys.rate]
    let (warmUp, minimum) = (settings[ScheduleKeys.warmUp], settings[ScheduleKeys.minimum])
    guard warmUp < epochs else {
      throw SettingsError(
        part: settings.part, key: ScheduleKeys.warmUp.key,
        reason: "must be below the \(epochs) epochs of the training, got \(warmUp)",
        hint: "the papers use 30 of 2500 epochs")
    }
    guard minimum <= rate else {
      throw SettingsError(
        part: settings.part, key: ScheduleKeys.minimum.key,
        reason: "must be at most learning_rate = \(rate), got \(minimum)",
        hint: "the learning rate falls from 'learning_rate' to 'schedule.minimum'")
    }
    self.init(
      maximum: rate, minimum: minimum, warmUp: warmUp * stepsPerEpoch,
      total: epochs * stepsPerEpoch)
  }
}
