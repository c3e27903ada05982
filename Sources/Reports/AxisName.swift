/// What a swept path such as `pilots.snr_db` is called in tables and plots.
struct AxisName: Hashable {
  /// As short as it is unique among the swept paths and the ``reserved`` words: `snr`.
  let short: String
  /// From the ending of the key; nil if there is none, or if the values carry their unit.
  let unit: String?

  /// What the numbers of a result are called in the table: swept `quantizer.bits` are not the bits of the payload.
  private static let reserved: Set = ["bits", "drops", "rate", "bound", "stop"]

  static func names(of paths: [String]) -> [AxisName] {
    let split = paths.map { path in
      path.hasSuffix("_db") ? (key: String(path.dropLast(3)), unit: "dB") : (key: path, unit: nil)
    }
    let last = split.map { $0.key.lastComponent }
    return split.indices.map { i in
      let isUnique = last.count { $0 == last[i] } == 1 && !reserved.contains(last[i])
      return AxisName(
        short: (isUnique ? last[i] : split[i].key).onOneLine,
        unit: split[i].unit)
    }
  }
}

extension String {
  fileprivate var lastComponent: String {
    guard let dot = lastIndex(of: ".") else { return self }
    return String(self[index(after: dot)...])
  }
}
