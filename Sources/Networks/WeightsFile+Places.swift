import DataFiles
import Foundation

extension WeightsFile {
  /// The file that one side is read from, whether or not it exists.
  ///
  /// - Parameters:
  ///   - path: a folder of weights or a file.
  ///   - network: network, ratio and image.
  ///   - label: word that tells several trainings of one network apart.
  ///   - side: which half.
  public static func file(
    at path: String, _ network: NetworkChoice, label: String? = nil, _ side: Side
  ) -> String {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    return exists && isFolder.boolValue
      ? WeightsFile.path(in: path, network, label: label, side) : path
  }

  /// The files that both sides are read from, as ``init(_:_:label:_:)-(String,_,_,_)`` finds them, sorted; they need not exist.
  public static func files(
    at paths: [String], _ network: NetworkChoice, label: String? = nil
  ) -> [String] {
    let files = paths.flatMap { path in
      Side.allCases.map { file(at: path, network, label: label, $0) }
    }
    return Set(files).sorted()
  }

  /// Reads one side from the first of several files or folders that has it; files of other programs hold it together.
  ///
  /// - Parameters:
  ///   - paths: at least one, each as for ``init(_:_:label:_:)-(String,_,_,_)``.
  ///   - network: network, ratio and image.
  ///   - label: word that tells several trainings of one network apart.
  ///   - side: which half.
  /// - Throws: as ``init(_:_:label:_:)-(String,_,_,_)``; of several refusals those of the files which do not say that they are the other side.
  public init(
    _ paths: [String], _ network: NetworkChoice, label: String? = nil, _ side: Side
  ) throws {
    if paths.count > 1, paths.allSatisfy(Self.isForeign) {
      try self.init(foreign: paths, network, side)
      return
    }
    var first: (any Error)?
    var refusals: [any Error] = []
    for path in paths {
      do {
        try self.init(path, network, label: label, side)
        return
      } catch {
        if first == nil { first = error }
        let other = (try? ArrayFile.metadata(path))?["side"]
        if other == nil || other == side.rawValue { refusals.append(error) }
      }
    }
    throw SeveralErrors.joined(refusals) ?? first ?? NetworkError.missingWeights(side.rawValue)
  }

  /// Reads both sides from files or folders, as ``init(_:_:label:_:)-([String],_,_,_)`` reads one.
  ///
  /// - Returns: the encoder's file and the decoder's, which may be the same.
  /// - Throws: what is wrong with either, all at once; a file is told once, and so is a folder that has neither.
  public static func both(
    _ paths: [String], _ network: NetworkChoice, label: String? = nil
  ) throws -> (encoder: WeightsFile, decoder: WeightsFile) {
    var files: [WeightsFile] = []
    var errors: [any Error] = []
    for side in Side.allCases {
      do {
        files.append(try WeightsFile(paths, network, label: label, side))
      } catch {
        errors += (error as? SeveralErrors)?.errors ?? [error]
      }
    }
    var seen: Set<String> = []
    let told = errors.filter { error in
      guard let file = (error as? DataFileError)?.file else { return seen.insert("").inserted }
      let isThere = FileManager.default.fileExists(atPath: file)
      let folder = URL(filePath: file).deletingLastPathComponent().path
      return seen.insert(isThere || paths.contains(file) ? file : folder).inserted
    }
    if let error = SeveralErrors.joined(told) { throw error }
    return (files[0], files[1])
  }

  /// Whether another program wrote a file.
  private static func isForeign(_ path: String) -> Bool {
    guard let archive = TensorArchive.format(path), ArrayFormat.suffix(of: path) != "npz" else {
      return false
    }
    return archive != .safetensors || (try? ArrayFile.metadata(path))?["format"] != format
  }

  /// What a folder has of the side that was not found, or of files that other programs wrote.
  static func others(beside path: String, _ side: Side) -> String {
    let folder = URL(filePath: path).deletingLastPathComponent().path
    let all = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    func listed(_ files: [String]) -> String {
      let more = files.count > 4 ? " and \(files.count - 4) more" : ""
      return files.prefix(4).map(\.onOneLine).joined(separator: ", ") + more
    }
    let own = all.filter { $0.hasSuffix("-\(side.rawValue).safetensors") }
    if !own.isEmpty { return "the folder has \(listed(own)); " }
    let foreign = all.filter { isForeign("\(folder)/\($0)") }
    return foreign.isEmpty
      ? ""
      : "the folder has \(listed(foreign)): name one file, or a list of the encoder's and the decoder's; "
  }
}
