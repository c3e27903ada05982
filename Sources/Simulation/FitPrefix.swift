import Channels
import Link
import LinkMath
import Parts

/// The stages before a part that is fitted: produces its input for drops of the fitting domain, once as the true channel
/// gives it and once as the scenario's estimator does.
struct FitPrefix: Sendable {
  typealias Source = @Sendable (DropBlock) throws -> StageInput

  let seed: UInt64
  /// Drops that the channel offers for fitting; nil if without limit.
  let available: Int?
  /// Names everything the input depends on.
  private let truthKey: String
  private let estimateKey: String
  private let truth: Source
  private let estimate: Source

  /// Before the channel there is nothing to learn from.
  static let none = FitPrefix(
    seed: 0, available: 0, truthKey: "", estimateKey: "",
    truth: { _ in preconditionFailure("a channel model cannot be fitted on drops") },
    estimate: { _ in preconditionFailure("a channel model cannot be fitted on drops") })

  static func channel(_ channel: any ChannelModel, key: String, seed: UInt64) -> FitPrefix {
    let source: Source = { block in
      .response(try channel.frequencyResponse(block, slots: [0])[0])
    }
    return FitPrefix(
      seed: seed, available: channel.dropCount(in: .fit), truthKey: key, estimateKey: key,
      truth: source, estimate: source)
  }

  func estimated(_ scheme: any PilotScheme, _ estimator: any ChannelEstimator, key: String)
    -> FitPrefix
  {
    let truth = self.truth
    return FitPrefix(
      seed: seed, available: available, truthKey: truthKey, estimateKey: estimateKey + key,
      truth: truth,
      estimate: { block in
        guard case .response(let response) = try truth(block) else {
          preconditionFailure("stage order")
        }
        return .response(
          estimator.estimate(scheme.observe(response, block, slot: 0)).response)
      })
  }

  func map(_ key: String, _ body: @escaping @Sendable (StageInput) throws -> StageInput)
    -> FitPrefix
  {
    let (truth, estimate) = (self.truth, self.estimate)
    return FitPrefix(
      seed: seed, available: available, truthKey: truthKey + "\n" + key,
      estimateKey: estimateKey + "\n" + key, truth: { try body(try truth($0)) },
      estimate: { try body(try estimate($0)) })
  }

  func key(_ source: Fitting.Source) -> String {
    source == .truth ? truthKey : "estimate\n" + estimateKey
  }

  func input(_ source: Fitting.Source, _ block: DropBlock) throws -> StageInput {
    try source == .truth ? truth(block) : estimate(block)
  }
}
