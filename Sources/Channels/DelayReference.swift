import Parts

/// Where delay zero is: what is subtracted from the delays of a drop's paths.
public enum DelayReference: String, Choice {
  /// The earliest path arrives at zero.
  case first
  /// The strongest path arrives at zero; earlier ones have negative delays, which wrap to the last rows.
  case strongest
  /// The model's own delays, for geometric models counted from the transmission.
  case absolute

  /// The key that every model of paths offers.
  static func parameter(default value: DelayReference = .absolute) -> Parameter<DelayReference> {
    .choice(
      "delay_reference", default: value,
      """
      Where delay zero is: the first path, the strongest path (earlier ones wrap to the last rows), or absolute, the \
      delays as the model has them.
      """)
  }

  /// Moves the delays of one place; a drop whose places differ by slot is a call for each.
  ///
  /// - Parameter lead: how far the strongest path, that with most energy over the ports in the drop's first slot, is
  ///   behind the first one, in seconds. It is kept along the drop, so that the reference does not jump between paths.
  func apply(to paths: inout PathSet, lead: inout Double?) {
    guard self != .absolute, let first = paths.delays.min() else { return }
    let behind = lead ?? (self == .first ? 0 : Self.strongest(of: paths) - first)
    lead = behind
    let origin = first + behind
    guard origin != 0 else { return }
    for path in paths.delays.indices { paths.delays[path] -= origin }
  }

  private static func strongest(of paths: PathSet) -> Double {
    let energies = paths.delays.indices.map { paths.amplitudes[0].slice($0..<$0 + 1).energy }
    return paths.delays[energies.indices.max { energies[$0] < energies[$1] }!]
  }
}
