import DataFiles

/// The tensors of one or more foreign files under names without wrappers.
struct ForeignFiles {
  /// A tensor and its name without `module` and other levels that wrappers put in.
  struct Tensor {
    let file: Int
    let name: String
    let saved: SavedTensor
  }

  /// Names below one prefix in one file.
  struct Group: Hashable, Comparable {
    let file: Int
    /// Empty, or ending in a dot.
    let prefix: String

    static func < (a: Group, b: Group) -> Bool {
      (a.prefix.utf8.count, a.prefix, a.file) < (b.prefix.utf8.count, b.prefix, b.file)
    }
  }

  /// Parts of names that `DataParallel` and `torch.compile` put in.
  private static let wrappers: Set<Substring> = ["module", "_orig_mod"]
  /// Last parts of names of counters beside the weights.
  private static let counters: Set<Substring> = [
    "num_batches_tracked", "total_ops", "total_params",
  ]

  let paths: [String]
  let archives: [TensorArchive]
  let tensors: [Tensor]
  /// Counters that were left out.
  let counterCount: Int
  let isKeras: Bool

  init(_ paths: [String]) throws {
    self.paths = paths
    archives = try paths.mapAll { try TensorArchive($0) }
    isKeras = archives.contains { $0.format == .keras }
    var tensors: [Tensor] = []
    var counters = 0
    for (file, archive) in archives.enumerated() {
      let names =
        archive.format == .keras
        ? KerasNames.canonical(archive.tensors) : archive.tensors.map(\.name)
      for (name, saved) in zip(names, archive.tensors) {
        let parts = name.split(separator: ".")
        if let last = parts.last, Self.counters.contains(last) {
          counters += 1
          continue
        }
        let kept = parts.filter { !Self.wrappers.contains($0) }.joined(separator: ".")
        tensors.append(Tensor(file: file, name: kept, saved: saved))
      }
    }
    self.tensors = tensors
    counterCount = counters
  }

  /// The tensors of a group by the rest of their names.
  func tensors(of group: Group) -> [String: Tensor] {
    var found: [String: Tensor] = [:]
    for tensor in tensors where tensor.file == group.file && tensor.name.hasPrefix(group.prefix) {
      found[String(tensor.name.dropFirst(group.prefix.count))] = tensor
    }
    return found
  }

  /// How many of some names each group has.
  func groups(of names: Set<String>) -> [Group: Int] {
    var counts: [Group: Int] = [:]
    for tensor in tensors {
      var start = tensor.name.startIndex
      while true {
        if names.contains(String(tensor.name[start...])) {
          counts[Group(file: tensor.file, prefix: String(tensor.name[..<start])), default: 0] += 1
        }
        guard let dot = tensor.name[start...].firstIndex(of: ".") else { break }
        start = tensor.name.index(after: dot)
      }
    }
    return counts
  }

  /// Parts of the names above the last one, those at the beginning first.
  var levels: [String] {
    let paths = tensors.map { $0.name.split(separator: ".").dropLast().map { String($0) } }
    var seen: Set<String> = []
    return (0..<(paths.map(\.count).max() ?? 0)).flatMap { depth in
      paths.compactMap { $0.count > depth ? $0[depth] : nil }
    }.filter { seen.insert($0).inserted }
  }

  /// `a.pth (PyTorch zip)`.
  var text: String {
    archives.map { "\($0.file) (\($0.format.rawValue))" }.joined(separator: ", ")
  }
}
