import LinkMath
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
}

/// What happens to the codewords between encoder and decoder inside a training, and when it is judged.
public protocol CodewordStep: AnyObject, Sendable {
  /// Whether ``CodewordPass/power`` is wanted.
  var needsPower: Bool { get }

  /// Changes codewords `[sample, M]` in place; called from several threads with different samples when a set is judged.
  func forward(_ codewords: UnsafeMutablePointer<Float>, _ pass: CodewordPass)

  /// Turns the gradient with respect to what ``forward(_:_:)`` gave into that of what it got, in place.
  func backward(_ gradient: UnsafeMutablePointer<Float>, _ pass: CodewordPass)

  /// What training changes in the step, by name, for checkpoints.
  var state: [String: [Float]] { get set }
}

extension CodewordStep {
  /// False.
  public var needsPower: Bool { false }

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
  static func make(_ settings: Settings, seed: UInt64) -> Self?
}
