import DataFiles
import LinkMath
import Parts

/// Channels read from a file of arrays: .npy, .npz, .mat (v5, v7.3), HDF5, .csv or .safetensors, or from a folder of them.
///
/// A drop is a record; which records a domain may use is set by `split`. Records are read when a block needs them; one
/// without energy stays as it is, whatever `normalise` says. Without a
/// slot axis the channel of a drop does not change over slots.
public struct RecordedChannel: ChannelModel, Part {
  static let file = Parameter<String>(
    "file", .file,
    "Array file: .npy, .npz, .mat, .h5, .csv or .safetensors; or a folder of them, whose drops are taken one file after the other."
  )
  static let variable = Parameter<String?>.optional(
    "variable", .text,
    "Name of the array, s.H in a struct or group; needed if the file holds several.")
  static let normalise = PowerScaling.parameter(default: .sample)

  public static let schema = PartSchema(
    .channel, "recorded", "Channels read from a file: the public data sets, exports of simulators.",
    parameters: [file.declaration, variable.declaration] + RecordLayout.parameters
      + AngularDelaySynthesis.parameters + RecordSplit.parameters + [
        normalise.declaration, PowerScaling.fitDrops.declaration,
      ])

  public var portCount: Int { layout.portCount }
  private let reader: ArrayReader
  private let layout: RecordLayout
  private let split: RecordSplit
  private let toneCount: Int
  /// Nil if the file holds frequency responses.
  private let synthesis: AngularDelaySynthesis?
  private let normalisation: PowerScaling

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    let path = context.path(settings[Self.file])
    let generated = try GeneratedTransform.of(path)
    let shards = try Self.shards(settings, path, generated)
    let layout = try RecordLayout(
      settings, shards[0].info, path: path, tones: context.grid.toneCount, generated: generated)
    var arranged: [ArrayReader] = []
    for shard in shards { arranged.append(try layout.arranged(shard)) }
    reader = try ArrayReader.joined(arranged, path: path)
    self.layout = layout
    split = try RecordSplit(settings, recordCount: reader.info.rowCount * layout.dropsPerRow)
    toneCount = context.grid.toneCount
    normalisation = settings[Self.normalise]
    if layout.kind == .frequency {
      let condition = "layout: csinet or delay"
      try settings.refuse(AngularDelaySynthesis.angleDFT, unless: false, condition)
      try settings.refuse(AngularDelaySynthesis.angleShift, unless: false, condition)
      try settings.refuse(AngularDelaySynthesis.guardRows, unless: false, condition)
      guard layout.rowCount == toneCount else {
        throw SettingsError(
          part: settings.part, key: Self.file.key,
          reason: "holds \(layout.rowCount) tones, but the grid has \(toneCount)",
          hint: RecordLayout.unflattening(shards[0].info, path, layout.kind, tones: toneCount)
            ?? "set grid.tones: \(layout.rowCount) if the file's axes, of \(Self.text(shards[0].info.shape)) values, are named right "
            + "('axes'; 'csilink data describe' shows both)"
            + (shards[0].info.isComplex
              ? "" : "; real values in [0, 1] around 0.5 are 'layout: csinet'"))
      }
      synthesis = nil
    } else {
      if layout.rowCount > toneCount, layout.kind == .delay,
        let hint = RecordLayout.unflattening(shards[0].info, path, layout.kind)
      {
        throw SettingsError(
          part: settings.part, key: Self.file.key,
          reason: "holds \(layout.rowCount) delay taps, but the grid has only \(toneCount) tones",
          hint: hint)
      }
      synthesis = try AngularDelaySynthesis(
        settings, tones: toneCount, taps: layout.rowCount, ports: layout.portCount,
        generated: generated?.grid)
    }
  }

  /// Whether a file has images of which neither settings nor a manifest tell how their angles were rotated.
  package static func hasUntoldAngles(_ settings: Settings, in context: LinkContext) -> Bool {
    settings.part == schema.name && settings[RecordLayout.kind] == .csinet
      && settings[AngularDelaySynthesis.angleShift] == nil
      && (try? GeneratedTransform.of(context.path(settings[file]))) == nil
  }

  private static func text(_ shape: [Int]) -> String {
    shape.map(String.init).joined(separator: " x ")
  }

  /// The array of each file.
  private static func shards(
    _ settings: Settings, _ path: String, _ generated: GeneratedTransform?
  ) throws(DataFileError) -> [ArrayReader] {
    var readers: [ArrayReader] = []
    let files: [String]
    if let generated { files = generated.files } else { files = try ArrayFile.shards(of: path) }
    for file in files {
      var name = settings[variable]
      // Files of several arrays, such as channels and their levels, need a name; some formats have none.
      if name == nil, let known = generated?.variable,
        try ArrayFile.list(file).contains(where: { $0.name == known })
      {
        name = known
      }
      readers.append(try ArrayFile.open(file, variable: name))
    }
    return readers
  }

  /// What was guessed of a file.
  public static func warnings(_ settings: Settings, in context: LinkContext) -> [SettingsError] {
    let path = context.path(settings[file])
    guard let generated = try? GeneratedTransform.of(path),
      let note = try? shards(settings, path, generated).lazy.compactMap(\.note).first
    else { return [] }
    return [
      SettingsError(part: settings.part, key: file.key, reason: "is read with a guess: \(note)")
    ]
  }

  /// Records hold what they hold.
  public static var dependsOnSpeed: Bool { false }

  /// The file, and the manifest that tells which transform made it.
  public static func files(_ settings: Settings, in context: LinkContext) -> [String] {
    let path = context.path(settings[file])
    let shards = (try? ArrayFile.shards(of: path)) ?? [path]
    guard settings[RecordLayout.kind] != .frequency || shards != [path],
      let generated = try? GeneratedTransform.of(path)
    else { return shards }
    return generated.files + [generated.manifest]
  }

  public func dropCount(in domain: StreamKey.Domain) -> Int? { split[domain].count }

  /// - Precondition: the block lies within ``dropCount(in:)``.
  public func frequencyResponse(_ block: DropBlock, slots: [Int]) throws -> [ComplexArray] {
    try normalisedResponse(block, slots: slots).responses
  }

  public func normalisedResponse(_ block: DropBlock, slots: [Int]) throws -> NormalisedResponse {
    let domain = split[block.domain]
    // Each user has records of its own, one after the other.
    let share = domain.count / block.users
    precondition(block.drops.upperBound <= share, "more drops than records")
    let first = domain.lowerBound + block.user * share + block.drops.lowerBound
    let records = first..<first + block.drops.count
    // Without a slot axis all slots share the one array.
    let snapshots = layout.slotCount != nil ? slots : [0]
    if let last = snapshots.last, last >= layout.slotCount ?? 1 {
      throw DataFileError(
        file: reader.path, variable: reader.info.name,
        expected: "at least \(last + 1) slots for each drop", found: "\(layout.slotCount ?? 1)")
    }
    let rows = fileRows(records)
    let values = try reader.rows(rows).floats()
    let responses = try snapshots.map { snapshot in
      try response(records, snapshot: snapshot, values, fileRows: rows)
    }
    let all = layout.slotCount != nil ? responses : slots.map { _ in responses[0] }
    return NormalisedResponse(responses: all.map(\.response), gains: all.map(\.gains))
  }

  /// Rows along the first axis of the file that hold the records.
  private func fileRows(_ records: Range<Int>) -> Range<Int> {
    guard !records.isEmpty else { return records }
    let size = layout.dropsPerRow
    return records.lowerBound / size..<(records.upperBound - 1) / size + 1
  }

  private func response(
    _ records: Range<Int>, snapshot: Int, _ values: [Float], fileRows: Range<Int>
  ) throws -> (response: ComplexArray, gains: [Double]) {
    let size = toneCount * portCount
    var gains: [Double] = []
    var result = ComplexArray(uninitialized: [records.count, toneCount, portCount])
    try values.withUnsafeBufferPointer { values in
      try result.withUnsafeMutableElements { result in
        for (drop, record) in records.enumerated() {
          // Matrices of the file up to this one, counted over rows and snapshots.
          let position = record * (layout.slotCount ?? 1) + snapshot
          let start = (position - fileRows.lowerBound * layout.snapshotCount) * layout.recordSize
          let source = UnsafeBufferPointer(rebasing: values[start..<start + layout.recordSize])
          let hasEnergy = try check(source, record: record, snapshot: snapshot)
          let target = UnsafeMutableBufferPointer(
            rebasing: result[drop * size..<(drop + 1) * size])
          target.baseAddress!.withMemoryRebound(to: Float.self, capacity: 2 * size) {
            layout.unpack(source, into: $0)
          }
          guard hasEnergy else {
            // The rows behind those of the file would keep what the memory held.
            target.update(repeating: .zero)
            gains.append(1)
            continue
          }
          synthesis?.transform(target)
          guard let gain = normalisation.apply(to: target) else {
            throw damage(
              record, snapshot, expected: "energy that single precision holds",
              found: "values too small or too large")
          }
          gains.append(gain)
        }
      }
    }
    return (result, gains)
  }

  /// Refuses a record that no link can use.
  ///
  /// - Returns: whether it has energy; a blocked user has none.
  private func check(_ values: UnsafeBufferPointer<Float>, record: Int, snapshot: Int) throws
    -> Bool
  {
    let zero: Float = layout.kind == .csinet ? 0.5 : 0
    var hasEnergy = false
    for value in values {
      guard value.isFinite else {
        throw damage(record, snapshot, expected: "finite values", found: "\(value)")
      }
      if layout.kind == .csinet && !(-1e-6...1 + 1e-6).contains(value) {
        throw damage(record, snapshot, expected: "values in [0, 1]", found: "\(value)")
      }
      hasEnergy = hasEnergy || value != zero
    }
    return hasEnergy
  }

  private func damage(_ record: Int, _ snapshot: Int, expected: String, found: String)
    -> DataFileError
  {
    let place = layout.slotCount != nil ? "record \(record), slot \(snapshot)" : "record \(record)"
    return DataFileError(
      file: reader.path, variable: reader.info.name,
      expected: "\(expected) in \(place) (counted from 0)", found: found)
  }
}
