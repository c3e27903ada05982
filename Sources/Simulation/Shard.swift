/// A share of the blocks of a run: every n-th one, `index` of `count`, counted from 1.
public struct Shard: Sendable, Hashable, CustomStringConvertible {
  /// Which share, from 1.
  public let index: Int
  /// Into how many shares the run is divided.
  public let count: Int

  /// The whole run.
  public static let whole = Shard(index: 1, count: 1)

  private init(index: Int, count: Int) {
    self.index = index
    self.count = count
  }

  /// Reads `2/3`; nil unless 1 <= index <= count <= 10000.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let index = parts[0], let count = parts[1],
      (1...10_000).contains(count), (1...count).contains(index)
    else { return nil }
    self.init(index: index, count: count)
  }

  /// The share whose journal has this name, `journal-2of3.log`; nil for that of a whole run and other files.
  init?(journal name: String) {
    guard let match = name.wholeMatch(of: /journal-(\d+)of(\d+)\.log/) else { return nil }
    self.init("\(match.1)/\(match.2)")
  }

  /// The share as `2/3`.
  public var description: String { "\(index)/\(count)" }

  func contains(_ block: Int) -> Bool { block % count == index - 1 }

  var firstBlock: Int { index - 1 }

  /// Drops in this share of a run.
  func dropCount(of run: PreparedRun) -> Int {
    guard firstBlock < run.blockCount else { return 0 }
    let blocks = (run.blockCount - 1 - firstBlock) / count + 1
    let last = run.blockCount - 1
    // Only the last block of a run can have fewer drops.
    let missing = contains(last) ? run.blockSize - run.dropCount(ofBlock: last) : 0
    return blocks * run.blockSize - missing
  }
}
