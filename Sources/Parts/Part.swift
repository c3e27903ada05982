import LinkMath

/// A pluggable part of the link: one type that says what it is called, what it can be told, and how it is made.
///
/// A new part is one file with such a type and one line in the registry of its stage; the scenario schema,
/// `csilink list` and the documentation follow from ``schema``.
public protocol Part: Sendable {
  /// Section, name, summary, reference and parameters, as scenarios and `csilink list` use them.
  static var schema: PartSchema { get }

  /// - Parameters:
  ///   - settings: checked against ``schema``, defaults filled in.
  ///   - context: what the stages before this one decided.
  ///   - fitted: the result of ``fitting(_:in:)``; nil if that returns nil.
  /// - Throws: ``SettingsError`` if settings do not go together or with the context; a file error for files they name.
  init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws

  /// How to learn what this part needs from drops of the channel; nil if it needs nothing.
  static func fitting(_ settings: Settings, in context: LinkContext) throws -> Fitting?

  /// Paths of the files whose content decides what the part does; they need not exist.
  static func files(_ settings: Settings, in context: LinkContext) -> [String]
}

extension Part {
  /// Nothing to learn.
  public static func fitting(_ settings: Settings, in context: LinkContext) throws -> Fitting? {
    nil
  }

  /// The values of the keys that are files.
  public static func files(_ settings: Settings, in context: LinkContext) -> [String] {
    schema.parameters.flatMap { parameter in
      settings.values[parameter.key].map { parameter.kind.files($0).map(context.path) } ?? []
    }
  }
}

/// What the earlier stages of a link have settled when a part is made.
public struct LinkContext: Sendable {
  /// OFDM grid: tone k lies at k · spacing above the lowest tone.
  public struct Grid: Sendable, Hashable {
    /// Number of tones Nc.
    public var toneCount: Int
    /// Sub-carrier spacing Δf in hertz.
    public var spacingHz: Double
    /// Carrier frequency in hertz.
    public var carrierHz: Double
    /// A grid of equally spaced tones around a carrier.
    public init(toneCount: Int, spacingHz: Double, carrierHz: Double) {
      self.toneCount = toneCount
      self.spacingHz = spacingHz
      self.carrierHz = carrierHz
    }
    /// Nc · Δf in hertz.
    public var bandwidthHz: Double { Double(toneCount) * spacingHz }
  }

  /// Tones and carrier.
  public var grid: Grid
  /// Duration of a slot in seconds.
  public var slotSeconds: Double
  /// Speed of the UE in metres per second.
  public var speed: Double
  /// The scenario's seed.
  public var seed: UInt64
  /// Folder that relative file names of the scenario start from.
  public var directory: String
  /// BS antenna ports Nt; set once the channel is made.
  public var portCount = 0
  /// Rows of a drop's CSI, such as kept delays; set once the transform is made.
  public var tapCount = 0
  /// What the entries of CSI are; set once the transform is made.
  public var csiForm = CSIForm.angularDelay
  /// The rule that brings the CSI to the codec's scale, as scenarios name it; set once the normaliser is made.
  public var normaliser = ""
  /// Reals in a codeword, M; set once the codec is made.
  public var codewordLength = 0
  /// Levels of each symbol of a quantised codeword; empty if it is sent as real numbers. Set once the quantiser is made.
  public var alphabets: [Int] = []
  /// What the training of the codec left for its quantiser; set once the codec is made.
  public var trainedQuantizer: Artefact?
  /// What the pilots settle for the estimator and the downlink; set once the pilot scheme is made.
  public var pilots = Pilots()
  /// What parts choose from, where it is not the standard one.
  public var catalogues = Catalogues()
  /// What several parts use; one for all parts of a scenario.
  public var shared = SharedObjects()

  /// What the entries of CSI are.
  public enum CSIForm: Sendable, Hashable {
    /// Coefficients [delay, angle] in the channel's scale.
    case angularDelay
    /// Unit vectors [subband, port], without scale and phase.
    case subbandDirections
  }

  /// What a pilot scheme tells the stages behind it.
  public struct Pilots: Sendable, Hashable {
    /// Every how many tones carry pilots, starting with tone 0.
    public var toneSpacing = 1
    /// Variance σ²/c of the least-squares error of each entry.
    public var errorVariance = 0.0
    /// In dB; the default of the data SNR of the downlink.
    public var snrDB = 0.0
    /// Pilots on every tone without noise.
    public init() {}
  }

  /// What is known before the first stage of a link is made.
  public init(
    grid: Grid, slotSeconds: Double = 1e-3, speed: Double = 0, seed: UInt64 = 1,
    directory: String = "."
  ) {
    self.grid = grid
    self.slotSeconds = slotSeconds
    self.speed = speed
    self.seed = seed
    self.directory = directory
  }

  /// A file name of the scenario as a path from the working directory.
  public func path(_ file: String) -> String {
    file.hasPrefix("/") ? file : directory + "/" + file
  }
}

/// The drops that one pass through the link works on, with the channel of one user in each.
public struct DropBlock: Sendable, Hashable {
  /// Numbers of the drops within the domain.
  public let drops: Range<Int>
  /// The user whose channels these are.
  public let user: Int
  /// Users of a drop.
  public let users: Int
  /// The set that the drops belong to.
  public let domain: StreamKey.Domain
  /// The scenario's seed.
  public let seed: UInt64

  /// The drops of a range; those of the evaluation if no domain is given, with a single user if none is.
  public init(
    _ drops: Range<Int>, user: Int = 0, of users: Int = 1, domain: StreamKey.Domain = .run,
    seed: UInt64
  ) {
    precondition((0..<users).contains(user), "user \(user) of \(users)")
    self.drops = drops
    (self.user, self.users) = (user, users)
    self.domain = domain
    self.seed = seed
  }

  /// The block in parts of at most `size` drops.
  public func parts(of size: Int) -> [DropBlock] {
    stride(from: drops.lowerBound, to: drops.upperBound, by: size).map {
      DropBlock(
        $0..<min($0 + size, drops.upperBound), user: user, of: users, domain: domain, seed: seed)
    }
  }

  /// The same drops for each of some users, whose channels and noise are independent.
  public func each(of users: Int) -> [DropBlock] {
    (0..<users).map { DropBlock(drops, user: $0, of: users, domain: domain, seed: seed) }
  }

  /// The random stream of the i-th drop of the block for one purpose.
  public func stream(
    _ i: Int, slot: Int = 0, _ purpose: StreamKey.Purpose, instance: Int = 0
  ) -> RandomStream {
    StreamKey(seed: seed, domain: domain, purpose: purpose, instance: instance)
      .stream(drop: drops.lowerBound + i, slot: slot, user: user)
  }
}
