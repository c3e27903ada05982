import DataFiles
import Foundation
import LinkMath

/// What is in an array file, and what its channels are like.
public struct DatasetDescription: Sendable, Encodable {
  /// One of the arrays of the file.
  public struct Variable: Sendable, Encodable, Equatable {
    /// Its name in the file; nil in formats that keep none.
    public let name: String?
    /// Length of each axis.
    public let shape: [Int]
    /// Type of its numbers, such as `complex float32`.
    public let type: String
  }

  /// A file, a folder, or a scenario.
  public let path: String
  /// The array that the figures are about; nil for a scenario.
  public let array: Variable?
  /// All numeric arrays of the file.
  public let variables: [Variable]
  /// Smallest value; nil without values.
  public let minimum: Double?
  /// Largest value; nil without values.
  public let maximum: Double?
  /// Of the values as little-endian single precision, row-major, drops first where the axes are known.
  public let sha256Float32: String?
  /// How the array is read: csinet, frequency or delay; nil if that is unknown.
  public let layout: String?
  /// Figures of the channels; nil if the layout is unknown or no drop has energy.
  public let channels: ChannelDescription?
  /// Why there are no figures of channels; nil if there are.
  public let hint: String?

  /// Reads an array once, block by block.
  ///
  /// - Parameters:
  ///   - source: the array.
  ///   - options: what the user says about its meaning; its manifest says the rest.
  ///   - pcaLimit: see ``ChannelDescriber``.
  ///   - pool: threads that drops are described on.
  ///   - progress: told the rows done and all.
  ///   - shouldStop: asked before each block.
  /// - Returns: nil if stopped.
  /// - Throws: for values that are not finite and arrays that do not have the layout.
  public static func of(
    _ source: RecordSource, _ options: RecordOptions, pcaLimit: Int, pool: WorkerPool,
    progress: (Int, Int) -> Void = { _, _ in }, shouldStop: () -> Bool = { false }
  ) throws -> DatasetDescription? {
    let options = options.completed(by: source.manifest)
    let layout = try RecordReading.guess(source, options)
    let reading = try layout.map { try RecordReading(source, $0, options) }
    let describer = reading.map {
      ChannelDescriber($0.shape, dropCount: $0.recordCount, pcaLimit: pcaLimit, pool: pool)
    }
    var digest = Digest()
    var (least, largest) = (Float.infinity, -Float.infinity)
    let arranged = reading?.source ?? source
    let (step, rowCount) = (arranged.blockRows, arranged.info.rowCount)
    for start in stride(from: 0, to: rowCount, by: step) {
      if shouldStop() { return nil }
      let end = min(start + step, rowCount)
      let values = try arranged.rows(start..<end).floats
      try arranged.checkFinite(values, firstRow: start)
      values.withUnsafeBytes { digest.update($0) }
      for value in values {
        least = min(least, value)
        largest = max(largest, value)
      }
      if let reading { try describer!.add(reading.matrices(values)) }
      progress(end, rowCount)
    }
    let isEmpty = least > largest
    let channels = describer?.finish()
    return DatasetDescription(
      path: source.path, array: Variable(source.isOneArray ? source.info : arranged.info),
      variables: try variables(source),
      minimum: isEmpty ? nil : Double(least), maximum: isEmpty ? nil : Double(largest),
      sha256Float32: digest.finish(), layout: layout?.rawValue, channels: channels,
      hint: layout == nil
        ? "say what the axes are with --layout csinet, frequency or delay, and --axes"
        : channels == nil ? silentHint : nil)
  }

  private static let silentHint = "no drop has energy"

  private static func variables(_ source: RecordSource) throws -> [Variable] {
    if let manifest = source.manifest {
      return manifest.arrays.map {
        Variable(
          name: $0.name, shape: [manifest.drops] + $0.dropShape,
          type: $0.type == "complex64" ? "complex float32" : $0.type)
      }
    }
    return try ArrayFile.list(ArrayFile.shards(of: source.path)[0]).map(Variable.init)
  }

  /// Of channels that are drawn and not read.
  public init(scenario path: String, _ channels: ChannelDescription?) {
    self.path = path
    (array, variables, minimum, maximum) = (nil, [], nil, nil)
    (sha256Float32, layout) = (nil, "frequency")
    self.channels = channels
    hint = channels == nil ? Self.silentHint : nil
  }

  private init(
    path: String, array: Variable, variables: [Variable], minimum: Double?, maximum: Double?,
    sha256Float32: String, layout: String?, channels: ChannelDescription?, hint: String?
  ) {
    self.path = path
    self.array = array
    self.variables = variables
    self.minimum = minimum
    self.maximum = maximum
    self.sha256Float32 = sha256Float32
    self.layout = layout
    self.channels = channels
    self.hint = hint
  }
}

extension DatasetDescription.Variable {
  init(_ info: ArrayInfo) {
    name = info.name
    shape = info.shape
    type = (info.isComplex ? "complex " : "") + info.elementType.rawValue
  }

  var text: String {
    let axes = shape.isEmpty ? "scalar" : shape.map(String.init).joined(separator: " x ")
    return (name.map { "\($0)  " } ?? "") + "\(axes)  \(type)"
  }
}

extension DatasetDescription {
  /// The description for a terminal.
  public var text: String {
    var lines = [("source", path)]
    if let array { lines.append(("array", array.text)) }
    if variables.count > 1 {
      lines.append(("all arrays", variables.map(\.text).joined(separator: "; ")))
    }
    if let minimum, let maximum {
      lines.append(("values", String(format: "%.9g to %.9g", minimum, maximum)))
    }
    if let sha256Float32 { lines.append(("SHA-256 as float32", sha256Float32)) }
    if let layout { lines.append(("layout", layout)) }
    if let hint { lines.append(("channels", hint)) }
    let head = lines.map { "\($0.0.padding(toLength: 26, withPad: " ", startingAt: 0))  \($0.1)" }
      .joined(separator: "\n")
    return head + (channels.map { "\n" + $0.text } ?? "")
  }

  /// Keys as words_with_underscores, without pictures.
  public func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }
}
