/// Everything a finished run hands to the reports.
public struct RunResult: Sendable {
  /// Name of the scenario.
  public let scenarioName: String
  /// Description of the scenario; empty if it has none.
  public let description: String
  /// Swept paths, in the order of the coordinates.
  public let axes: [String]
  /// The columns of the report behind the swept keys.
  public let columns: [Column]
  /// The results in the order of the operating points.
  public let points: [PointSummary]
  /// Seed of the random numbers.
  public let seed: UInt64
  /// Digests of what the result depends on.
  public let provenance: Provenance
  /// Resolved scenario as YAML.
  public let resolvedScenario: String
  /// The folder that relative file names of the scenario start from, as it was given.
  public let scenarioFolder: String
  /// Of each operating point the drops with the largest errors, the largest first; empty if none are asked for.
  public let worst: [[WorstDrop]]
  /// Whether all drops of some channel lie in one environment that the seed drew, so that they are independent within it
  /// only.
  public let sharesEnvironment: Bool
  /// The figures to draw of it; the usual ones if nil.
  public let plots: [FigureRequest]?

  /// A result; the parameters are the properties.
  package init(
    scenarioName: String, description: String, axes: [String],
    columns: [Column] = Column.standard, points: [PointSummary], seed: UInt64,
    provenance: Provenance, resolvedScenario: String, sharesEnvironment: Bool,
    plots: [FigureRequest]? = nil, scenarioFolder: String = ".", worst: [[WorstDrop]] = []
  ) {
    self.scenarioName = scenarioName
    self.description = description
    self.axes = axes
    self.columns = columns
    self.points = points
    self.seed = seed
    self.provenance = provenance
    self.resolvedScenario = resolvedScenario
    self.sharesEnvironment = sharesEnvironment
    self.plots = plots
    self.scenarioFolder = scenarioFolder
    self.worst = worst
  }
}

/// What a result depends on.
public struct Provenance: Sendable, Hashable, Codable {
  /// SHA-256 of the canonical scenario; the first 16 digits.
  public var scenarioDigest: String
  /// SHA-256 of the recorded data; empty for models.
  public var dataDigest: String
  /// SHA-256 of the network weights; empty without a network.
  public var weightsDigest: String
  /// SHA-256 of the program file; the first 16 digits.
  public var build: String
  /// Rounding class of the kernels.
  public var kernel: String
  /// Release of the program.
  public var version: String

  /// The digests of a run; the parameters are the properties.
  public init(
    scenarioDigest: String, dataDigest: String, weightsDigest: String, build: String,
    kernel: String, version: String
  ) {
    self.scenarioDigest = scenarioDigest
    self.dataDigest = dataDigest
    self.weightsDigest = weightsDigest
    self.build = build
    self.kernel = kernel
    self.version = version
  }
}
