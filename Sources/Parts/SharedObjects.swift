import Synchronization

/// Large objects that several parts of a link use, such as trained weights: each is made once.
///
/// A sweep makes a part for every prefix of stages before it; without this the weights would be in memory as often.
public final class SharedObjects: Sendable {
  private let objects = Mutex<[String: any Sendable]>([:])

  /// An empty store.
  public init() {}

  /// The object of that name, made by the first caller.
  ///
  /// - Precondition: a name always goes with the same type.
  public func object<Object: Sendable>(_ name: String, make: () throws -> Object) throws -> Object {
    if let known = objects.withLock({ $0[name] }) { return known as! Object }
    let made = try make()
    objects.withLock { $0[name] = made }
    return made
  }
}
