import DataFiles
import Link

/// What must hold in a manifest that somebody may have edited.
extension DatasetManifest {
  private static let largestLength = 1 << 20
  private static let largestDropCount = 1 << 40
  private static let formats = ["npy", "npz", "mat", "csv", "safetensors"]
  private static let types = ["float32", "complex64"]

  /// - Throws: for the first key whose value cannot be.
  func check(_ path: String) throws(DataFileError) {
    let require = {
      (isGood: Bool, key: String, expected: String, found: any CustomStringConvertible)
        throws(DataFileError) in
      guard isGood else {
        throw DataFileError(
          file: path, expected: "'\(key)' to be \(expected)", found: found.description,
          hint: "the manifest was edited or is damaged; generate the data set again")
      }
    }
    let axis = 1...Self.largestLength
    try require((0...Self.largestDropCount).contains(first), "first", "a drop number", first)
    try require(
      (1...Self.largestDropCount).contains(drops), "drops", "a number of drops", drops)
    try require(shardSize > 0, "shard_size", "positive", shardSize)
    try require(
      RecordOptions.Layout(rawValue: layout) != nil, "layout", "csinet, frequency or delay",
      "'\(layout)'")
    try require(
      Self.formats.contains(fileFormat), "file_format",
      "one of " + Self.formats.joined(separator: ", "), "'\(fileFormat)'")
    for (key, length) in [("tones", grid.tones), ("ports", grid.ports), ("taps", grid.taps)] {
      try require(axis.contains(length), "grid.\(key)", "in 1...\(axis.upperBound)", length)
    }
    try require(
      (0..<grid.taps).contains(grid.guardRows), "grid.guard_rows", "in 0..<\(grid.taps)",
      grid.guardRows)
    try require(
      grid.spacingHz > 0 && grid.spacingHz.isFinite, "grid.spacing_hz", "positive", grid.spacingHz)
    try require(
      (grid.portSpacing ?? 0) >= 0 && (grid.portSpacing ?? 0).isFinite, "grid.port_spacing",
      "not negative", grid.portSpacing ?? 0)
    try require(
      AngularDelayTransform.Direction(rawValue: grid.angleDft) != nil, "grid.angle_dft",
      "forward or inverse", "'\(grid.angleDft)'")
    try require(!arrays.isEmpty, "arrays", "a list of arrays", "none")
    for (index, array) in arrays.enumerated() {
      let key = "arrays[\(index)]"
      try require(!array.name.isEmpty, "\(key).name", "a name", "none")
      try require(
        Self.types.contains(array.type), "\(key).type", "float32 or complex64", "'\(array.type)'")
      try require(
        array.dropShape.allSatisfy(axis.contains) && array.info(drops: 1).hasPossibleSize,
        "\(key).drop_shape", "lengths of axes", array.dropShape)
      try require(
        array.axes.count == array.dropShape.count + 1, "\(key).axes",
        "\(array.dropShape.count + 1) names", array.axes)
    }
    try checkShards(require)
  }

  private typealias Requirement = (
    Bool, String, String, any CustomStringConvertible
  ) throws(DataFileError) -> Void

  /// Shards follow each other from the first drop on, and are all of them if the set is complete.
  private func checkShards(_ require: Requirement) throws(DataFileError) {
    var done = 0
    for (index, shard) in shards.enumerated() {
      let key = "shards[\(index)]"
      try require(shard.first == first + done, "\(key).first", "\(first + done)", shard.first)
      try require(
        (1...max(1, drops - done)).contains(shard.drops) && done < drops, "\(key).drops",
        "in 1...\(drops - done)", shard.drops)
      try require(
        shard.files.count == 1 || shard.files.count == arrays.count, "\(key).files",
        "1 or \(arrays.count) files", shard.files.count)
      for (number, file) in shard.files.enumerated() {
        let isPlain = !["", ".", ".."].contains(file.name) && !file.name.contains("/")
        try require(isPlain, "\(key).files[\(number)].name", "a file name", "'\(file.name)'")
        try require(file.bytes >= 0, "\(key).files[\(number)].bytes", "a size", file.bytes)
      }
      done += shard.drops
    }
    try require(
      !isComplete || done == drops, "shards", "of \(drops) drops together, as the set is complete",
      "\(done)")
  }
}

extension DatasetManifest.Array {
  /// The array of so many drops as it is in the files.
  func info(drops: Int) -> ArrayInfo {
    ArrayInfo(
      name: name, shape: [drops] + dropShape, isComplex: type == "complex64", elementType: .float32)
  }
}

extension ArrayInfo {
  fileprivate var hasPossibleSize: Bool { (try? checkSize("")) != nil }
}
