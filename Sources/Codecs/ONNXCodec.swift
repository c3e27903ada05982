import DataFiles
import Foundation
import LinkMath
import Networks
import Parts

/// A trained autoencoder of any framework in two ONNX files: the encoder runs at the UE, the decoder at the BS.
///
/// `s = f(0.5 + 0.5 [re H, im H])`, `Ĥ = 2 (g(s) - 0.5)` with H the normalised CSI as an image [2, angle, delay]
/// (`CSIImages`), as for ``NeuralCodec``; `ONNXNetwork` reads the files. The codeword holds the encoder's outputs. `csilink train` goes on from
/// the weights of the files.
public struct ONNXCodec: CodewordCodec, Part {
  static let encoder = Parameter<String>(
    "encoder", .file,
    "ONNX file of the encoder: images [batch, 2, angle, delay] or [batch, 2 · angle · delay] to codewords."
  )
  static let decoder = Parameter<String>(
    "decoder", .file, "ONNX file of the decoder: codewords to images.")
  static let weights = Parameter<FilePaths?>.optional(
    "weights", FilePaths.oneOrTwo,
    "Folder, file or two files of weights that 'csilink train' made of the two files, in place of theirs."
  )
  static let label = Parameter<String?>.optional(
    "label", .text, "Label of the training (training.label) whose weights are taken from a folder.")

  public static let schema = PartSchema(
    .codec, "onnx", "An autoencoder of any framework, its encoder and decoder in ONNX files.",
    reference: "Open Neural Network Exchange, github.com/onnx/onnx",
    parameters: [
      encoder.declaration, decoder.declaration, weights.declaration, label.declaration,
    ])

  /// Both sides, laid out for inference.
  private struct Model: Sendable {
    let network: NetworkChoice
    let encoder, decoder: InferencePlan
    /// Files of their weights.
    let encoderPath, decoderPath: String
    /// What a training left for the quantiser.
    let quantizer: [String: RealArray]

    /// With the weights of the files.
    init(_ onnx: ONNXAutoencoder, _ paths: (encoder: String, decoder: String)) throws {
      network = onnx.choice
      encoder = try InferencePlan(network.autoencoder.encoder, weights: onnx.weights)
      decoder = try InferencePlan(network.autoencoder.decoder, weights: onnx.weights)
      (encoderPath, decoderPath, quantizer) = (paths.encoder, paths.decoder, [:])
    }

    /// With those of a training.
    init(_ network: NetworkChoice, _ ue: WeightsFile, _ bs: WeightsFile) throws {
      try bs.requireTraining(of: ue)
      self.network = network
      encoder = try InferencePlan(network.autoencoder.encoder, weights: ue.weights)
      decoder = try InferencePlan(network.autoencoder.decoder, weights: bs.weights)
      (encoderPath, decoderPath, quantizer) = (ue.path, bs.path, ue.quantizer)
    }
  }

  private let model: Model
  public let codewordLength: Int
  public let summary: String
  public let memoryBytes: (shared: Int, perThread: Int)

