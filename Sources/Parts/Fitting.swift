import LinkMath

/// Named arrays that a part learned from drops: what a safetensors file holds.
public struct Artefact: Sendable, Equatable {
  /// The arrays by name.
  public var arrays: [String: RealArray]
  /// An artefact of named arrays.
  public init(_ arrays: [String: RealArray] = [:]) { self.arrays = arrays }

  /// The array of that name; nil if there is none.
  public subscript(_ name: String) -> RealArray? { arrays[name] }
}

/// What reaches a stage: the input that a part is fitted on.
public enum StageInput: Sendable {
  /// Frequency response [drop, subcarrier, port] (channel and estimator parts).
  case response(ComplexArray)
  /// Angular-delay CSI [drop, delay, angle] (normaliser and codec parts; the codec's is normalised).
  case csi(ComplexArray)
  /// Codewords [drop, M] (quantisers and feedback links).
  case codeword(RealArray)
  /// Symbols of each drop's codeword (coders).
  case symbols([[UInt32]])
}

/// Accumulates the inputs of a stage over drops, in drop order, and turns them into an artefact.
public protocol Fitter: Sendable {
  /// Takes in the next drops, in drop order.
  mutating func add(_ input: StageInput)
  /// - Throws: if the drops do not determine the result (too few, no energy).
  func finish() throws -> Artefact
  /// ``finish()`` on several threads, where that helps; the result does not depend on their number.
  func finish(on pool: WorkerPool) throws -> Artefact
}

extension Fitter {
  /// On the calling thread.
  public func finish(on pool: WorkerPool) throws -> Artefact { try finish() }
}

/// A request for drops to learn from. They come from their own random domain (`fit`), never from the evaluated drops.
public struct Fitting: Sendable {
  /// Which channel the stage in front of the fit works on.
  public enum Source: String, Choice {
    /// The stage sees the true channel.
    case truth
    /// The stage sees the estimate of the scenario's pilots and estimator.
    case estimate
  }

  /// How many drops are needed.
  public let dropCount: Int
  /// Which channel the drops show.
  public let source: Source
  /// Names what the result depends on besides the stages before: equal signatures share one artefact.
  public let signature: String
  /// Names and shapes of the arrays that the artefact will have.
  public let shapes: [String: [Int]]
  /// Makes an accumulator that has seen no drop.
  public let makeFitter: @Sendable () -> any Fitter

  /// A request; the parameters are the properties.
  public init(
    dropCount: Int, source: Source = .truth, signature: String, shapes: [String: [Int]],
    makeFitter: @escaping @Sendable () -> any Fitter
  ) {
    self.dropCount = dropCount
    self.source = source
    self.signature = signature
    self.shapes = shapes
    self.makeFitter = makeFitter
  }

  /// The same request for fewer drops.
  public func limited(to count: Int) -> Fitting {
    Fitting(
      dropCount: min(count, dropCount), source: source, signature: signature, shapes: shapes,
      makeFitter: makeFitter)
  }

  /// An artefact of the right shapes without meaning, for checking a scenario without fitting; values ascend along the
  /// last axis from 1, so that ranges and levels made of them are legal.
  public var placeholder: Artefact {
    Artefact(
      shapes.mapValues { shape in
        let width = max(shape.last ?? 1, 1)
        return RealArray((0..<shape.reduce(1, *)).map { Float(1 + $0 % width) }, shape: shape)
      })
  }
}
