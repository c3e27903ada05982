import LinkMath
import Networks
import Parts

/// A part of a training that a scenario chooses by its word; a new one is one file and one word in
/// ``TrainingRegistry/standard``.
public protocol TrainingPart {
  /// The word in scenarios.
  static var word: String { get }

  /// What it does, in a phrase.
  static var summary: String { get }

  /// Keys below `training:` that it reads.
  static var keys: [ParameterDeclaration] { get }
}

extension TrainingPart {
  /// None.
  public static var keys: [ParameterDeclaration] { [] }
}

/// A loss that scenarios can name.
public protocol LossPart: TrainingPart, Loss {
  /// - Throws: `SettingsError` for settings that do not go together.
  init(_ settings: Settings) throws(SettingsError)
}

/// A schedule that scenarios can name.
public protocol SchedulePart: TrainingPart, Schedule {
  /// Whether the rate depends on the number of epochs, so that a longer training does not start with a shorter one.
  static var dependsOnEpochs: Bool { get }

  /// - Parameters:
  ///   - settings: those of `training:`.
  ///   - epochs: of the stage that it is for.
  ///   - stepsPerEpoch: optimiser steps.
  /// - Throws: `SettingsError` for settings that do not go together.
  init(_ settings: Settings, epochs: Int, stepsPerEpoch: Int) throws(SettingsError)
}

extension SchedulePart {
  /// False.
  public static var dependsOnEpochs: Bool { false }
}

/// An optimiser that scenarios can name.
public protocol OptimizerPart: TrainingPart, Optimizer {
  /// - Parameters:
  ///   - settings: those of `training:`.
  ///   - groups: updated together.
  ///   - pool: divides the values; the result does not depend on it.
  init(_ settings: Settings, _ groups: [ParameterGroup], pool: WorkerPool)
}

/// A way to train: which parameters move in which epochs, by what.
public protocol TrainingMethod: TrainingPart, Sendable {
  /// - Throws: `SettingsError` for settings that do not go together.
  init(_ settings: Settings) throws(SettingsError)

  /// The stages of a training, one after another; each starts a new optimiser and a new schedule.
  ///
  /// - Throws: `SettingsError` for a network or a number of epochs that the method does not suit.
  func stages(_ task: TrainingTask) throws(SettingsError) -> [TrainingStage]

  /// The trained network that it learns from; whoever trains reads it and puts it into the task.
  var teacher: TeacherSource? { get }

  /// Values that parameters start from, whatever else they would start from.
  ///
  /// - Throws: `SettingsError` for a teacher that does not suit the network.
  func start(_ task: TrainingTask) throws(SettingsError) -> Weights

  /// The file of pairs of CSI and codewords that it learns from instead of the scenario's channel, and the side that
  /// it trains.
  var pairs: PairsSource? { get }

  /// Whether it starts with a trained decoder that stays as it is.
  var keepsDecoder: Bool { get }
}

extension TrainingMethod {
  /// None.
  public var teacher: TeacherSource? { nil }

  /// None.
  public func start(_ task: TrainingTask) throws(SettingsError) -> Weights { Weights() }

  /// None.
  public var pairs: PairsSource? { nil }

  /// No.
  public var keepsDecoder: Bool { false }
}

/// What a ``TrainingMethod`` is asked to train.
public struct TrainingTask: Sendable {
  /// The network.
  public let network: NetworkChoice
  /// What the method's ``TrainingMethod/teacher`` names.
  public let teacher: TrainedTeacher?
  /// Stage of all epochs in which everything is trained as the settings say.
  public let whole: TrainingStage
}

/// Epochs in which the same parameters are trained by the same rules.
public struct TrainingStage: Sendable {
  /// Largest number of epochs.
  public var epochs: Int
  /// Whether a key of a side keeps its values, and its normalisation its statistics.
  public var isFrozen: @Sendable (WeightsFile.Side, String) -> Bool
  /// What is minimised.
  public var loss: any Loss
  /// Learning rate for a number of epochs.
  public var schedule: @Sendable (_ epochs: Int) throws(SettingsError) -> any Schedule
  /// Moves the parameters that are not frozen.
  public var optimizer: @Sendable ([ParameterGroup], WorkerPool) -> any Optimizer
  /// What the loss compares with, if it asks for a teacher.
  public var teacher: Teacher?
  /// When it ends before its epochs.
  public var stop: StopPolicy
}

/// When a stage ends before its last epoch.
public struct StopPolicy: Sendable, Hashable {
  /// Epochs without a better validation NMSE; nil for all epochs.
  public var patience: Int?

  /// - Parameters:
  ///   - curve: finished epochs of all stages.
  ///   - start: those of the stages before.
  func isMet(_ curve: LearningCurve, start: Int) -> Bool {
    guard let patience, let best = curve.best else { return false }
    return curve.epochs.count - max(best.number, start) >= patience
  }
}