  /// - Throws: `DataFileError` for a file that cannot be read, `SeveralErrors` for two; `SettingsError` for networks that do not suit the link or each other.
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact? = nil) throws {
    let onnx = try Self.autoencoder(settings, in: context)
    let network = onnx.choice
    let paths = Self.paths(settings, in: context)
    if let weights = settings[Self.weights]?.map(context.path) {
      let label = settings[Self.label]
      let files = try WeightsFile.both(weights.paths, network, label: label)
      let rules = [files.encoder, files.decoder].compactMap(\.normaliser)
      if let rule = rules.first(where: { $0 != context.normaliser }) {
        throw SettingsError(
          part: settings.part, key: Self.weights.key,
          reason: "was trained with normaliser \(rule), but the link has \(context.normaliser)",
          hint: "write 'normaliser: \(rule)', or train with normaliser \(context.normaliser)")
      }
      let name = "onnx \(network.title) \(files.encoder.path) \(files.decoder.path)"
      model = try context.shared.object(name) {
        try Model(network, files.encoder, files.decoder)
      }
    } else {
      let name = "onnx \(network.title) \(paths.encoder) \(paths.decoder)"
      model = try context.shared.object(name) { try Model(onnx, paths) }
    }
    codewordLength = network.autoencoder.codewordLength
    let sides = [
      ("encoder", network.autoencoder.encoder), ("decoder", network.autoencoder.decoder),
    ]
    summary =
      "ONNX network: "
      + sides.map { name, side in
        String(
          format: "\(name) %.3g M parameters, %.3g M multiply-accumulates",
          Double(side.parameterCount) / 1e6, Double(side.graph.costs.allProducts) / 1e6)
      }.joined(separator: "; ") + (settings[Self.weights].map { "; weights \($0.text)" } ?? "")
    memoryBytes = (
      sides.reduce(0) { $0 + $1.1.parameterCount } * MemoryLayout<Float>.stride,
      model.encoder.scratchBytes + model.decoder.scratchBytes
    )
  }

  /// Whether the settings of a codec name ONNX files without weights of a training.
  package static func hasOwnWeights(_ codec: Settings) -> Bool {
    codec.part == schema.name && codec[weights] == nil
  }

  /// The label of the training whose weights a codec takes; nil without one.
  package static func label(_ codec: Settings) -> String? { codec[label] }

  /// Folder or files of the weights of a training, as the program finds them; nil for those of the ONNX files.
  package static func weights(_ codec: Settings, in context: LinkContext) -> FilePaths? {
    codec[weights]?.map(context.path)
  }

  /// Start of the names of the files that a training of a codec leaves, up to the length of the codeword.
  package static func stem(_ codec: Settings) -> String {
    ONNXAutoencoder.stem(encoder: codec[encoder], decoder: codec[decoder])
  }

  private static func paths(_ settings: Settings, in context: LinkContext) -> (
    encoder: String, decoder: String
  ) {
    (context.path(settings[encoder]), context.path(settings[decoder]))
  }

  /// The network of the two files for the CSI of a link, with their weights.
  ///
  /// - Throws: `DataFileError` for a file that cannot be read, `SeveralErrors` for two; `SettingsError` for networks that do not suit the link or each other.
  package static func autoencoder(_ settings: Settings, in context: LinkContext) throws
    -> ONNXAutoencoder
  {
    let paths = paths(settings, in: context)
    let sides = try [paths.encoder, paths.decoder].mapAll { path in
      try context.shared.object("onnx \(path)") { try ONNXNetwork(path: path) }
    }
    try requireImage(sides[0].inputShape, "takes", encoder, settings, context)
    try requireImage(sides[1].outputShape, "makes", decoder, settings, context)
    let (made, taken) = (sides[0].outputShape.reduce(1, *), sides[1].inputShape.reduce(1, *))
    guard taken == made else {
      throw SettingsError(
        part: settings.part, key: decoder.key,
        reason: "takes codewords of \(taken) values, but the encoder makes \(made)")
    }
    let image = Shape.image(angles: context.portCount, taps: context.tapCount)
    return try context.shared.object("onnx \(paths.encoder) \(paths.decoder) \(image)") {
      ONNXAutoencoder(encoder: sides[0], decoder: sides[1], paths: paths, image: image)
    }
  }

  public static func files(_ settings: Settings, in context: LinkContext) -> [String] {
    let (encoder, decoder) = paths(settings, in: context)
    guard let weights = settings[weights] else { return [encoder, decoder] }
    guard let onnx = try? autoencoder(settings, in: context) else { return [] }
    return [encoder, decoder]
      + WeightsFile.files(
        at: weights.paths.map(context.path), onnx.choice, label: settings[label])
  }

  /// Checks that one end of a network is the CSI of the link.
  private static func requireImage(
    _ shape: [Int], _ verb: String, _ key: Parameter<String>, _ settings: Settings,
    _ context: LinkContext
  ) throws(SettingsError) {
    let image = [2, context.portCount, context.tapCount]
    guard shape != image, shape != [image.reduce(1, *)] else { return }
    throw SettingsError(
      part: settings.part, key: key.key,
      reason: "\(verb) samples of the axes \(shape), but the CSI of the link has \(image):"
        + " real and imaginary part, ports, taps",
      hint: "set transform.taps or the ports of the channel, or export the network for \(image)")
  }

  public var trainedQuantizer: Artefact? {
    model.quantizer.isEmpty ? nil : Artefact(model.quantizer)
  }

  /// - Parameter csi: normalised angular-delay CSI [drop, delay, angle].
  /// - Throws: `DataFileError` for weights that give values which are not finite.
  public func encode(_ csi: ComplexArray) throws -> Codeword {
    let image = model.network.image
    csi.requireShape([nil, image.width, image.height], "[drop, delay, angle]")
    let values = model.encoder.run(CSIImages.images(csi), [codewordLength])
    try values.requireFinite("encoder's values", model.encoderPath)
    return Codeword(values: values)
  }

  public func decode(_ codeword: Codeword) throws -> ComplexArray {
    codeword.values.requireShape([nil, codewordLength], "[drop, M]")
    let image = model.network.image
    let images = model.decoder.run(codeword.values, [2, image.height, image.width])
    if codeword.values.isTame { try images.requireFinite("decoder's values", model.decoderPath) }
    return CSIImages.csi(images)
  }
}
