import DataFiles
import LinkMath
import Scenarios

extension PreparedRun {
  /// What journals of a run must have.
  static func header(
    _ scenario: Scenario, _ settings: RunSettings, _ report: ReportSettings, _ tree: LinkTree
  ) -> JournalHeader {
    let weights = tree.fileDigests[.codec] ?? [:]
    let data = tree.fileDigests.filter { $0.key != .codec }.reduce(into: [:]) {
      $0.merge($1.value) { $1 }
    }
    return JournalHeader(
      physics: physics(scenario, settings, report),
      blockSize: settings.blockSize ?? defaultBlockSize(tree),
      numbers: tree.layout.numbers, users: tree.layout.users,
      provenance: Provenance(
        scenarioDigest: String(Digest.sha256(scenario.canonical).prefix(16)),
        dataDigest: digest(ofFiles: data), weightsDigest: digest(ofFiles: weights),
        build: ProgramIdentity.build, kernel: ProgramIdentity.kernel,
        version: ProgramIdentity.version))
  }

  /// One digest for several files by path, in the order of their paths; empty without files.
  private static func digest(ofFiles digests: [String: String]) -> String {
    let ordered = digests.sorted { $0.key < $1.key }.map(\.value)
    return ordered.isEmpty ? "" : String(Digest.sha256(ordered.joined()).prefix(16))
  }

  /// Everything that the numbers of a drop depend on, but for the files that the parts read.
  private static func physics(
    _ scenario: Scenario, _ settings: RunSettings, _ report: ReportSettings
  ) -> String {
    var digest = Digest()
    let add = { (text: String, digest: inout Digest) in
      var text = text
      text.withUTF8 { digest.update(UnsafeRawBufferPointer($0)) }
    }
    add("seed \(settings.seed)\n\(report.physics)\n", &digest)
    for point in scenario.points {
      for section in point.settings.keys.sorted() {
        add(point.settings[section]!.canonical + "\n", &digest)
      }
      add("\n", &digest)
    }
    return digest.finish()
  }

  /// About 8 MiB for the channel of a block: enough drops for the products of the codecs, little memory.
  private static func defaultBlockSize(_ tree: LinkTree) -> Int {
    let bytes = tree.users * tree.channels.map { $0.responseByteCount * $0.slots.count }.max()!
    return max(1, min(64, (8 << 20) / bytes))
  }
}
