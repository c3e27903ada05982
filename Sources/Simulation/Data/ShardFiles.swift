import DataFiles

/// The files of one shard while they are written: one with all arrays, or one for each if the format holds one.
final class ShardFiles {
  /// The channels, then the levels.
  private let infos: [ArrayInfo]
  private let writers: [ArrayFileWriter]
  private let folder: String
  private var gainDB: [Float] = []
  private var normaliserDB: [Float] = []

  /// - Parameter suffix: the format's extension as it is to be written.
  /// - Throws: `DataFileError` if the format cannot hold the arrays or nothing can be written to the folder.
  init(
    folder: String, stem: String, suffix: String, format: DatasetRequest.Format,
    infos: [ArrayInfo]
  ) throws(DataFileError) {
    self.folder = folder
    self.infos = infos
    switch format {
    case .npz, .mat, .safetensors:
      writers = [try ArrayFileWriter("\(folder)/\(stem).\(suffix)", infos)]
    case .npy, .csv:
      var writers: [ArrayFileWriter] = []
      for (index, info) in infos.enumerated() {
        let name = index == 0 ? stem : "\(stem)-\(info.name!)"
        try info.checkSize("\(folder)/\(name).\(suffix)")
        writers.append(
          try ArrayFileWriter(
            "\(folder)/\(name).\(suffix)", [format == .csv ? info.table : info]))
      }
      self.writers = writers
    }
  }

  /// Appends the rows of a block; the levels are few and wait for the end.
  func append(_ rows: DatasetSource.Rows) throws(DataFileError) {
    try writers[0].append(.float(rows.values))
    gainDB += rows.gainDB
    normaliserDB += rows.normaliserDB
  }

  /// Puts the files in their places; the one with the channels last.
  ///
  /// - Returns: their names.
  func finish() throws(DataFileError) -> [String] {
    for (index, levels) in [gainDB, normaliserDB].enumerated() where index + 1 < infos.count {
      try writers[writers.count == 1 ? 0 : index + 1].append(.float(levels))
    }
    for writer in writers.reversed() { try writer.finish() }
    return writers.map { String($0.path.split(separator: "/").last!) }
  }
}
