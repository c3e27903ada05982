import Foundation
import Synchronization

/// Raised by the first interrupt (Ctrl-C) or termination request, which is answered at once; the second one ends the program.
///
/// Nothing is lost either way: finished blocks are in the journal.
struct InterruptFlag {
  private static let count = Atomic(0)
  private static let answer: StaticString =
    "\n# interrupted: what is in work is finished; once more ends the program at once\n"

  init() {
    for signal in [SIGINT, SIGTERM] {
      Foundation.signal(signal) { _ in
        if InterruptFlag.count.wrappingAdd(1, ordering: .relaxed).oldValue > 0 { _exit(130) }
        // Nothing but a plain write is safe inside a handler.
        InterruptFlag.answer.withUTF8Buffer { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
      }
    }
  }

  var isRaised: Bool { InterruptFlag.count.load(ordering: .relaxed) > 0 }
}
