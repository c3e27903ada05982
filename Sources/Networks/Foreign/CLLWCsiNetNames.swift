/// CLLWCsiNet as released: a file of its own for each ratio, with other names in that of 1/4 than in the others.
enum CLLWCsiNetNames: ForeignNaming {
  static let family: String? = "cllwcsinet"
  static let origin = "the authors' checkpoints"

  /// Unit here, unit at 1/4, unit at the other ratios.
  private static let units: [(String, String, String)] = [
    ("enc.p1a", "encoder_p1.conv1x7", "encoder_p1.first_conv1x7"),
    ("enc.p1b", "encoder_p1.conv7x1", "encoder_p1.second_conv1x7"),
    ("enc.p2a", "encoder_p2.conv1x5", "encoder_p2.conv1x3"),
    ("enc.p2b", "encoder_p2.conv5x1", "encoder_p2.conv3x1"),
    ("enc.p3a", "encoder_p3.conv1x3", "encoder_p3.conv1x3"),
    ("enc.p3b", "encoder_p3.conv3x1", "encoder_p3.conv3x1"),
    ("enc.merge", "con1x1", "con1x1"),
    ("lat.a1", "encoder_compression.conv.conv1", "encoder_compression.conv.first_conv1x7"),
    ("lat.a2", "encoder_compression.conv.conv2", "encoder_compression.conv.second_Conv1x7"),
    ("lat.a3", "", "encoder_compression.conv.third_Conv1x7"),
    ("lat.b", "encoder_compression.conv_2", "encoder_compression.conv_2"),
    ("lat.c", "encoder_compression.conv_3", "encoder_compression.conv_3"),
    ("dec.u1", "decoder_get_feedback_in_UE.conv1", "decoder_get_feedback_in_UE.first_conv1x7"),
    ("dec.u2", "decoder_get_feedback_in_UE.conv2", "decoder_get_feedback_in_UE.conv1x7"),
    ("dec.u3", "", "decoder_get_feedback_in_UE.second_conv1x7"),
    ("den.d1", "\(denoiser).conv1", "\(denoiser).conv_1x7"),
    ("den.d2", "\(denoiser).conv2", "\(denoiser).conv_7x1"),
    ("den.d3", "", "\(denoiser).conv_3x3"),
    ("out", "_last_cov.last_conv", "_last_cov.firstcov2"),
  ]
  private static let denoiser = "remove_AGN"
  private static let ordinals = ["first", "second", "third"]

  static func entries(
    _ choice: NetworkChoice, _ side: WeightsFile.Side, _ options: ForeignOptions
  ) -> [ForeignEntry]? {
    let isQuarter = choice.compression == 4
    var units: [String: String] = [:]
    for (unit, quarter, other) in Self.units { units[unit] = isQuarter ? quarter : other }
    for block in 0..<2 {
      let (own, foreign) = ("ref\(block)", "decoder_refine_net.\(block)")
      units["\(own).merge"] = "\(foreign).conv1x1"
      for (index, ordinal) in ordinals.enumerated() {
        units["\(own).a\(index + 1)"] =
          "\(foreign).conv.\(ordinal)_\(isQuarter || index == 0 ? "c" : "C")onv1x7"
        units["\(own).b\(index + 1)"] =
          isQuarter
          ? "\(foreign).conv_1.\(ordinal)_conv1x5"
          : "\(foreign).conv_1.\(ordinal)_\(index == 0 ? "c" : "C")onv1x7"
      }
    }
    var entries: [ForeignEntry] = []
    for (key, _) in side.network(of: choice.autoencoder).parameters {
      // The last two names are the same here and there: conv.weight, bn.running_mean and so on.
      let parts = key.split(separator: ".")
      let unit = parts.dropLast(2).joined(separator: ".")
      guard let foreign = units[unit], !foreign.isEmpty else { return nil }
      let end = parts.suffix(2).joined(separator: ".")
      entries.append(ForeignEntry(["\(foreign).\(end)"], key))
    }
    return entries
  }

  /// Files have the denoiser whether or not it was trained.
  static func leftOut(_ choice: NetworkChoice) -> [String] {
    let keys = choice.autoencoder.decoder.parameters.map(\.key)
    return keys.contains { $0.hasPrefix("den.") } ? [] : [denoiser]
  }
}
