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

  /// Moves the delays, the same in all slots; the strongest path is the one with most energy over the ports in the first slot.
  func apply(to paths: inout PathSet) {
    let origin: Double?
    switch self {
    case .absolute: return
    case .first: origin = paths.delays.min()
    case .strongest:
      let energies = paths.delays.indices.map { paths.amplitudes[0].slice($0..<$0 + 1).energy }
      origin = energies.indices.max { energies[$0] < energies[$1] }.map { paths.delays[$0] }
    }
    guard let origin, origin != 0 else { return }
    for path in paths.delays.indices { paths.delays[path] -= origin }
  }
}
