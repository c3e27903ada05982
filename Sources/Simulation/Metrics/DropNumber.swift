/// A number that a ``Metric`` keeps of each drop at each operating point.
///
/// It is kept in single precision, which is that of the link. A drop whose true channel has no energy in the kept rows or in the band has NaN in all of them; it is counted and left out
/// of the means. Numbers of one name are the same.
public struct DropNumber: Sendable, Hashable, CustomStringConvertible {
  /// What is done with the sum over the slots of a drop.
  public enum Averaging: Sendable {
    /// Nothing.
    case none
    /// It is divided by the reports.
    case reports
    /// It is divided by the served slots.
    case servedSlots
  }

  /// Name in journals and messages.
  public let name: String
  let averaging: Averaging
  /// What a report that was harmed on its way makes of it; nil for nothing at all.
  let whenHarmed: Double?
  /// Whether the drops of an operating point have it.
  let exists: @Sendable (PointConstants) -> Bool
  let resemblance: Resemblance?

  /// - Parameters:
  ///   - name: what journals and messages call it.
  ///   - averaging: what is done with its sum over the slots of a drop.
  ///   - whenHarmed: what a report with unrelated content makes of it; nil if such a drop counts for nothing.
  ///   - exists: whether the drops of an operating point have it; without it the columns are empty.
  public init(
    _ name: String, _ averaging: Averaging, whenHarmed: Double? = nil,
    exists: @escaping @Sendable (PointConstants) -> Bool = { _ in true }
  ) {
    self.init(name, averaging, whenHarmed: whenHarmed, like: nil, exists: exists)
  }

  init(
    _ name: String, _ averaging: Averaging, whenHarmed: Double? = nil, like: Resemblance?,
    exists: @escaping @Sendable (PointConstants) -> Bool = { _ in true }
  ) {
    self.name = name
    self.averaging = averaging
    self.whenHarmed = whenHarmed
    self.exists = exists
    resemblance = like
  }

  /// Numbers of the metrics that every run has, in the order of journals.
  public static let standard: [DropNumber] = MetricRegistry.standard.flatMap { $0.numbers }

  /// The name.
  public var description: String { name }

  /// Whether the names are equal.
  public static func == (a: DropNumber, b: DropNumber) -> Bool { a.name == b.name }
  /// By the name.
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

/// A number of a drop that is not finite although its channel has energy: what a stage gave is out of range.
public struct MetricError: Error, Sendable, CustomStringConvertible {
  /// Which number it is.
  public let number: DropNumber
  /// Its value.
  public let value: Double
  /// Number of the drop.
  public let drop: Int
  /// Swept values of the operating point.
  public let point: [String?]

  /// Drop, point and a hint as a terminal shows them.
  public var description: String {
    let place = point.compactMap { $0 }.joined(separator: ", ")
    return "drop \(drop)\(place.isEmpty ? "" : " of point \(place)"): \(number) is \(value)\n"
      + "  hint: a stage gives numbers beyond single precision; look for huge powers, gains or ranges"
  }
}
