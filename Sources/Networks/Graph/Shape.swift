/// Shape of one sample: a map `[channel, row, column]`, row-major.
///
/// A flat vector of N values is `[1, 1, N]`, a sequence of T tokens of D features is `[1, T, D]`.
public struct Shape: Hashable, Sendable, CustomStringConvertible {
  /// Planes.
  public let channels: Int
  /// Rows of a plane.
  public let height: Int
  /// Columns of a plane.
  public let width: Int

  /// A map; all axes are positive.
  public init(_ channels: Int, _ height: Int, _ width: Int) {
    precondition(channels > 0 && height > 0 && width > 0, "a shape has positive axes")
    self.channels = channels
    self.height = height
    self.width = width
  }

  /// A flat vector.
  public static func vector(_ count: Int) -> Shape { Shape(1, 1, count) }

  /// Number of values of one sample.
  public var count: Int { channels * height * width }

  /// Values of one channel.
  public var plane: Int { height * width }

  /// Axes with a cross between, leading ones of 1 left out.
  public var description: String {
    if channels == 1 && height == 1 { return "\(width)" }
    return channels == 1 ? "\(height)×\(width)" : "\(channels)×\(height)×\(width)"
  }
}
