import Foundation

/// Memory that ends, or begins, at a page that must not be touched: an access past it ends the process.
public final class GuardedMemory<Element>: @unchecked Sendable {
  public enum Guard: CaseIterable, Sendable { case behind, before }

  public let pointer: UnsafeMutablePointer<Element>
  private let region: UnsafeMutableRawPointer
  private let size: Int

  /// - Parameters:
  ///   - elements: initial content; of a trivial type.
  ///   - side: where the forbidden page lies.
  public init(_ elements: [Element], guarded side: Guard = .behind) {
    let page = sysconf(Int32(_SC_PAGESIZE))
    let bytes = elements.count * MemoryLayout<Element>.stride
    let room = (bytes + page - 1) / page * page
    size = room + 2 * page
    region = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    precondition(region != MAP_FAILED)
    precondition(mprotect(region, page, PROT_NONE) == 0)
    precondition(mprotect(region + page + room, page, PROT_NONE) == 0)
    let start = side == .behind ? region + page + room - bytes : region + page
    pointer = start.bindMemory(to: Element.self, capacity: max(elements.count, 1))
    for (i, element) in elements.enumerated() { pointer[i] = element }
  }

  deinit { munmap(region, size) }
}
