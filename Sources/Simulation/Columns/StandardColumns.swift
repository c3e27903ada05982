extension Column {
  /// `drops`: drops of the point.
  public static let drops = Column("drops", "Drops of the point.") { .count($0.drops) }
  /// `stop_reason`: why no more drops were run: max, all of them; ci, the stop rule.
  public static let stopReason = Column(
    "stop_reason", "Why no more drops were run: max, all of them; ci, the stop rule."
  ) { .word($0.stopReason.rawValue) }
  /// `zero_energy_drops`: drops without energy, left out of all means.
  public static let zeroEnergyDrops = Column(
    "zero_energy_drops",
    "Drops without energy, left out of all means; with several users, channels of users."
  ) { .count($0.zeroEnergyDrops) }
}
