/// CsiNet in Keras: the original release, channels first with a batch normalisation for each delay column, and later trainings with
/// channels last. Layers are known by kind and number: `conv2d.0`, `conv2d.1`, `dense.0` and so on (``KerasNames``).
enum CsiNetKerasNames: ForeignNaming {
  static let family: String? = "csinet"
  static let origin = "Keras"
  static let isKeras = true

  private static let variables = [
    "weight": "gamma", "bias": "beta", "running_mean": "moving_mean",
    "running_var": "moving_variance",
  ]

  static func entries(
    _ choice: NetworkChoice, _ side: WeightsFile.Side, _ options: ForeignOptions
  ) -> [ForeignEntry]? {
    let autoencoder = choice.autoencoder
    let numbers = numbers(autoencoder)
    let isLast = isChannelsLast(choice, options)
    var entries: [ForeignEntry] = []
    for (key, parameter) in side.network(of: autoencoder).parameters {
      guard let dot = key.lastIndex(of: "."), let layer = numbers[String(key[..<dot])] else {
        return nil
      }
      let variable = String(key[key.index(after: dot)...])
      var transform = ForeignTransform.same
      var foreign = variable
      switch (layer.kind, variable) {
      case ("batch_normalization", _): foreign = variables[variable] ?? variable
      case ("conv2d", "weight"): (foreign, transform) = ("kernel", .kernel)
      case ("dense", "weight"):
        foreign = "kernel"
        transform = .dense
        if isLast {
          transform =
            parameter.shape[1] == choice.image.count && side == .encoder
            ? .denseFromImage(choice.image) : .denseToImage(choice.image)
        }
      case ("dense", _) where isLast && side == .decoder: transform = .image(choice.image)
      default: break
      }
      entries.append(
        ForeignEntry(["\(layer.kind).\(layer.number).\(foreign)"], key, transform))
    }
    return entries
  }

  /// Keras normalises the last axis by default: that of the channels with channels last, the delay column otherwise.
  static func isChannelsLast(_ choice: NetworkChoice, _ options: ForeignOptions) -> Bool {
    if let given = options.flattening { return given == .channelsLast }
    return choice.autoencoder.encoder.parameters.contains {
      $0.key == "enc_bn.weight" && $0.parameter.count == choice.image.channels
    }
  }

  /// Layers by kind, counted in the order of the network from encoder to decoder.
  private static func numbers(_ autoencoder: Autoencoder) -> [String: (kind: String, number: Int)] {
    var numbers: [String: (kind: String, number: Int)] = [:]
    var next: [String: Int] = [:]
    for (key, _) in autoencoder.encoder.parameters + autoencoder.decoder.parameters {
      guard let dot = key.lastIndex(of: ".") else { continue }
      let layer = String(key[..<dot])
      guard numbers[layer] == nil, let name = layer.split(separator: ".").last else { continue }
      let kind =
        name.contains("bn") ? "batch_normalization" : name.contains("fc") ? "dense" : "conv2d"
      numbers[layer] = (kind, next[kind, default: 0])
      next[kind, default: 0] += 1
    }
    return numbers
  }
}
