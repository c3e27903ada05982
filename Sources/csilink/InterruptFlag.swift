import Foundation
import Synchronization

/// Raised by the first interrupt (Ctrl-C) or termination request; the second one ends the program at once.
///
/// Nothing is lost either way: finished blocks are in the journal.
struct InterruptFlag {
  private static let count = Atomic(0)

  init() {
    for signal in [SIGINT, SIGTERM] {
      Foundation.signal(signal) { _ in
        if InterruptFlag.count.wrappingAdd(1, ordering: .relaxed).oldValue > 0 { _exit(130) }
      }
    }
  }

  var isRaised: Bool { InterruptFlag.count.load(ordering: .relaxed) > 0 }
}
