import CKernels

/// What a random stream is for. Streams of different domains, purposes, drops, slots or instances never overlap.
public struct StreamKey: Sendable, Hashable {
  /// Which set of drops is drawn: results never share drops with what was fitted or trained.
  public enum Domain: UInt32, Sendable, CaseIterable {
    /// Drops that a run evaluates.
    case run
    /// Drops that networks are trained on, and their order.
    case train
    /// Drops that the best epoch is chosen on.
    case validation
    /// Drops that a trained network is measured on at the end.
    case test
    /// First values of weights; no drops.
    case initialisation
    /// Drops that parts are fitted on.
    case fit
  }

  /// Which stage draws.
  public enum Purpose: UInt32, Sendable, CaseIterable {
    /// Small-scale fading: amplitudes and phases of paths.
    case channel
    /// Change of the channel over slots.
    case doppler
    /// Common rotation of the departure azimuths of a drop.
    case rotation
    /// Noise on received pilots.
    case pilotNoise
    /// Noise on the feedback link.
    case feedbackNoise
    /// Gains of the feedback link.
    case fading
    /// First values of weights and of iterations.
    case initialisation
    /// Places, ways, clusters and the coupling of their rays.
    case geometry
    /// Order of samples in training.
    case selection
    /// What all drops of a cell share.
    case environment
    /// What the BS takes for CSI when it has none.
    case guess
  }

  /// The scenario's seed: the 64-bit key of the generator.
  public let seed: UInt64
  /// The set of drops that the stream belongs to.
  public let domain: Domain
  /// The stage that draws.
  public let purpose: Purpose
  /// Several streams for one purpose (ray, layer, branch), below 4096.
  public let instance: UInt32

  /// The key of all streams for one purpose.
  ///
  /// - Precondition: `0 <= instance < 4096`.
  public init(seed: UInt64, domain: Domain, purpose: Purpose, instance: Int = 0) {
    precondition((0..<4096).contains(instance), "stream instance \(instance) outside 0..<4096")
    self.seed = seed
    self.domain = domain
    self.purpose = purpose
    self.instance = UInt32(instance)
  }

  /// The stream of one user of a drop in one slot.
  ///
  /// The mapping to the 64-bit key and the 96 counter bits is injective: seed is the key; the counter holds user (8 bits), slot
  /// (24 bits), drop (40 bits), domain (4), purpose (8) and instance (12).
  /// The operating point is not part of it, so all points of a sweep see the same drops and the same noise.
  ///
  /// - Precondition: `0 <= drop < 2^40`, `0 <= slot < 2^24`, `0 <= user < 256`.
  public func stream(drop: Int, slot: Int = 0, user: Int = 0) -> RandomStream {
    precondition(drop >= 0 && drop < 1 << 40, "drop \(drop) outside 0..<2^40")
    precondition(slot >= 0 && slot < 1 << 24, "slot \(slot) outside 0..<2^24")
    precondition(user >= 0 && user < 1 << 8, "user \(user) outside 0..<256")
    let word3 =
      domain.rawValue << 28 | purpose.rawValue << 20 | instance << 8 | UInt32(drop >> 32)
    return RandomStream(
      key: (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)),
      counter: (0, UInt32(user << 24 | slot), UInt32(truncatingIfNeeded: drop), word3))
  }
}

/// A Philox4x32-10 stream: a counter-based generator whose i-th value needs no other one.
///
/// Reference: J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, doi:10.1145/2063384.2063405.
/// Successive calls continue the stream; a fill starts on a block of four words.
public struct RandomStream: Sendable {
  private var philox: csk_philox
  private var words: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
  private var unread = 0

  /// The stream that starts at a 128-bit counter under a 64-bit key, least significant words first.
  public init(key: (UInt32, UInt32), counter: (UInt32, UInt32, UInt32, UInt32)) {
    philox = csk_philox(key: key, counter: counter)
  }

  /// The next 32 random bits.
  public mutating func nextWord() -> UInt32 {
    if unread == 0 {
      withUnsafeMutablePointer(to: &words) {
        $0.withMemoryRebound(to: UInt32.self, capacity: 4) { csk_philox_block(&philox, $0) }
      }
      philox.counter.0 &+= 1
      unread = 4
    }
    unread -= 1
    return switch unread {
    case 3: words.0
    case 2: words.1
    case 1: words.2
    default: words.3
    }
  }

  /// A double in [0, 1) with 53 random bits.
  public mutating func uniform() -> Double {
    let high = UInt64(nextWord()) >> 5
    let low = UInt64(nextWord()) >> 6
    return Double(high << 26 | low) * 0x1p-53
  }

  /// A double in a half-open range.
  public mutating func uniform(in range: Range<Double>) -> Double {
    range.lowerBound + uniform() * (range.upperBound - range.lowerBound)
  }

  /// An integer in 0..<bound, exactly uniform (rejection).
  public mutating func uniform(below bound: Int) -> Int {
    precondition(bound > 0 && bound <= 1 << 31)
    let limit = UInt32.max - (UInt32.max % UInt32(bound) + 1) % UInt32(bound)
    while true {
      let word = nextWord()
      if word <= limit { return Int(word % UInt32(bound)) }
    }
  }

  /// A uniformly random order of 0..<count (Fisher-Yates).
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for i in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(i, uniform(below: i + 1))
    }
    return order
  }

  private mutating func advance(pastWords count: Int) {
    unread = 0
    philox.counter.0 &+= UInt32(truncatingIfNeeded: (count + 3) / 4)
  }

  /// Normal values come in chunks of 192 from 32 blocks.
  private mutating func advance(pastNormals count: Int) {
    unread = 0
    philox.counter.0 &+= UInt32(truncatingIfNeeded: (count + 191) / 192 * 32)
  }

  /// Fills with 32-bit words.
  public mutating func fill(words target: UnsafeMutableBufferPointer<UInt32>) {
    csk_philox_words(&philox, target.baseAddress, target.count)
    advance(pastWords: target.count)
  }

  /// Independent standard normal values, times `scale`.
  public mutating func fillNormal(
    _ target: UnsafeMutableBufferPointer<Float>, scale: Float = 1
  ) {
    csk_gaussian_fill(&philox, scale, target.baseAddress, target.count)
    advance(pastNormals: target.count)
  }

  /// `values[i] = gain · values[i] + scale · g[i]`, g standard normal. O(count), about a nanosecond each.
  ///
  /// Consecutive calls continue the stream as one long fill does if all counts but the last are multiples of 192.
  public mutating func addNormal(
    to values: UnsafeMutableBufferPointer<Float>, gain: Float = 1, scale: Float
  ) {
    csk_gaussian_add(&philox, scale, gain, values.baseAddress, values.baseAddress, values.count)
    advance(pastNormals: values.count)
  }

  /// Independent standard normal values.
  public mutating func normal(count: Int) -> [Float] {
    Array(unsafeUninitializedCapacity: count) { buffer, initialized in
      fillNormal(UnsafeMutableBufferPointer(rebasing: buffer[0..<count]))
      initialized = count
    }
  }
}
