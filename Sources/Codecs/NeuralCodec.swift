import DataFiles
import Foundation
import LinkMath
import Networks
import Parts

/// A trained autoencoder: the encoder runs at the UE, the decoder at the BS.
///
/// `s = f(0.5 + 0.5 [re H, im H])`, `Ĥ = 2 (g(s) - 0.5)` with H the normalised CSI as an image [2, angle, delay]
/// (`CSIImages`). The codeword holds the encoder's M = 2 · ports · taps / n outputs; any real codeword decodes.
///
/// Reference: C.-K. Wen, W.-T. Shih, S. Jin, IEEE Wireless Commun. Lett. 7 (2018) 748, and the papers of the networks.
public struct NeuralCodec: CodewordCodec, Part {
  static let network = networkKey(of: .standard)

  private static func networkKey(of zoo: NetworkZoo) -> Parameter<String> {
    Parameter(
      "network", .name(zoo.words),
      "Name of the autoencoder, as 'csilink inspect' lists them, or a family with settings, 'acrnet {expansion: 4}'."
    )
  }

  static let weights = Parameter<FilePaths?>.optional(
    "weights", FilePaths.oneOrTwo,
    "Folder of weights with a file for each network, compression and side, or one file with both sides, or a list of two with one each; files may be checkpoints of PyTorch or Keras; needed to run."
  )

  static let label = Parameter<String?>.optional(
    "label", .text, "Label of the training (training.label) whose weights are taken from a folder.")

  static let sent = Parameter<Int?>.optional(
    "codeword_length", .integer(1...Int.max),
    "Reals of the codeword that are sent, its first ones; the decoder reads zeros for the others, as networks that were trained with training.codeword_lengths expect. All if left out."
  )

  public static let schema = description(of: .standard)

  /// The schema with the networks of a zoo.
  static func description(of zoo: NetworkZoo) -> PartSchema {
    PartSchema(
      .codec, "network", "A trained autoencoder such as CsiNet.",
      reference: "C.-K. Wen et al., IEEE WCL 7 (2018) 748, and the papers of the networks",
      parameters: [
        networkKey(of: zoo).declaration, CodewordSize.compression.declaration, weights.declaration,
        label.declaration, sent.declaration,
      ])
  }

  /// Both sides, laid out for inference.
  private struct Model: Sendable {
    let encoder, decoder: InferencePlan
    /// Files of their weights.
    let encoderPath, decoderPath: String
    /// What the training left for the quantiser.
    let quantizer: [String: RealArray]
    /// Normalisation rules that the files of the two sides name.
    let rules: Set<String>
  }

  private let model: Model
  private let network: NetworkChoice
  public let codewordLength: Int
  public let summary: String
  public let memoryBytes: (shared: Int, perThread: Int)

