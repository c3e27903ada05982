import Channels
import Codecs
import DataFiles
import Datasets
import Foundation
import Link
import LinkMath
import Parts
import Scenarios

/// The true channels of a scenario, drop by drop, in one of the layouts of files.
///
/// All points of the scenario must share what comes before the codec.
public struct DatasetSource: Sendable {
  /// The scenario as it was read.
  public let scenario: Scenario
  /// Seed of the drops.
  public let seed: UInt64
  let front: FrontEnd
  let context: LinkContext
  /// Names everything that a drop depends on.
  let key: String
  private let point: OperatingPoint

  /// - Throws: `ScenarioErrors` for settings that do not go together and for points with different channels.
  public init(
    _ scenario: Scenario, pool: WorkerPool,
    progress: @escaping @Sendable (String) -> Void = { _ in }
  ) throws {
    self.scenario = scenario
    seed = RunSettings(scenario.run!).seed
    let kinds = Set(scenario.points.map { FrontEnd.dependencies($0, sees: .truth) })
    guard kinds.count == 1 else {
      throw ScenarioErrors([
        scenario.diagnostic(
          "the sweep has \(kinds.count) kinds of channels, and a data set is one",
          hint: "fix the swept grid, channel, transform, normaliser and speed with --set")
      ])
    }
    point = scenario.points[0]
    let store = FittingStore(folder: nil, pool: pool, progress: progress)
    do {
      (front, context) = try FrontEnd.make(point, sees: .truth, scenario: scenario, store: store)
      key = kinds.first! + "\n" + front.key(.truth)
    } catch let placed as PlacedError {
      throw ScenarioErrors([
        scenario.diagnostic(for: placed.error, section: placed.section, point: placed.point)
      ])
    }
    guard front.transform is AngularDelayTransform else {
      throw ScenarioErrors([
        scenario.diagnostic(
          "a data set needs the transform angular_delay", hint: "--set transform=angular_delay")
      ])
    }
  }

  /// - Throws: `ScenarioErrors` if the domain does not have these drops.
  func require(_ drops: Range<Int>, in domain: StreamKey.Domain) throws {
    guard let available = front.channel.dropCount(in: domain), available < drops.upperBound else {
      return
    }
    throw ScenarioErrors([
      scenario.diagnostic(
        "the recorded data has \(available) drops for '\(domain)', not \(drops.upperBound)",
        hint: "ask for fewer --drops, or change the channel's 'split'")
    ])
  }

  /// Grid and transform that a link needs to use the data.
  public var grid: DatasetManifest.Grid {
    let settings = point.settings[.transform]!
    return DatasetManifest.Grid(
      tones: context.grid.toneCount, spacingHz: context.grid.spacingHz,
      carrierHz: context.grid.carrierHz, ports: context.portCount,
      taps: context.tapCount, guardRows: settings[AngularDelayTransform.guardRows],
      angleDft: settings[AngularDelayTransform.angleDFT].rawValue,
      angleShift: settings[AngularDelayTransform.angleShift],
      portSpacing: front.channel.lineSpacing ?? 0)
  }

  /// A setting of the channel that tells how its numbers are to be read; nil if the model does not have it.
  func channelText(_ key: String) -> String? {
    guard case .text(let text)? = point.settings[.channel]!.values[key] else { return nil }
    return text
  }

  var channelName: String { point.settings[.channel]!.part }

  /// Frequency responses [drop, subcarrier, port] of a block in the first slot.
  public func responses(_ block: DropBlock) throws -> ComplexArray {
    try front.channel.frequencyResponse(block, slots: [0])[0]
  }

  /// A block as rows of a file, with the levels that were taken out of each drop, in decibels.
  struct Rows {
    /// [drop, ...] as the layout says.
    var values: [Float]
    /// What `normalise` of the channel took out, [drop, (slot)].
    var gainDB: [Float]
    /// What the normaliser took out, [drop]; only of layout csinet.
    var normaliserDB: [Float]
  }

  func rows(_ block: DropBlock, _ layout: DatasetRequest.Layout, slots: Int?) throws -> Rows {
    let drawn = try front.channel.normalisedResponse(block, slots: Array(0..<(slots ?? 1)))
    let drops = block.drops.count
    let gains = (0..<drops).flatMap { drop in
      drawn.gains.map { Float(20 * log10($0[drop])) }
    }
    switch layout {
    case .frequency:
      return Rows(values: interleaved(drawn.responses), gainDB: gains, normaliserDB: [])
    case .delay:
      let csi = try drawn.responses.map(front.transform!.forward)
      return Rows(values: interleaved(csi), gainDB: gains, normaliserDB: [])
    case .csinet:
      let sample = try front.sample(drawn.responses[0], seen: drawn.responses[0])
      return Rows(
        values: CSIImages.images(sample.seen).elements, gainDB: gains,
        normaliserDB: sample.gains.map { 20 * log10($0) })
    }
  }

  /// One array [drop, ...] for each slot as floats [drop, slot, ...].
  private func interleaved(_ slots: [ComplexArray]) -> [Float] {
    let size = 2 * slots[0].rowStride
    let drops = slots[0].shape[0]
    return [Float](unsafeUninitializedCapacity: drops * size * slots.count) { target, count in
      for (slot, array) in slots.enumerated() {
        array.withUnsafeFloats { source in
          for drop in 0..<drops {
            (target.baseAddress! + (drop * slots.count + slot) * size)
              .update(from: source + drop * size, count: size)
          }
        }
      }
      count = drops * size * slots.count
    }
  }
}
