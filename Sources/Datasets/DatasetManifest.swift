import DataFiles
import Foundation

/// What a data set made by `data generate` is: its recipe, the meaning of its numbers, and the digests of its files.
///
/// Equal recipes give equal manifests: nothing in it depends on when, where or with how many threads it was made.
public struct DatasetManifest: Codable, Sendable, Equatable {
  /// One file, or several if the format holds one array each, with a run of drops.
  public struct Shard: Codable, Sendable, Equatable {
    /// A file of the shard.
    public struct File: Codable, Sendable, Equatable {
      /// Its name in the folder of the manifest.
      public let name: String
      /// Its size in bytes.
      public let bytes: Int
      /// SHA-256 of the file.
      public let sha256: String

      /// A file with its size and digest.
      public init(name: String, bytes: Int, sha256: String) {
        self.name = name
        self.bytes = bytes
        self.sha256 = sha256
      }
    }

    /// Number of the first drop.
    public let first: Int
    /// Number of drops.
    public let drops: Int
    /// The file with the channels, then those with other arrays.
    public let files: [File]

    /// A run of drops and the files that hold them.
    public init(first: Int, drops: Int, files: [File]) {
      self.first = first
      self.drops = drops
      self.files = files
    }
  }

  /// How an array is to be read.
  public struct Array: Codable, Sendable, Equatable {
    /// Name of the array in its file.
    public let name: String
    /// `float32` or `complex64`.
    public let type: String
    /// What each axis counts, the first being the drop.
    public let axes: [String]
    /// Lengths of the axes after the first.
    public let dropShape: [Int]
    /// One sentence on what the numbers are.
    public let meaning: String

    /// An array; the parameters are the properties.
    public init(name: String, type: String, axes: [String], dropShape: [Int], meaning: String) {
      self.name = name
      self.type = type
      self.axes = axes
      self.dropShape = dropShape
      self.meaning = meaning
    }
  }

  /// The OFDM grid and the angular-delay transform that a link needs to use the data.
  public struct Grid: Codable, Sendable, Equatable {
    /// Tones Nc.
    public let tones: Int
    /// Sub-carrier spacing Δf in hertz.
    public let spacingHz: Double
    /// Carrier frequency in hertz.
    public let carrierHz: Double
    /// BS antenna ports Nt.
    public let ports: Int
    /// Delay rows that the transform keeps.
    public let taps: Int
    /// Of the delay rows, those before delay zero.
    public let guardRows: Int
    /// Direction of the DFT over ports, `forward` or `inverse`.
    public let angleDft: String
    /// Columns that the angles are rotated by.
    public let angleShift: Int
    /// Distance of neighbouring ports of one line of antennas in wavelengths, 0 if they are no such line; nil if unknown.
    public let portSpacing: Double?

    /// A grid; the parameters are the properties.
    public init(
      tones: Int, spacingHz: Double, carrierHz: Double, ports: Int, taps: Int, guardRows: Int,
      angleDft: String, angleShift: Int, portSpacing: Double? = nil
    ) {
      self.tones = tones
      self.spacingHz = spacingHz
      self.carrierHz = carrierHz
      self.ports = ports
      self.taps = taps
      self.guardRows = guardRows
      self.angleDft = angleDft
      self.angleShift = angleShift
      self.portSpacing = portSpacing
    }
  }

  /// Name of the file in the folder of the data set.
  public static let fileName = "manifest.json"
  /// The format that this program writes and reads.
  public static let currentFormat = "csilink dataset 1"

  /// Format of the manifest.
  public var format = DatasetManifest.currentFormat
  /// SHA-256 of everything that the content of a drop and of a file depends on.
  public var recipe: String
  /// Name of the scenario.
  public var name: String
  /// Release of the program that made it.
  public var version: String
  /// Kernel family of the processor; the last digits may differ between families.
  public var kernel: String
  /// Seed of the scenario.
  public var seed: UInt64
  /// Random domain of the drops, such as run or train.
  public var domain: String
  /// Number of the first drop.
  public var first: Int
  /// Number of drops.
  public var drops: Int
  /// Layout of the channels: csinet, frequency or delay.
  public var layout: String
  /// Extension of the files: npy, npz, mat, csv or safetensors.
  public var fileFormat: String
  /// Drops in each shard but the last.
  public var shardSize: Int
  /// The arrays, the channels first.
  public var arrays: [Array]
  /// Grid and transform.
  public var grid: Grid
  /// What was done to the power of each drop, and how delays are counted.
  public var conventions: [String: String]
  /// The scenario with all defaults.
  public var scenario: String
  /// Whether all shards are there.
  public var isComplete = false
  /// The shards that are written, in the order of their drops.
  public var shards: [Shard] = []

  /// A data set of which nothing is written yet; the parameters are the properties.
  public init(
    recipe: String, name: String, version: String, kernel: String, seed: UInt64, domain: String,
    first: Int, drops: Int, layout: String, fileFormat: String, shardSize: Int, arrays: [Array],
    grid: Grid, conventions: [String: String], scenario: String
  ) {
    self.recipe = recipe
    self.name = name
    self.version = version
    self.kernel = kernel
    self.seed = seed
    self.domain = domain
    self.first = first
    self.drops = drops
    self.layout = layout
    self.fileFormat = fileFormat
    self.shardSize = shardSize
    self.arrays = arrays
    self.grid = grid
    self.conventions = conventions
    self.scenario = scenario
  }

  /// Reads a manifest; nil if there is no such file.
  ///
  /// - Throws: if it is none of a data set, or has values that cannot be.
  public static func read(_ path: String) throws(DataFileError) -> DatasetManifest? {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let manifest: DatasetManifest
    do {
      let data = try Data(contentsOf: URL(filePath: path))
      manifest = try decoder.decode(DatasetManifest.self, from: data)
    } catch {
      throw DataFileError(
        file: path, expected: "the manifest of a data set", found: "other JSON, or none")
    }
    guard manifest.format == currentFormat else {
      throw DataFileError(
        file: path, expected: "a manifest of format '\(currentFormat)'",
        found: "'\(manifest.format)'")
    }
    try manifest.check(path)
    return manifest
  }

  /// Writes the manifest as JSON, the whole file or nothing.
  ///
  /// - Throws: `DataFileError` if it cannot be written.
  public func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let text = String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    try AtomicFile.write(text, to: path)
  }
}
