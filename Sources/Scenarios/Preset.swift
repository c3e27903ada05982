/// A named set of defaults for a link, merged below everything that a scenario says.
public struct Preset: Sendable {
  /// The word after `preset:`.
  public let name: String
  /// One sentence for lists of presets.
  public let summary: String
  /// The entries of a `link:` section.
  public let link: String

  /// A preset; `link` is YAML, the entries of a `link:` section.
  public init(_ name: String, _ summary: String, link: String) {
    self.name = name
    self.summary = summary
    self.link = link
  }
}

extension Preset {
  /// The link of the public CsiNet data set, indoors: grid, channel, transform and normaliser.
  ///
  /// C.-K. Wen, W.-T. Shih, S. Jin, *Deep Learning for Massive MIMO CSI Feedback*, IEEE WCL 2018. The paper speaks of 1024
  /// sub-carriers in 20 MHz; the authors' test script works on 257 tones from edge to edge of the 20 MHz. It puts the BS in
  /// the centre of the 20 m square; weights trained on the data show that it stood at a corner.
  public static let csinet = Preset(
    "csinet", "grid, channel, transform and normaliser of the public CsiNet data set, indoors",
    link: """
      grid: {tones: 257, spacing: 78125 Hz, carrier_frequency: 5.3 GHz}
      channel: {type: cost2100, environment: indoor}
      transform: {delay_dft: inverse, angle_dft: forward, angle_shift: 16, taps: 32}
      normaliser: sample_max_modulus
      """)
}