  /// - Throws: `SettingsError` for a network that does not suit the link; `DataFileError` for its weights.
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact? = nil) throws {
    let network = try Self.network(settings, in: context)
    guard let weights = settings[Self.weights] else {
      throw SettingsError(
        part: settings.part, key: Self.weights.key,
        reason: "is needed to run: the folder or file with the trained weights",
        hint: "'csilink train' makes them")
    }
    model = try Self.model(
      network, weights.map(context.path), label: settings[Self.label], shared: context.shared)
    if let other = model.rules.sorted().first(where: { $0 != context.normaliser }) {
      throw SettingsError(
        part: settings.part, key: Self.weights.key,
        reason: "was trained with normaliser \(other), but the link has \(context.normaliser)",
        hint: "write 'normaliser: \(other)', or train with normaliser \(context.normaliser)")
    }
    self.network = network
    let whole = network.autoencoder.codewordLength
    codewordLength = settings[Self.sent] ?? whole
    guard codewordLength <= whole else {
      throw SettingsError(
        part: settings.part, key: Self.sent.key,
        reason: "must be at most the \(whole) reals of \(network.title), got \(codewordLength)")
    }
    summary =
      Self.summary(network) + (codewordLength < whole ? "; \(codewordLength) reals sent" : "")
      + "; weights \(weights.text)"
    memoryBytes = (
      (SideDescription(network.autoencoder.encoder) + SideDescription(network.autoencoder.decoder))
        .weightBytes,
      model.encoder.scratchBytes + model.decoder.scratchBytes
    )
  }

  private static func summary(_ choice: NetworkChoice) -> String {
    func millions(_ count: Int) -> String { String(format: "%.3g M", Double(count) / 1e6) }
    let sides = WeightsFile.Side.allCases.map { side in
      let network = side.network(of: choice.autoencoder)
      return "\(side) \(millions(network.parameterCount)) parameters,"
        + " \(millions(network.graph.costs.allProducts)) multiply-accumulates"
    }
    return "\(choice.title): " + sides.joined(separator: "; ")
  }

  /// Reads and lays out the two sides; sweeps use the same weights at many points.
  private static func model(
    _ network: NetworkChoice, _ weights: FilePaths, label: String?, shared: SharedObjects
  ) throws
    -> Model
  {
    try shared.object("weights \(network.title) \(label ?? "") \(weights.text)") {
      let (encoder, decoder) = try WeightsFile.both(weights.paths, network, label: label)
      try decoder.requireTraining(of: encoder)
      return Model(
        encoder: try InferencePlan(network.autoencoder.encoder, weights: encoder.weights),
        decoder: try InferencePlan(network.autoencoder.decoder, weights: decoder.weights),
        encoderPath: encoder.path, decoderPath: decoder.path, quantizer: encoder.quantizer,
        rules: Set([encoder, decoder].compactMap(\.normaliser)))
    }
  }

  public static func files(_ settings: Settings, in context: LinkContext) -> [String] {
    guard let weights = settings[Self.weights], let network = try? choice(settings, in: context)
    else { return [] }
    return WeightsFile.files(
      at: weights.paths.map(context.path), network, label: settings[label])
  }

  public var trainedQuantizer: Artefact? {
    model.quantizer.isEmpty ? nil : Artefact(model.quantizer)
  }

  /// - Parameter csi: normalised angular-delay CSI [drop, delay, angle].
  /// - Returns: codeword [drop, M].
  /// - Throws: `DataFileError` for weights that give values which are not finite.
  public func encode(_ csi: ComplexArray) throws -> Codeword {
    csi.requireShape([nil, network.image.width, network.image.height], "[drop, delay, angle]")
    let whole = network.autoencoder.codewordLength
    let values = model.encoder.run(CSIImages.images(csi), [whole])
    try values.requireFinite("encoder's values of \(network.title)", model.encoderPath)
    return Codeword(values: values.resized(to: codewordLength))
  }

  public func decode(_ codeword: Codeword) throws -> ComplexArray {
    codeword.values.requireShape([nil, codewordLength], "[drop, M]")
    let whole = codeword.values.resized(to: network.autoencoder.codewordLength)
    let images = model.decoder.run(whole, [2, network.image.height, network.image.width])
    if codeword.values.isTame {
      try images.requireFinite("decoder's values of \(network.title)", model.decoderPath)
    }
    return CSIImages.csi(images)
  }
}

extension RealArray {
  /// Rows [drop, value] cut or filled with zeros at the end.
  fileprivate func resized(to length: Int) -> RealArray {
    let (rows, own) = (shape[0], shape[1])
    if own == length { return self }
    var result = RealArray(repeating: 0, shape: [rows, length])
    withUnsafeElements { values in
      result.withUnsafeMutableElements { result in
        for row in 0..<rows {
          for i in 0..<Swift.min(own, length) { result[row * length + i] = values[row * own + i] }
        }
      }
    }
    return result
  }
}

extension NeuralCodec {
  /// Word of the training whose weights are taken.
  package static func label(_ codec: Settings) -> String? { codec[label] }

  /// Folder or files of the weights; nil if the settings name none.
  package static func weights(_ codec: Settings, in context: LinkContext) -> FilePaths? {
    codec[weights]?.map(context.path)
  }

  /// Whether the settings of a codec name a network without weights.
  package static func isUntrained(_ codec: Settings) -> Bool {
    codec.part == schema.name && codec[weights] == nil
  }

  /// The network of the settings for the image of a link; weights are not looked at.
  private static func choice(_ settings: Settings, in context: LinkContext) throws(NetworkError)
    -> NetworkChoice
  {
    try NetworkChoice(
      settings[network],
      compression: settings[CodewordSize.compression] ?? CodewordSize.defaultCompression,
      image: .image(angles: context.portCount, taps: context.tapCount),
      zoo: context.catalogues[NetworkZoo.self] ?? .standard)
  }

