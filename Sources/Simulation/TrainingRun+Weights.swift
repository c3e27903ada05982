import Codecs
import Scenarios

extension TrainingRun {
  /// Whether a scenario has a network without weights at some point, so that it can be trained but not run.
  public static func isUntrained(_ scenario: Scenario) -> Bool {
    scenario.points.contains { $0.settings[.codec].map(NeuralCodec.isUntrained) ?? false }
  }
}
