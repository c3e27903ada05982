/// Gives the gradients of values their memory.
///
/// A gradient lives from the first to the last region of the backward pass that touches it; values whose gradients
/// live at different times share memory, which thus stays in the cache.
struct GradientMemory {
  private var free: [FloatMemory] = []

  /// - Parameters:
  ///   - regions: of the backward pass, in its order.
  ///   - touched: values whose gradients a step reads or writes.
  ///   - kept: values whose gradients the caller reads or writes, with memory of their own.
  static func assign(
    _ regions: [[any Step]], touched: [ObjectIdentifier: [Storage]], kept: [Storage]
  ) {
    for storage in kept where storage.wantsGradient {
      storage.gradient = storage.gradient ?? FloatMemory(storage.count)
    }
    let storages = regions.map { region in
      region.flatMap { touched[ObjectIdentifier($0)] ?? [] }.filter(\.wantsGradient)
    }
    var last: [ObjectIdentifier: Int] = [:]
    for (index, used) in storages.enumerated() {
      for storage in used { last[ObjectIdentifier(storage)] = index }
    }
    let own = Set(kept.map { ObjectIdentifier($0) })
    var memory = GradientMemory()
    for (index, used) in storages.enumerated() {
      for storage in used where storage.gradient == nil {
        storage.gradient = memory.take(storage.count)
      }
      var released = own
      for storage in used
      where last[ObjectIdentifier(storage)] == index
        && released.insert(ObjectIdentifier(storage)).inserted
      {
        memory.free.append(storage.gradient!)
      }
    }
  }

  /// The smallest free memory that is large enough, the one released last among equals.
  private mutating func take(_ count: Int) -> FloatMemory {
    var best: Int?
    for (index, memory) in free.enumerated() where memory.count >= count {
      if best == nil || memory.count <= free[best!].count { best = index }
    }
    return best.map { free.remove(at: $0) } ?? FloatMemory(count)
  }
}