  /// One side's file of weights that the settings of a codec name.
  ///
  /// - Throws: `SettingsError` if they name none or weights of another normaliser, `DataFileError` for the file.
  package static func weights(
    _ settings: Settings, _ network: NetworkChoice, in context: LinkContext,
    _ side: WeightsFile.Side
  ) throws -> WeightsFile {
    guard let places = settings[weights] else {
      throw SettingsError(
        part: settings.part, key: weights.key,
        reason: "is needed: the folder or file with the trained weights",
        hint: "'csilink train' makes them")
    }
    let file = try WeightsFile(
      places.paths.map(context.path), network, label: settings[label], side)
    guard let rule = file.normaliser, rule != context.normaliser else { return file }
    throw SettingsError(
      part: settings.part, key: weights.key,
      reason: "was trained with normaliser \(rule), but the link has \(context.normaliser)",
      hint: "write 'normaliser: \(rule)', or train with normaliser \(context.normaliser)")
  }

  /// The network that the settings name for the CSI of a link; weights are not looked at.
  ///
  /// - Parameters:
  ///   - settings: of the codec.
  ///   - context: what the stages before have settled.
  ///   - isForTraining: whether it may need the codeword as it was before the feedback link, which only a training has.
  /// - Throws: `SettingsError` for a ratio or an image that it is not defined for, for networks that no link can run, and for
  ///   CSI beyond the range of the network.
  public static func network(
    _ settings: Settings, in context: LinkContext, isForTraining: Bool = false
  ) throws(SettingsError) -> NetworkChoice {
    let network = try found(settings, in: context)
    if let reason = obstacle(network.autoencoder, isForTraining) {
      throw SettingsError(
        part: settings.part, key: Self.network.key,
        reason: "\(network.name) cannot run in a link: \(reason)",
        hint: "write 'network: \(network.familyName)'")
    }
    // The only rule whose CSI stays within the unit circle.
    let confined = "sample_max_modulus"
    guard network.autoencoder.decoder.outputRange == nil || context.normaliser == confined else {
      throw SettingsError(
        part: settings.part, key: Self.network.key,
        reason: "\(network.name) gives values in [0, 1] only, but CSI of normaliser"
          + " \(context.normaliser) goes beyond",
        hint: "write 'normaliser: \(confined)'")
    }
    return network
  }

  /// As ``choice(_:in:)``, with the errors of settings.
  private static func found(_ settings: Settings, in context: LinkContext) throws(SettingsError)
    -> NetworkChoice
  {
    do {
      return try choice(settings, in: context)
    } catch {
      switch error {
      case .unsupportedCompression(let name, let ratio, let image, let defined):
        throw SettingsError(
          part: settings.part, key: CodewordSize.compression.key,
          reason: "of \(name) must be one of \(defined.map(String.init).joined(separator: ", "))"
            + (image == .publicImage ? "" : " for \(image.height) ports and \(image.width) taps")
            + ", got \(ratio)")
      case .unsupportedImage(let name, let image, let images):
        throw SettingsError(
          part: settings.part, key: Self.network.key,
          reason: "\(name) cannot compress CSI of \(image.height) ports and \(image.width) taps;"
            + " it needs \(images)",
          hint: "set transform.taps, or the ports of the channel")
      default:
        throw SettingsError(
          part: settings.part, key: Self.network.key, reason: "is unfit: \(error)")
      }
    }
  }

  /// Why no link can run a network; nil if one can.
  private static func obstacle(_ autoencoder: Autoencoder, _ isForTraining: Bool) -> String? {
    if !isForTraining, autoencoder.decoder.graph.inputShapes.count > 1 {
      return "its decoder needs the codeword as it was before the feedback link"
    }
    if autoencoder.encoder.attendsAcrossBatch || autoencoder.decoder.attendsAcrossBatch {
      return "it attends across the batch, so a drop would depend on the others"
    }
    return nil
  }
}

extension PartRegistry {
  /// The same with the networks of another zoo, such as the standard one with families of a program's own.
  ///
  /// - Precondition: it has the codec of networks, as the standard registry.
  public func with(_ zoo: NetworkZoo) -> PartRegistry {
    with(zoo, schema: NeuralCodec.description(of: zoo))
  }
}
