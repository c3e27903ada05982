import DataFiles
import Foundation
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
    package var matrixAxes: (RecordAxes.Name, RecordAxes.Name) {
      self == .frequency ? (.tone, .port) : (.delay, .angle)
    }
  }

  static let kind = Parameter<Kind>.choice(
    "layout", default: .csinet,
    """
    csinet: real angular-delay values in [0, 1] around 0.5, (re, im) x angle x delay, the public data sets' form; \
    frequency: complex, tones and ports; delay: complex, delay taps and angles. Generated data have the layout of their manifest.
    """)
  static let axes = Parameter<[RecordAxes.Name]?>.optional(
    "axes", .list(.choice(RecordAxes.Name.allCases.map(\.rawValue)), count: 2...8),
    """
    Meaning of each axis in the order of the file, such as MATLAB's [tone, port, drop]; [drop, tone, port] or [drop, delay, \
    angle] if left out, of real arrays [drop, part, tone, port]. part: real and imaginary part; one: an axis of length 1, \
    which needs no name; value: all values of a csinet drop. Several drop axes are taken together, the first slowest, and so are \
    several axes of ports or angles, such as those of a panel's rows, columns and polarisations. sample, subcarrier and antenna are other words for drop, tone and port.
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
  /// Matrices in an entry of the first drop axis: all further drops and slots.
  package let snapshotCount: Int
  /// Slots of each drop; nil without an axis of slots.
  let slotCount: Int?
  /// Nil: the rows of a file along its first axis, as they are.
  private let axes: RecordAxes?

  /// Floats of one matrix.
  package var recordSize: Int { 2 * rowCount * portCount }

  /// Drops in an entry of the first drop axis.
  var dropsPerRow: Int { snapshotCount / (slotCount ?? 1) }

  /// - Parameters:
  ///   - tones: of the grid.
  ///   - generated: what a manifest says, where the settings say nothing.
  /// - Throws: if the array does not have this layout.
  init(
    _ settings: Settings, _ info: ArrayInfo, path: String, tones: Int,
    generated: GeneratedTransform? = nil
  ) throws {
    var kind = settings[Self.kind]
    // What was generated otherwise cannot be read as the default.
    if kind == .csinet { kind = generated?.layout ?? kind }
    if let made = generated?.layout, made != kind {
      throw SettingsError(
        part: settings.part, key: Self.kind.key,
        reason: "must be \(made.rawValue), as the data's manifest says, got \(kind.rawValue)",
        hint: "leave out 'layout', or generate the data with '--layout \(kind.rawValue)'")
    }
    try settings.refuse(Self.ports, unless: kind == .csinet, "layout: csinet")
    let known = kind != .csinet && generated?.layout == kind ? generated?.axes : nil
    let axes: RecordAxes?
    do throws(RecordAxes.Complaint) {
      axes = try Self.axes(settings[Self.axes] ?? known, kind)
    } catch {
      throw SettingsError(
        part: settings.part, key: Self.axes.key, reason: error.text,
        hint: kind == .csinet
          ? "such as [drop, part, angle, delay] or [value, drop]"
          : "such as [drop, \(kind.matrixAxes.0), \(kind.matrixAxes.1)], or MATLAB's "
            + "[\(kind.matrixAxes.0), \(kind.matrixAxes.1), drop]")
    }
    let ports = settings[Self.ports] ?? (kind == .csinet ? generated?.grid.ports : nil)
    try self.init(kind, axes: axes, ports: ports, info, path: path, tones: tones)
  }

  /// Names as axes of a layout; nil if there are none.
  package static func axes(
    _ names: [RecordAxes.Name]?, _ kind: Kind
  ) throws(RecordAxes.Complaint) -> RecordAxes? {
    guard let names else { return nil }
    return try RecordAxes(names, kind)
  }

  /// - Parameters:
  ///   - axes: of the array; the usual ones if nil.
  ///   - ports: angles of layout csinet; 32, or as the axis of angles has, if nil.
  ///   - tones: of the grid, for a hint, where they are known.
  /// - Throws: if the array does not have this layout.
  package init(
    _ kind: Kind, axes: RecordAxes?, ports: Int?, _ info: ArrayInfo, path: String,
    tones: Int? = nil
  ) throws(DataFileError) {
    self.kind = kind
    if kind == .csinet, axes == nil {
      portCount = ports ?? 32
      rowCount = try Self.csinetTaps(info, path, angles: portCount)
      (snapshotCount, slotCount, self.axes) = (1, nil, nil)
      return
    }
    let axes = axes ?? Self.usual(kind, info)
    let names = try axes.fitted(to: info, path: path)
    let hasParts = axes.names.contains(.part) || kind == .csinet
    guard info.isComplex != hasParts else {
      throw DataFileError(
        file: path, variable: info.name,
        expected: hasParts ? "real numbers" : "complex numbers", found: info.description,
        hint: hasParts
          ? "complex arrays are read with 'layout: frequency' or 'delay' and have no axis 'part'"
          : ArrayFile.joining(path, variable: info.name) ?? Self.unflattening(
            info, path, kind, tones: tones)
            ?? "name the axis of real and imaginary part, as in axes: [drop, part, \(kind.matrixAxes.0), "
            + "\(kind.matrixAxes.1)]; 'layout: csinet' reads real values in [0, 1]")
    }
    func length(_ name: RecordAxes.Name) -> Int? {
      let lengths = zip(names, info.shape).filter { $0.0 == name }.map(\.1)
      return lengths.isEmpty ? nil : lengths.reduce(1, *)
    }
    let (row, column) = kind.matrixAxes
    if let values = length(.value) {
      let angles = ports ?? 32
      guard values % (2 * angles) == 0 else {
        throw DataFileError(
          file: path, variable: info.name, expected: "2 x \(angles) angles x delays for each drop",
          found: info.description)
      }
      (rowCount, portCount) = (values / (2 * angles), angles)
    } else {
      (rowCount, portCount) = (length(row) ?? 1, length(column) ?? 1)
      if let ports, ports != portCount {
        throw DataFileError(
          file: path, variable: info.name, expected: "\(ports) angles, as 'ports' says",
          found: info.description)
      }
    }
    let drops = zip(names, info.shape).filter { $0.0 == .drop }.map(\.1)
    let slots = axes.names.contains(.slot) ? length(.slot) ?? 1 : nil
    snapshotCount = drops.dropFirst().reduce(slots ?? 1, *)
    slotCount = slots
    self.axes = axes
  }

  /// How rows of flattened matrices, as tables have them, get their axes back; nil for arrays of other than two axes.
  ///
  /// - Parameter tones: of the grid, where they are known.
  static func unflattening(
    _ info: ArrayInfo, _ path: String, _ kind: Kind, tones: Int? = nil
  ) -> String? {
    guard info.shape.count == 2, info.shape[1] > 1 else { return nil }
    let (row, column) = kind.matrixAxes
    let size = info.isComplex ? info.shape[1] : info.shape[1] / 2
    let fitting = tones.flatMap { kind == .frequency && size % $0 == 0 ? $0 : nil }
    let axes =
      fitting.map { "\($0),\(size / $0)" }
      ?? "\(row.rawValue.uppercased())S,\(column.rawValue.uppercased())S"
    let target = "\(path.withoutEnding)-axes.npy"
    let command = "csilink data convert \(path.inShell) \(target.inShell) --shape"
    let meaning = fitting == nil ? ", \(axes.replacing(",", with: " x ")) being \(size)" : ""
    return "if each row is a flattened matrix, give it axes: '"
      + (info.isComplex
        ? "\(command) \(axes)'\(meaning)"
        : "\(command) 2,\(axes)' where all real parts stand before the imaginary ones, "
          + "'\(command) \(axes) --complex' where they stand in turn\(meaning); real values in [0, 1] around 0.5 are 'layout: csinet'")
  }

  /// The axes of an array of which nothing is said.
  private static func usual(_ kind: Kind, _ info: ArrayInfo) -> RecordAxes {
    let (row, column) = kind.matrixAxes
    let hasParts = !info.isComplex && info.shape.count == 4 && info.shape[1] == 2
    let names = hasParts ? [.drop, .part, row, column] : [.drop, row, column]
    guard let axes = try? RecordAxes(names, kind) else { preconditionFailure("usual axes") }
    return axes
  }

  /// The array with drops first, then slots, then one matrix after another as ``unpack(_:into:)`` takes it.
  ///
  /// - Throws: if the array does not have the layout's axes, which another shard had.
  package func arranged(_ reader: ArrayReader) throws(DataFileError) -> ArrayReader {
    guard let axes else { return reader }
    let names = try axes.fitted(to: reader.info, path: reader.path)
    let (row, column) = kind.matrixAxes
    let order: [RecordAxes.Name] =
      [.drop, .slot] + (kind == .csinet ? [.part, column, row] : [row, column, .part])
      + [.value, .one]
    return reader.reordered(order.flatMap { name in names.indices.filter { names[$0] == name } })
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

  /// Copies one record into a matrix whose rows are tones or delays.
  ///
  /// - Parameters:
  ///   - record: `recordSize` floats of an arranged array.
  ///   - matrix: [row, port] interleaved, at least `recordSize` floats.
  package func unpack(
    _ record: UnsafeBufferPointer<Float>, into matrix: UnsafeMutablePointer<Float>
  ) {
    precondition(record.count == recordSize)
    let half = rowCount * portCount
    for row in 0..<rowCount {
      for port in 0..<portCount {
        let target = 2 * (row * portCount + port)
        if kind == .csinet {
          let source = port * rowCount + row
          matrix[target] = record[source] - 0.5
          matrix[target + 1] = record[half + source] - 0.5
        } else {
          matrix[target] = record[target]
          matrix[target + 1] = record[target + 1]
        }
      }
    }
  }
}
