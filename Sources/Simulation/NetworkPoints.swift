import Codecs
import LinkMath
import Networks
import Parts
import Scenarios

/// A point of a scenario whose codec is a network, with what the network costs and what it sends.
public struct NetworkPoint: Sendable {
  /// Place among the points of the scenario.
  public let index: Int
  /// Name, ratio and image.
  public let network: NetworkChoice
  /// Word of its training.
  public let label: String?
  /// Folder or files of its weights, as the program finds them; nil if the scenario names none.
  public let weights: FilePaths?
  /// Name of the quantiser, and its bits for each real if it has one number of them.
  public let quantizer: String
  /// Bits B for each real; nil if the quantiser has none or several.
  public let bits: Int?
}

extension NetworkPoint {
  /// The points of a scenario that have a network, in their order; files of weights are not looked at.
  ///
  /// - Throws: `ScenarioErrors` for stages that cannot be made.
  public static func all(of scenario: Scenario, pool: WorkerPool) throws -> [NetworkPoint] {
    let store = FittingStore(folder: nil, pool: pool, placeholdersOnly: true, progress: { _ in })
    var contexts: [String: LinkContext] = [:]
    var points: [NetworkPoint] = []
    for point in scenario.points {
      let codec = point.settings[.codec]!
      let isImported = codec.part == ONNXCodec.schema.name
      guard isImported || codec.part == NeuralCodec.schema.name else { continue }
      do {
        let stages = FrontEnd.dependencies(point, sees: .truth)
        let context =
          try contexts[stages]
          ?? FrontEnd.make(point, sees: .truth, scenario: scenario, store: store).context
        contexts[stages] = context
        let quantizer = point.settings[.quantizer]!
        var bits: Int?
        if case .integer(let value)? = quantizer.values["bits"] { bits = value }
        points.append(
          NetworkPoint(
            index: point.index,
            network: try isImported
              ? ONNXCodec.autoencoder(codec, in: context).choice
              : NeuralCodec.network(codec, in: context),
            label: isImported ? ONNXCodec.label(codec) : NeuralCodec.label(codec),
            weights: isImported
              ? ONNXCodec.weights(codec, in: context) : NeuralCodec.weights(codec, in: context),
            quantizer: quantizer.part, bits: bits)
        )
      } catch let error as SettingsError {
        throw ScenarioErrors([scenario.diagnostic(for: error, section: .codec, point: point.index)])
      } catch let placed as PlacedError {
        throw ScenarioErrors([
          scenario.diagnostic(for: placed.error, section: placed.section, point: point.index)
        ])
      }
    }
    return points
  }
}
