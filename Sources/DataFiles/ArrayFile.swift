import Foundation

/// Files of numeric arrays: .npy, .npz, .mat (v5 and v7.3), HDF5, .csv and .safetensors.
///
/// The format is taken from the first bytes of the file where they tell it (.npy, .npz, .mat), else
/// from the extension. Nothing in a file is trusted: sizes are checked against the file before memory
/// is taken, and all failures are ``DataFileError``.
public enum ArrayFile {
  /// The numeric arrays in a file, in file order, without reading their values.
  public static func list(_ path: String) throws(DataFileError) -> [ArrayInfo] {
    try container(path).entries.compactMap(\.info)
  }

  /// Opens one array for reading by rows.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - variable: name of the array; may be nil if the file holds only one numeric array.
  /// - Throws: a list of the variables with shapes if none was named and several fit, or if the name
  ///   is unknown.
  public static func open(
    _ path: String, variable: String? = nil
  ) throws(DataFileError) -> ArrayReader {
    let container = try container(path)
    let entry = try choose(variable, from: container.entries, path)
    return ArrayReader(path: path, source: try container.source(of: entry))
  }

  /// Reads one array whole; `variable` as for ``open(_:variable:)``.
  public static func read(
    _ path: String, variable: String? = nil
  ) throws(DataFileError) -> NumericArray {
    try open(path, variable: variable).read()
  }

  /// Reads every numeric array of a file, in file order.
  public static func readAll(_ path: String) throws(DataFileError) -> [NumericArray] {
    let container = try container(path)
    var arrays: [NumericArray] = []
    for (index, entry) in container.entries.enumerated() where entry.info != nil {
      let reader = ArrayReader(path: path, source: try container.source(of: index))
      arrays.append(try reader.read())
    }
    return arrays
  }

  /// The array files that a path names: itself, or those of a folder in the order of their names, numbers in them by size.
  ///
  /// - Throws: for a folder without such files, or with files of several formats.
  public static func shards(of path: String) throws(DataFileError) -> [String] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue
    else { return [path] }
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
      .filter { name in
        let isText = ["readme", "license"].contains { name.lowercased().hasPrefix($0) }
        return !name.hasPrefix(".") && !isText && !isLevel(name)
          && suffixes.contains(ArrayFormat.suffix(of: name) ?? "")
      }
      .sorted { first, second in
        let order = first.compare(second, options: .numeric)
        return order == .orderedSame ? first < second : order == .orderedAscending
      }
    let kinds = Set(names.compactMap { ArrayFormat.suffix(of: $0) }).sorted()
    guard kinds.count == 1 else {
      throw DataFileError(
        file: path, expected: "an array file, or a folder with shards of one format",
        found: kinds.isEmpty ? "a folder without array files" : kinds.joined(separator: " and "),
        hint: kinds.isEmpty ? nil : "name one of the files, or move the others away")
    }
    return names.map { path.hasSuffix("/") ? path + $0 : "\(path)/\($0)" }
  }

  /// Whether a file has the level of each drop, which `data generate` writes beside the channels.
  private static func isLevel(_ name: String) -> Bool {
    let stem = name.withoutEnding
    return levelNames.contains { stem.hasSuffix("-\($0)") }
  }

  /// What `data generate` calls the levels of drops, and the ends of the names of files that have them alone.
  public static let levelNames = ["gain_db", "normaliser_db"]

  /// Extensions of the files that a folder of shards may hold.
  private static let suffixes: Set<String> = [
    "npy", "npz", "mat", "h5", "hdf5", "csv", "txt", "tsv", "dat", "safetensors",
  ]

  /// The `__metadata__` map of a .safetensors file.
  public static func metadata(_ path: String) throws(DataFileError) -> [String: String] {
    let window = try openFile(path)
    do throws(DataFileError) {
      return try SafetensorsFile(window).metadata
    } catch {
      throw error.hinting(FileGuess(window)?.hintForWeights(path))
    }
  }

  private static func choose(
    _ variable: String?, from entries: [ArrayEntry], _ path: String
  ) throws(DataFileError) -> Int {
    let candidates = entries.indices.filter {
      variable == nil ? entries[$0].info != nil : matches(entries[$0].name, variable)
    }
    if candidates.count == 1 {
      if case .failure(let error) = entries[candidates[0]].content { throw error }
      return candidates[0]
    }
    if variable == nil && entries.count == 1, case .failure(let error) = entries[0].content {
      throw error
    }
    let shown = entries.prefix(20).map(\.text).joined(separator: ", ")
    let list = entries.isEmpty ? "nothing" : shown + (entries.count > 20 ? ", ..." : "")
    let isUnnamed = entries.count == 1 && entries[0].name == nil
    let error = DataFileError(
      file: path, variable: variable,
      expected: variable == nil ? "one numeric array" : "one variable of that name", found: list,
      hint: isUnnamed
        ? "this format holds one array without a name: name no variable"
        : candidates.count > 1 && variable == nil
          ? joining(entries.compactMap(\.info), path) ?? "name the variable to read" : nil)
    throw error.hinting(try weightsHint(entries, path))
  }

  /// Where to take a file of weights, by the names in it; nil for other files.
  private static func weightsHint(
    _ entries: [ArrayEntry], _ path: String
  ) throws(DataFileError) -> String? {
    if FileGuess.areParameters(entries.compactMap(\.name)) {
      return FileGuess.weights.hintForArrays(path).map { "\($0); or name the variable to read" }
    }
    return entries.isEmpty ? FileGuess(try openFile(path))?.hintForArrays(path) : nil
  }

  /// Members of groups and structs are `group/H` and `s.H`; either mark is taken for the other.
  private static func matches(_ name: String?, _ wanted: String?) -> Bool {
    let dots = { (name: String) in String(name.map { $0 == "/" ? "." : $0 }) }
    return name == wanted || (name != nil && name.map(dots) == wanted.map(dots))
  }

  private static func container(_ path: String) throws(DataFileError) -> any ArrayContainer {
    let window = try openFile(path)
    do throws(DataFileError) {
      return try container(window)
    } catch {
      throw error.hinting(FileGuess(window)?.hintForArrays(path))
    }
  }

  private static func container(
    _ window: ByteWindow
  ) throws(DataFileError) -> any ArrayContainer {
    switch try ArrayFileFormat(of: window) {
    case .npy:
      let header = try NPYHeader(window, takesRecords: true)
      return header.fields.isEmpty
        ? SingleArray(rows: try header.rows(of: window, name: nil))
        : try NPYRecords(header, window)
    case .npz: return try NPZFile(window)
    case .mat5: return try MAT5File(window)
    case .mat73(let base): return try MAT73File(window, base: base)
    case .csv: return SingleArray(rows: try CSVRows(window))
    case .safetensors: return try SafetensorsFile(window)
    }
  }

  private static func openFile(_ path: String) throws(DataFileError) -> ByteWindow {
    let window = ByteWindow(path: path, file: try OpenFile(path))
    guard window.count > 0 else {
      throw window.error(expected: "an array file", found: "an empty file")
    }
    return window
  }
}

