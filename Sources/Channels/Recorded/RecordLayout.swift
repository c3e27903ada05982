import DataFiles
import Parts

/// How the numbers of a file become matrices.
package struct RecordLayout: Sendable {
  /// What the matrices of a file hold.
  package enum Kind: String, Choice {
    /// Real values in [0, 1], 0.5 is zero: (re, im) x angle x delay, of any rank.
    case csinet
    /// Complex response over tones and ports.
    case frequency
    /// Complex angular-delay matrix.
    case delay

    /// Rows and columns of a matrix.
    package var matrixAxes: (Axis, Axis) { self == .frequency ? (.tone, .port) : (.delay, .angle) }
  }

  /// What an axis of a complex array counts.
  package enum Axis: String, Choice { case drop, slot, tone, port, delay, angle }

  static let kind = Parameter<Kind>.choice(
    "layout", default: .csinet,
    """
    csinet: real angular-delay values in [0, 1] around 0.5, (re, im) x angle x delay, the public data sets' form; \
    frequency: complex, tones and ports; delay: complex, delay taps and angles.
    """)
  static let axes = Parameter<[Axis]?>.optional(
    "axes", .list(.choice(Axis.allCases.map(\.rawValue)), count: 2...4),
    """
    Meaning of each axis of a complex array; [drop, tone, port] or [drop, delay, angle] if left out. The \
    second may be slot, or again drop to take its entries as drops of their own. Data of one antenna need no port or angle.
    """)
  static let ports = Parameter<Int?>.optional(
    "ports", .integer(1...4096), "Angles, which is ports Nt, of layout csinet; 32 if left out.")

  static let parameters = [kind.declaration, axes.declaration, ports.declaration]

  /// What the matrices hold.
  package let kind: Kind
  /// Ports Nt, or angles, of a record.
  package let portCount: Int
  /// Tones or delay taps of a record.
  package let rowCount: Int
  /// The port or angle axis comes before the other one in the file.
  package let isTransposed: Bool
  /// Entries of the second of four axes, else 1.
  package let snapshotCount: Int
  /// Whether snapshots are slots of one drop; else each is a drop.
  package let hasSlots: Bool

  /// Floats of one matrix.
  package var recordSize: Int { 2 * rowCount * portCount }

  /// Drops in a file of so many rows along its first axis.
  package func recordCount(fileRows: Int) -> Int { hasSlots ? fileRows : fileRows * snapshotCount }

  /// - Throws: if the array does not have this layout.
  init(_ settings: Settings, _ info: ArrayInfo, path: String) throws {
    let kind = settings[Self.kind]
    try settings.refuse(Self.axes, unless: kind != .csinet, "layout: frequency or delay")
    try settings.refuse(Self.ports, unless: kind == .csinet, "layout: csinet")
    let axes = settings[Self.axes]
    if kind != .csinet, let axes, let reason = Self.complaint(axes, kind) {
      throw SettingsError(
        part: settings.part, key: Self.axes.key, reason: reason,
        hint: "such as [drop, slot, \(kind.matrixAxes.1), \(kind.matrixAxes.0)]")
    }
    try self.init(kind, axes: axes, ports: settings[Self.ports], info, path: path)
  }

  /// - Parameters:
  ///   - axes: of a complex array, without complaints; the usual ones if nil.
  ///   - ports: angles of layout csinet; 32 if nil.
  /// - Throws: if the array does not have this layout.
  package init(_ kind: Kind, axes: [Axis]?, ports: Int?, _ info: ArrayInfo, path: String)
    throws(DataFileError)
  {
    self.kind = kind
    if kind == .csinet {
      portCount = ports ?? 32
      rowCount = try Self.csinetTaps(info, path, angles: portCount)
      (isTransposed, snapshotCount, hasSlots) = (true, 1, false)
      return
    }
    let (row, column) = kind.matrixAxes
    let axes = axes ?? [.drop, row, column]
    guard info.isComplex, info.shape.count == axes.count, !info.shape.contains(0) else {
      throw DataFileError(
        file: path, variable: info.name,
        expected: "a complex array [\(axes.map(\.rawValue).joined(separator: ", "))]",
        found: info.description,
        hint: "'axes' names the axes of the array, 'layout: csinet' reads real values")
    }
    let leading = axes.prefix { $0 == .drop || $0 == .slot }.count
    let matrix = info.shape.dropFirst(leading)
    isTransposed = matrix.count == 2 && axes.last == row
    rowCount = isTransposed ? matrix.last! : matrix.first!
    portCount = matrix.count == 1 ? 1 : isTransposed ? matrix.first! : matrix.last!
    snapshotCount = leading == 2 ? info.shape[1] : 1
    hasSlots = axes[1] == .slot
  }

  private static func csinetTaps(_ info: ArrayInfo, _ path: String, angles: Int)
    throws(DataFileError) -> Int
  {
    let values = info.shape.dropFirst().reduce(1, *)
    let isFlat = !info.isComplex && info.shape.count > 1 && values > 0
    guard isFlat, info.rowCount > 0, values % (2 * angles) == 0 else {
      throw DataFileError(
        file: path, variable: info.name,
        expected: "real rows of 2 x \(angles) angles x delays", found: info.description,
        hint: info.isComplex ? "complex arrays are read with 'layout: frequency' or 'delay'" : nil)
    }
    return values / (2 * angles)
  }

  /// What is wrong with the axes of a complex array; nil if nothing is.
  package static func complaint(_ axes: [Axis], _ kind: Kind) -> String? {
    let (row, column) = kind.matrixAxes
    let leading = axes.prefix { $0 == .drop || $0 == .slot }
    let matrix = axes.dropFirst(leading.count)
    let isMatrix = matrix == [row] || (matrix.count == 2 && Set(matrix) == [row, column])
    guard isMatrix, leading == [.drop] || leading == [.drop, .slot] || leading == [.drop, .drop]
    else {
      return
        "must be drop, then possibly slot or drop, then \(row) and \(column) in any order, or \(row) alone"
    }
    return nil
  }

  /// Copies one record into a matrix whose rows are tones or delays.
  ///
  /// - Parameters:
  ///   - record: `recordSize` floats as in the file.
  ///   - matrix: [row, port] interleaved, at least `recordSize` floats.
  package func unpack(
    _ record: UnsafeBufferPointer<Float>, into matrix: UnsafeMutablePointer<Float>
  ) {
    precondition(record.count == recordSize)
    let half = rowCount * portCount
    for row in 0..<rowCount {
      for port in 0..<portCount {
        let source = isTransposed ? port * rowCount + row : row * portCount + port
        let target = 2 * (row * portCount + port)
        if kind == .csinet {
          matrix[target] = record[source] - 0.5
          matrix[target + 1] = record[half + source] - 0.5
        } else {
          matrix[target] = record[2 * source]
          matrix[target + 1] = record[2 * source + 1]
        }
      }
    }
  }
}
