import Channels
import ComplexModule
import Link
import LinkMath
import Parts

/// The stages before a part that is fitted: produces its input for drops of the fitting domain, once as the true channel
/// gives it and once as the scenario's estimator does.
struct FitPrefix: Sendable {
  /// The input of a block, and which drops have energy.
  struct Drawn: Sendable {
    var input: StageInput
    let hasEnergy: [Bool]
  }

  typealias Source = @Sendable (DropBlock) throws -> Drawn

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
      let response = try channel.frequencyResponse(block, slots: [0])[0]
      return Drawn(input: .response(response), hasEnergy: response.rowsWithEnergy)
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
        var drawn = try truth(block)
        guard case .response(let response) = drawn.input else {
          preconditionFailure("stage order")
        }
        drawn.input = .response(
          estimator.estimate(scheme.observe(response, block, slot: 0)).response)
        return drawn
      })
  }

  func map(_ key: String, _ body: @escaping @Sendable (StageInput) throws -> StageInput)
    -> FitPrefix
  {
    func mapped(_ source: @escaping Source) -> Source {
      { block in
        var drawn = try source(block)
        drawn.input = try body(drawn.input)
        return drawn
      }
    }
    return FitPrefix(
      seed: seed, available: available, truthKey: truthKey + "\n" + key,
      estimateKey: estimateKey + "\n" + key, truth: mapped(truth), estimate: mapped(estimate))
  }

  func key(_ source: Fitting.Source) -> String {
    source == .truth ? truthKey : "estimate\n" + estimateKey
  }

  /// The input of the drops of a block that have energy; nil without one.
  func input(_ source: Fitting.Source, _ block: DropBlock) throws -> (StageInput?, count: Int) {
    let drawn = try source == .truth ? truth(block) : estimate(block)
    let kept = drawn.hasEnergy.indices.filter { drawn.hasEnergy[$0] }
    if kept.count == drawn.hasEnergy.count { return (drawn.input, kept.count) }
    return (kept.isEmpty ? nil : drawn.input.rows(kept), kept.count)
  }
}

extension StageInput {
  /// The given rows of [drop, ...].
  fileprivate func rows(_ rows: [Int]) -> StageInput {
    switch self {
    case .response(let array): .response(array.rows(rows))
    case .csi(let array): .csi(array.rows(rows))
    case .codeword(let array): .codeword(array.rows(rows))
    }
  }
}

extension Tensor {
  /// The given rows of [drop, ...], at least one.
  func rows(_ rows: [Int]) -> Tensor { .concatenated(rows.map { slice($0..<$0 + 1) }) }
}

extension Tensor where Element == ComplexFloat {
  /// Which rows of [drop, ...] are not all zero.
  var rowsWithEnergy: [Bool] {
    let size = rowStride
    return withUnsafeElements { values in
      (0..<shape[0]).map { row in
        values[row * size..<(row + 1) * size].contains { $0 != .zero }
      }
    }
  }
}
