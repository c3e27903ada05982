import LinkMath
import Networks
import Parts

/// The codewords that a ``CodewordStep`` sees at once.
public struct CodewordPass: Sendable {
  /// Training, validation or test.
  public let domain: StreamKey.Domain
  /// From 0; 0 outside of training.
  public let epoch: Int
  /// Number of the first sample in its epoch or set, which with the epoch selects random streams.
  public let first: Int
  /// Codewords.
  public let samples: Int
  /// Values of a codeword, M.
  public let length: Int
  /// Mean square of all codewords of the batch or set; nil unless the step asks for it.
  public let power: Double?

  /// What a codeword is filled with that the decoder never gets: its reconstruction is CSI without energy, and it moves nothing.
  public static let lost = Float(bitPattern: 0x7fc0_10c7)

  /// Whether gradients follow; otherwise the step acts as at test time.
  public var isTraining: Bool { domain == .train }

  /// A pass over codewords.
  public init(
    domain: StreamKey.Domain, epoch: Int, first: Int, samples: Int, length: Int,
    power: Double? = nil
  ) {
    (self.domain, self.epoch, self.first) = (domain, epoch, first)
    (self.samples, self.length, self.power) = (samples, length, power)
  }
}

/// What happens to the codewords between encoder and decoder inside a training, and when it is judged.
///
/// A training calls ``begin(_:)`` once, then for each batch ``forward(_:_:)``, ``backward(_:_:)`` (unless the encoder is frozen) and,
/// behind the update of its ``parameters`` by the optimiser of the stage, ``finishUpdate()``, and after each epoch ``endEpoch(_:)``
/// before the validation.
public protocol CodewordStep: AnyObject, Sendable {
  /// Whether ``CodewordPass/power`` is wanted.
  var needsPower: Bool { get }

  /// Values that the optimiser of a stage moves, nil for none; the passes set their gradients, of which only
  /// ``forward(_:_:)`` runs while the encoder is frozen.
  var parameters: TrainableValues? { get }

  /// Codewords of the training set that `begin` and `endEpoch` want to see, at most.
  var sampleCount: Int { get }

  /// Sets up what depends on codewords, before the first epoch.
  ///
  /// - Parameter sample: codewords `[sample, M]` of the untrained encoder, normalised as in training.
  /// - Throws: ``TrainingError`` for codewords that it cannot start from.
  func begin(_ sample: RealArray) throws

  /// Changes codewords `[sample, M]` in place; called from several threads with different samples when a set is judged. The
  /// last step may fill a codeword that does not arrive with ``CodewordPass/lost``.
  ///
  /// - Returns: what the step adds to the loss; its gradient with respect to the codewords is added by ``backward(_:_:)``.
  func forward(_ codewords: UnsafeMutablePointer<Float>, _ pass: CodewordPass) -> Double

  /// Turns the gradient with respect to what the last ``forward(_:_:)`` gave into that of what it got, in place.
  func backward(_ gradient: UnsafeMutablePointer<Float>, _ pass: CodewordPass)

  /// Restores what the optimiser may have broken, such as the order of codewords.
  ///
  /// - Throws: ``TrainingError`` for parameters that are not finite.
  func finishUpdate() throws

  /// Adapts the step to the encoder after an epoch.
  ///
  /// - Parameter sample: codewords `[sample, M]` as at test time.
  /// - Returns: places of ``parameters`` that were set anew; the optimiser forgets what it carries of them.
  /// - Throws: ``TrainingError`` for codewords that it cannot go on from.
  func endEpoch(_ sample: RealArray) throws -> [Range<Int>]

  /// What training changes in the step, by name, for checkpoints.
  var state: [String: [Float]] { get set }

  /// What a link needs to do the same to the codewords of the trained network, by name; stored with the weights.
  var tables: [String: RealArray] { get }
}

extension CodewordStep {
  /// False.
  public var needsPower: Bool { false }

  /// None.
  public var parameters: TrainableValues? { nil }

  /// None.
  public var sampleCount: Int { 0 }

  /// Nothing.
  public func begin(_ sample: RealArray) throws {}

  /// Nothing.
  public func finishUpdate() throws {}

  /// Nothing.
  public func endEpoch(_ sample: RealArray) throws -> [Range<Int>] { [] }

  /// None.
  public var tables: [String: RealArray] { [:] }

  /// The gradient passes unchanged.
  public func backward(_ gradient: UnsafeMutablePointer<Float>, _ pass: CodewordPass) {}

  /// Nothing.
  public var state: [String: [Float]] {
    get { [:] }
    set {}
  }
}

/// A step that scenarios can switch on.
public protocol CodewordStepPart: TrainingPart, CodewordStep {
  /// The step that the settings ask for; nil if they do not.
  ///
  /// - Parameters:
  ///   - settings: those of `training:`.
  ///   - network: whose codewords it changes.
  ///   - seed: of random streams.
  /// - Throws: `SettingsError` for settings that do not go together or with the network.
  static func make(_ settings: Settings, for network: NetworkChoice, seed: UInt64)
    throws(SettingsError) -> Self?

  /// The same for a step that has to know the quantiser before it.
  static func make(
    _ settings: Settings, for network: NetworkChoice, seed: UInt64,
    behind quantizer: (any QuantizerStepPart)?
  ) throws(SettingsError) -> Self?
}

extension CodewordStepPart {
  /// A step that does not ask for the quantiser.
  public static func make(
    _ settings: Settings, for network: NetworkChoice, seed: UInt64,
    behind quantizer: (any QuantizerStepPart)?
  ) throws(SettingsError) -> Self? {
    try make(settings, for: network, seed: seed)
  }
}
