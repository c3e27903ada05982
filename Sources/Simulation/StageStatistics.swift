import Foundation
import Parts
import Synchronization

/// Calls and time of each node of the tree: what `--stats` prints and what the tests count.
public final class StageStatistics: Sendable {
  /// Work of one node.
  public struct Entry: Sendable, Hashable {
    /// Blocks that the node worked on.
    public var calls = 0
    /// Time that it took, over all threads.
    public var seconds = 0.0
  }

  private let entries: Mutex<[Entry]>
  private let sections: [Section]

  init(_ sections: [Section]) {
    self.sections = sections
    entries = Mutex(Array(repeating: Entry(), count: sections.count))
  }

  func add(_ block: [Entry]) {
    entries.withLock { entries in
      for (i, entry) in block.enumerated() {
        entries[i].calls += entry.calls
        entries[i].seconds += entry.seconds
      }
    }
  }

  /// One entry for each node of the tree, with its section.
  public var nodes: [(section: Section, entry: Entry)] {
    entries.withLock { Array(zip(sections, $0)) }
  }

  /// Sums over the nodes of each section, in stage order.
  public var stages: [(section: Section, nodes: Int, entry: Entry)] {
    let nodes = self.nodes
    return Set(sections).sorted().map { section in
      let members = nodes.filter { $0.section == section }
      let sum = members.reduce(into: Entry()) {
        $0.calls += $1.entry.calls
        $0.seconds += $1.entry.seconds
      }
      return (section, members.count, sum)
    }
  }
}

/// Monotonic time in seconds; read without a system call, since it is read before and after every piece of work.
private func monotonicSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Times the stages of one block; one for each block, so nothing is shared.
final class StageTimer {
  private(set) var entries: [StageStatistics.Entry]

  init(nodeCount: Int) { entries = Array(repeating: .init(), count: nodeCount) }

  /// Runs a piece of work of a node. A call is what a node does for a whole block, of however many pieces.
  func measure<R>(_ node: Int, _ body: () throws -> R) rethrows -> R {
    let start = monotonicSeconds()
    let result = try body()
    entries[node].calls = 1
    entries[node].seconds += monotonicSeconds() - start
    return result
  }
}

extension Duration {
  /// The duration in seconds.
  public var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
