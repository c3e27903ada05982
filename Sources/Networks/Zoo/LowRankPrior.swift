import Parts

/// LRP, the low-rank prior: real measurements of both planes at the UE and complex rank-one terms at the BS, without convolutions.
/// S. Tang, DCRNetV2, 2026, released code (github.com/tangshunpu/DCRNetV2).
public enum LowRankPrior: NetworkFamily {
  static let ranks = Parameter.integer(
    "ranks", default: 4, in: 1...256, "Rank-one terms r of the map; 4, 8 or 16 in the release.")
  static let measurements = Parameter.integer(
    "measurements", default: 128, in: 1...8192,
    "Measurements d of each plane; 128 or 512 in the release.")

  public static let schema = PartSchema(
    .codec, "lrp", "LRP: real measurements of both planes, complex rank-one terms.",
    reference: "S. Tang, DCRNetV2, 2026, github.com/tangshunpu/DCRNetV2",
    parameters: [ranks.declaration, measurements.declaration])

  public static func autoencoder(_ settings: Settings, image: Shape, compression: Int)
    throws(NetworkError) -> Autoencoder
  {
    let length = image.count / compression
    let measured = MeasuredCodeword(
      BilinearMeasurement(image, count: settings[measurements], isComplex: false), length: length)
    return Autoencoder(
      name: "LRP", compression: compression, image: image,
      encoder: Sequential([("encoder", measured)]),
      decoder: Sequential([
        ("decoder", DirectRanks(image, length: length, ranks: settings[ranks]))
      ]))
  }
}
