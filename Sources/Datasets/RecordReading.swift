import Channels
import DataFiles
import Link
import LinkMath

/// What a user says about the meaning of an array.
public struct RecordOptions: Sendable {
  /// How the numbers of an array become matrices of channels.
  public enum Layout: String, Sendable, CaseIterable {
    /// Real values in [0, 1] around 0.5, (re, im) x angle x delay: the public data sets.
    case csinet
    /// Complex responses over tones and ports.
    case frequency
    /// Complex angular-delay matrices.
    case delay
  }

  /// How the numbers become matrices; guessed if nil.
  public var layout: Layout?
  /// Names of the axes in the order of the file, as `RecordAxes` knows them.
  public var axes: [String]?
  /// Angles of layout csinet.
  public var ports: Int?
  /// Tones of the grid, for data in the delay domain.
  public var tones: Int?
  /// Sub-carrier spacing Δf in hertz, for delays in seconds.
  public var spacingHz: Double?
  /// Delay rows that are looked at or made.
  public var taps: Int?
  /// Of the delay rows, those before delay zero.
  public var guardRows: Int?
  /// Direction of the DFT over ports.
  public var angleDFT: AngularDelayTransform.Direction?
  /// Columns that the angles are rotated by.
  public var angleShift: Int?
  /// Distance of neighbouring antennas in wavelengths; 0 if the ports are not one line, half if nothing is known.
  public var portSpacing: Double?

  /// Nothing is said.
  public init() {}

  /// What a manifest says, where the user says nothing.
  public func completed(by manifest: DatasetManifest?) -> RecordOptions {
    guard let manifest else { return self }
    var all = self
    all.layout = layout ?? Layout(rawValue: manifest.layout)
    all.axes = axes ?? (manifest.layout == "csinet" ? nil : manifest.arrays[0].axes)
    all.ports = ports ?? manifest.grid.ports
    all.tones = tones ?? manifest.grid.tones
    all.spacingHz = spacingHz ?? manifest.grid.spacingHz
    all.taps = taps ?? manifest.grid.taps
    all.guardRows = guardRows ?? manifest.grid.guardRows
    all.angleDFT = angleDFT ?? .init(rawValue: manifest.grid.angleDft)
    all.angleShift = angleShift ?? manifest.grid.angleShift
    all.portSpacing = portSpacing ?? manifest.grid.portSpacing
    return all
  }
}

/// An option that does not fit; wrong usage rather than a broken file.
public struct RecordOptionError: Error, CustomStringConvertible, Sendable {
  /// The option and what is wrong with it.
  public let description: String

  /// An error with its text for the user.
  public init(_ description: String) { self.description = description }
}

/// The rows of an array as matrices of channels.
public struct RecordReading: Sendable {
  /// The array, its drops first, then the axes as the layout has them.
  public let source: RecordSource
  let layout: RecordLayout
  /// How its matrices lie on delay and angle, or on tones and ports.
  public let shape: ChannelShape

  /// Matrices in all rows.
  public var recordCount: Int { source.info.rowCount * layout.snapshotCount }

  /// - Throws: if the array does not have the layout, or the options do not go together.
  public init(
    _ source: RecordSource, _ layout: RecordOptions.Layout, _ options: RecordOptions
  ) throws {
    let kind = RecordLayout.Kind(rawValue: layout.rawValue)!
    let axes = try Self.axes(options, kind)
    let found = try RecordLayout(
      kind, axes: axes, ports: kind == .csinet ? options.ports : nil, source.shardInfo,
      path: source.path)
    self.layout = found
    self.source = try source.arranged(found.arranged)
    if kind != .frequency, let tones = options.tones, tones < found.rowCount {
      throw RecordOptionError(
        "the grid has \(tones) tones, but the data \(found.rowCount) delay rows")
    }
    if let taps = options.taps, kind == .frequency, !(1...found.rowCount).contains(taps) {
      throw RecordOptionError("taps must be in 1...\(found.rowCount), got \(taps)")
    }
    shape = ChannelShape(
      domain: kind == .frequency ? .frequency : .delay, rows: found.rowCount,
      columns: found.portCount, tones: options.tones, spacingHz: options.spacingHz,
      taps: options.taps, guardRows: options.guardRows ?? 0, angleDFT: options.angleDFT ?? .forward,
      angleShift: options.angleShift ?? 0,
      lineSpacing: options.portSpacing == 0 ? nil : options.portSpacing ?? 0.5)
  }

  private static func axes(
    _ options: RecordOptions, _ kind: RecordLayout.Kind
  ) throws -> RecordAxes? {
    guard let names = options.axes else { return nil }
    let axes = try names.map { name in
      guard let axis = RecordAxes.Name(rawValue: name) else {
        let known = RecordAxes.Name.allCases.map(\.rawValue).joined(separator: ", ")
        throw RecordOptionError("no axis '\(name)'; known: \(known)")
      }
      return axis
    }
    do throws(RecordAxes.Complaint) {
      return try RecordAxes(axes, kind)
    } catch {
      throw RecordOptionError("axes \(error)")
    }
  }

  /// The layout of an array that nobody names: csinet for real values in [0, 1] of fitting rows, else none.
  public static func guess(
    _ source: RecordSource, _ options: RecordOptions
  ) throws -> RecordOptions.Layout? {
    if let layout = options.layout { return layout }
    let info = source.info
    if let axes = options.axes {
      if axes.contains("value") { return .csinet }
      return axes.contains("tone") || axes.contains("subcarrier") ? .frequency : .delay
    }
    let ports = options.ports ?? 32
    guard !info.isComplex, info.shape.count > 1, info.rowCount > 0,
      info.valuesPerRow % (2 * ports) == 0, info.valuesPerRow > 0
    else { return nil }
    let first = try source.rows(0..<min(64, info.rowCount)).floats
    return first.allSatisfy { (-1e-6...1 + 1e-6).contains($0) } ? .csinet : nil
  }

  /// The matrices [record, row, column] of values of whole rows; of layout csinet what lies around 0.5.
  func matrices(_ values: [Float]) -> ComplexArray {
    let size = layout.recordSize
    let count = values.count / size
    var result = ComplexArray(uninitialized: [count, layout.rowCount, layout.portCount])
    values.withUnsafeBufferPointer { values in
      result.withUnsafeMutableFloats { result in
        for record in 0..<count {
          layout.unpack(
            UnsafeBufferPointer(rebasing: values[record * size..<(record + 1) * size]),
            into: result + record * size)
        }
      }
    }
    return result
  }
}

extension RecordSource {
  /// - Throws: for the first value that is NaN or infinite.
  func checkFinite(_ values: [Float], firstRow: Int) throws(DataFileError) {
    guard let index = values.firstIndex(where: { !$0.isFinite }) else { return }
    let size = info.valuesPerRow
    throw DataFileError(
      file: path, variable: info.name, expected: "finite values",
      found: "\(values[index]) in row \(firstRow + index / size), value \(index % size)"
        + " (both counted from 0)")
  }
}