/// The formats, told apart by their first bytes where these are fixed, else by extension.
enum ArrayFileFormat {
  case npy, npz, mat5, csv, safetensors
  case mat73(base: Int)

  init(of window: ByteWindow) throws(DataFileError) {
    let start = try window.bytes(at: 0, count: min(128, window.count), of: "the first bytes")
    if start.starts(with: NPYHeader.magic) {
      self = .npy
    } else if start.starts(with: [0x50, 0x4B, 3, 4]) || start.starts(with: [0x50, 0x4B, 5, 6]) {
      self = .npz
    } else if MAT5File.hasHeader(start) {
      self = .mat5
    } else if let base = try Self.hdf5Signature(window) {
      self = .mat73(base: base)
    } else {
      try self.init(extensionOf: window, start: start)
    }
  }

  private init(extensionOf window: ByteWindow, start: [UInt8]) throws(DataFileError) {
    let expected: String
    var hint: String?
    switch ArrayFormat.suffix(of: window.path) ?? "" {
    case "csv", "txt", "tsv", "dat":
      self = .csv
      return
    case "safetensors":
      self = .safetensors
      return
    case "npy": expected = "a NumPy array (it starts with \\x93NUMPY)"
    case "npz", "zip": expected = "a zip archive (it starts with PK)"
    case "mat":
      expected = "a MATLAB v5 or v7.3 file"
      hint = "in MATLAB, save with '-v7' or '-v7.3'; v4 files are not read"
    default:
      expected = "a .npy, .npz, .mat, .h5, .csv or .safetensors file"
      hint = Self.conversion(of: window.path)
    }
    let found = start.prefix(8).map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }
    throw window.error(
      at: 0, expected: expected, found: "bytes \(found.joined(separator: " "))", hint: hint)
  }

  /// How to save as .npy what a file of another kind holds.
  private static func conversion(of path: String) -> String {
    let name = path.nameOfPath
    let saved = name.withoutEnding + ".npy"
    let suffix = ArrayFormat.suffix(of: path) ?? ""
    let loads = [
      "pkl": "pickle.load(open('\(name)', 'rb'))", "pickle": "pickle.load(open('\(name)', 'rb'))",
      "json": "json.load(open('\(name)'))", "parquet": "pandas.read_parquet('\(name)')",
      "feather": "pandas.read_feather('\(name)')", "xlsx": "pandas.read_excel('\(name)')",
    ]
    guard let load = loads[suffix] else {
      return "in Python, numpy.save(FILE, array) writes .npy; in MATLAB, save(FILE, 'H', '-v7.3')"
    }
    return "in Python: numpy.save('\(saved)', numpy.array(\(load)))"
  }

  /// The signature stands at 0 or, after a user block, at 512, 1024, 2048, ...
  private static func hdf5Signature(_ window: ByteWindow) throws(DataFileError) -> Int? {
    let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
    var offset = 0
    while offset + signature.count <= window.count {
      if try window.bytes(at: offset, count: signature.count, of: "signature") == signature {
        return offset
      }
      offset = offset == 0 ? 512 : offset * 2
    }
    return nil
  }
}
