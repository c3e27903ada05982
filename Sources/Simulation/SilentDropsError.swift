/// More than half of the drops have no energy: what is left is no sample of the channel.
public struct SilentDropsError: Error, Sendable, CustomStringConvertible {
  /// Drops without energy.
  public let silent: Int
  /// All drops.
  public let drops: Int
  /// What the drops are for.
  public let use: String

  init(silent: Int, drops: Int, of use: String) {
    self.silent = silent
    self.drops = drops
    self.use = use
  }

  /// The numbers and a hint as a terminal shows them.
  public var description: String {
    "\(silent) of the \(drops) drops of \(use) have no energy, more than half\n"
      + "  hint: 'csilink data describe' shows what is in a file; remove blocked users from it"
  }
}
