import DataFiles
import LinkMath

/// What `data generate` is asked for, besides the scenario.
public struct DatasetRequest: Sendable {
  /// What a drop looks like in the file.
  public enum Layout: String, Sendable, CaseIterable {
    /// Real [drop, 2, angle, delay], the normalised CSI as 0.5 + 0.5 h: what networks are given.
    case csinet
    /// Complex [drop, (slot,) subcarrier, port], all tones.
    case frequency
    /// Complex [drop, (slot,) delay, angle], truncated, before the normaliser.
    case delay
  }

  /// What a drop looks like in the file.
  public var layout: Layout
  /// The random domain of the drops.
  public var domain: StreamKey.Domain
  /// Number of the first drop.
  public var first: Int
  /// Number of drops.
  public var drops: Int
  /// Slots of each drop; nil for one without a slot axis.
  public var slots: Int?
  /// Drops of a file; chosen from the size of a drop if nil.
  public var shardSize: Int?
  /// Format of the files.
  public var format: Format

  /// A file format; .mat is v5 or v7.3 by the size of a shard.
  public enum Format: String, Sendable, CaseIterable {
    /// The format with this extension.
    case npy, npz, mat, csv, safetensors

    /// The format of a file name's extension; nil if there is none of these.
    public init?(of path: String) {
      guard let suffix = ArrayFormat.suffix(of: path) else { return nil }
      self.init(rawValue: suffix)
    }
  }

  /// A request; the parameters are the properties.
  public init(
    layout: Layout, domain: StreamKey.Domain, first: Int, drops: Int, slots: Int?,
    shardSize: Int?, format: Format
  ) {
    self.layout = layout
    self.domain = domain
    self.first = first
    self.drops = drops
    self.slots = slots
    self.shardSize = shardSize
    self.format = format
  }
}
