import Parts

/// The encoder of one network with the decoder of another one whose codewords have the same length, such as a
/// student's encoder before its teacher's decoder.
public enum PairedNetworks: ComposedFamily {
  static let encoder = Parameter(
    "encoder", .text, default: "csinet", "The network whose encoder it has, settings and all.")
  static let decoder = Parameter(
    "decoder", .text, default: "crnet", "The network whose decoder it has.")

  public static let schema = PartSchema(
    .codec, "pair", "The encoder of one network with the decoder of another one.",
    parameters: [encoder.declaration, decoder.declaration])

  public static let images = "an image that both its networks can compress at some same ratio"

  public static func compressions(_ settings: Settings, image: Shape, in zoo: NetworkZoo)
    throws(NetworkError) -> [Int]
  {
    let others = try zoo.variant(settings[decoder]).compressions(image: image)
    return try zoo.variant(settings[encoder]).compressions(image: image)
      .filter(others.contains)
  }

  /// - Throws: ``NetworkError`` also for decoders of two inputs, codewords of different lengths and parameters of
  ///   equal keys.
  public static func autoencoder(
    _ settings: Settings, image: Shape, compression: Int, in zoo: NetworkZoo
  ) throws(NetworkError) -> Autoencoder {
    func network(_ key: Parameter<String>) throws(NetworkError) -> Autoencoder {
      try NetworkChoice(settings[key], compression: compression, image: image, zoo: zoo).autoencoder
    }
    func unfit(_ key: Parameter<String>, _ reason: String) -> NetworkError {
      .unfitSettings(SettingsError(part: schema.name, key: key.key, reason: reason))
    }
    let (front, back) = (try network(encoder), try network(decoder))
    guard back.decoder.graph.inputShapes.count == 1 else {
      throw unfit(decoder, "cannot be \(back.name), whose decoder reads two codewords")
    }
    guard front.codewordLength == back.codewordLength else {
      throw unfit(
        decoder,
        "reads \(back.codewordLength) reals, but \(front.name) gives \(front.codewordLength)")
    }
    let keys = Set(front.encoder.parameters.map(\.key))
    if let key = back.decoder.parameters.map(\.key).first(where: keys.contains) {
      throw unfit(decoder, "has a parameter '\(key)', as has the encoder of \(front.name)")
    }
    let codeword = front.encoder.graph.outputShapes[0]
    let inputs = back.decoder.graph.inputShapes
    return Autoencoder(
      name: "\(front.name) with the decoder of \(back.name)", compression: compression,
      encoder: front.encoder,
      decoder: Network(back.decoder.name, back.decoder.root, inputs: [codeword]) { received in
        back.decoder.graph.applied(to: [received[0].reshaped(inputs[0])])
      })
  }
}
