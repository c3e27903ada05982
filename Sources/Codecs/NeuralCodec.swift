import DataFiles
import Foundation
import LinkMath
import Networks
import Parts

/// A trained autoencoder: the encoder runs at the UE, the decoder at the BS.
///
/// `s = f(0.5 + 0.5 [re H, im H])`, `Ĥ = 2 (g(s) - 0.5)` with H the normalised CSI as an image [2, angle, delay]
/// (`NetworkMap`). The codeword holds the encoder's M = 2048 / n outputs; any real codeword decodes. The networks are
/// defined for 32 taps and 32 ports.
///
/// Reference: C.-K. Wen, W.-T. Shih, S. Jin, IEEE Wireless Commun. Lett. 7 (2018) 748, and the papers of the networks.
public struct NeuralCodec: CSICodec, Part {
  static let network = Parts.Parameter<String>(
    "network", .choice(NetworkZoo.entries.map(\.name)),
    "Name of the autoencoder, as 'csilink inspect' lists them.")
  static let weights = Parts.Parameter<String?>.optional(
    "weights", .file,
    "Folder of weights with a file for each network, compression and side, or one file with both sides; needed to run."
  )

  public static let schema = PartSchema(
    .codec, "network", "A trained autoencoder such as CsiNet, for 32 taps and 32 ports.",
    reference: "C.-K. Wen et al., IEEE WCL 7 (2018) 748, and the papers of the networks",
    parameters: [network.declaration, CodewordSize.compression.declaration, weights.declaration])

  /// What the settings name.
  public typealias Selection = (name: String, compression: Int, autoencoder: Autoencoder)

  /// Both sides, laid out for inference.
  private struct Model: Sendable {
    let encoder, decoder: InferencePlan
    /// Files of their weights.
    let encoderPath, decoderPath: String
    /// Normalisation rules that the files of the two sides name.
    let rules: Set<String>
  }

  private let model: Model
  private let name: String
  public let codewordLength: Int
  public let summary: String
  public let memoryBytes: (shared: Int, perThread: Int)

  /// - Throws: `SettingsError` for a network that does not suit the link; `DataFileError` for its weights.
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact? = nil) throws {
    let selection = try Self.autoencoder(settings)
    try Self.requireFit(selection, settings, in: context)
    guard let weights = settings[Self.weights] else {
      throw SettingsError(
        part: settings.part, key: Self.weights.key,
        reason: "is needed to run: the folder or file with the trained weights",
        hint: "'csilink train' makes them")
    }
    model = try Self.model(selection, context.path(weights), shared: context.shared)
    if let other = model.rules.sorted().first(where: { $0 != context.normaliser }) {
      throw SettingsError(
        part: settings.part, key: Self.weights.key,
        reason: "was trained with normaliser \(other), but the link has \(context.normaliser)",
        hint: "write 'normaliser: \(other)', or train with normaliser \(context.normaliser)")
    }
    name = "\(selection.name) 1/\(selection.compression)"
    codewordLength = selection.autoencoder.codewordLength
    summary = Self.summary(selection) + "; weights \(weights)"
    memoryBytes = (
      selection.autoencoder.parameterCount * MemoryLayout<Float>.stride,
      model.encoder.scratchBytes + model.decoder.scratchBytes
    )
  }

  private static func summary(_ selection: Selection) -> String {
    func millions(_ count: Int) -> String { String(format: "%.3g M", Double(count) / 1e6) }
    let sides = WeightsFile.Side.allCases.map { side in
      let network = side.network(of: selection.autoencoder)
      return "\(side) \(millions(network.parameterCount)) parameters,"
        + " \(millions(network.graph.costs.multiplyAccumulates)) multiply-accumulates"
    }
    return "\(selection.name) 1/\(selection.compression): " + sides.joined(separator: "; ")
  }

  /// Reads and lays out the two sides; sweeps use the same weights at many points.
  private static func model(_ selection: Selection, _ path: String, shared: SharedObjects) throws
    -> Model
  {
    try shared.object("weights \(selection.name) \(selection.compression) \(path)") {
      let (name, compression, autoencoder) = selection
      let encoder = try WeightsFile(path, network: name, compression: compression, .encoder)
      let decoder = try WeightsFile(path, network: name, compression: compression, .decoder)
      try decoder.requireTraining(of: encoder)
      return Model(
        encoder: try InferencePlan(autoencoder.encoder, weights: encoder.weights),
        decoder: try InferencePlan(autoencoder.decoder, weights: decoder.weights),
        encoderPath: encoder.path, decoderPath: decoder.path,
        rules: Set([encoder, decoder].compactMap(\.normaliser)))
    }
  }

  public static func files(_ settings: Settings, in context: LinkContext) -> [String] {
    guard let weights = settings[Self.weights] else { return [] }
    return Set(
      WeightsFile.Side.allCases.map { side in
        WeightsFile.file(
          at: context.path(weights), network: settings[network], compression: ratio(settings), side)
      }
    ).sorted()
  }

  /// - Parameter csi: normalised angular-delay CSI [drop, delay, angle].
  /// - Returns: codeword [drop, M].
  /// - Throws: `DataFileError` for weights that give values which are not finite.
  public func encode(_ csi: ComplexArray) throws -> Codeword {
    csi.requireShape([nil, Self.size, Self.size], "[drop, delay, angle]")
    let values = run(model.encoder, NetworkMap.images(csi), [codewordLength])
    try requireFinite(values, "encoder", model.encoderPath)
    return Codeword(values: values)
  }

  public func decode(_ codeword: Codeword) throws -> ComplexArray {
    codeword.values.requireShape([nil, codewordLength], "[drop, M]")
    let images = run(model.decoder, codeword.values, [2, Self.size, Self.size])
    // A wild codeword, as a noisy link can deliver, is no fault of the weights.
    if codeword.values.withUnsafeElements({ $0.allSatisfy { $0.magnitude < 1e6 } }) {
      try requireFinite(images, "decoder", model.decoderPath)
    }
    return NetworkMap.csi(images)
  }

  /// Refuses values whose energy single precision does not hold.
  private func requireFinite(_ values: RealArray, _ side: String, _ path: String)
    throws(DataFileError)
  {
    let wrong = values.withUnsafeElements { $0.first { !($0.magnitude < 1e15) } }
    guard let wrong else { return }
    throw DataFileError(
      file: path, expected: "weights that keep the \(side)'s values of \(name) finite",
      found: "the output \(wrong)", hint: "train the network again, or use other weights")
  }

  /// Runs the drops of an array on the calling thread; blocks run in parallel.
  private func run(_ plan: InferencePlan, _ input: RealArray, _ shape: [Int]) -> RealArray {
    let drops = input[dimension: 0]
    var output = RealArray(uninitialized: [drops] + shape)
    input.withUnsafeElements { input in
      output.withUnsafeMutableElements { output in
        plan.run([input.baseAddress!], count: drops, into: [output.baseAddress!])
      }
    }
    return output
  }
}

extension NeuralCodec {
  /// Taps and ports that the networks are defined for.
  package static let size = 32

  private static func ratio(_ settings: Settings) -> Int {
    settings[CodewordSize.compression] ?? CodewordSize.defaultCompression
  }

  /// Whether the settings of a codec name a network without weights.
  package static func isUntrained(_ codec: Settings) -> Bool {
    codec.part == schema.name && codec[weights] == nil
  }

  /// The autoencoder that the settings name; weights are not looked at.
  ///
  /// - Throws: `SettingsError` for a ratio that it is not defined at, and for networks that no link can run.
  public static func autoencoder(_ settings: Settings) throws(SettingsError) -> Selection {
    let (name, ratio) = (settings[network], ratio(settings))
    let autoencoder: Autoencoder
    do {
      autoencoder = try NetworkZoo.autoencoder(name, compression: ratio)
    } catch {
      guard case .unsupportedCompression(_, _, let defined) = error else {
        throw SettingsError(part: settings.part, key: network.key, reason: "\(error)")
      }
      throw SettingsError(
        part: settings.part, key: CodewordSize.compression.key,
        reason: "of \(name) must be one of \(defined.map(String.init).joined(separator: ", ")),"
          + " got \(ratio)")
    }
    if let reason = obstacle(autoencoder) {
      throw SettingsError(
        part: settings.part, key: network.key, reason: "\(name) cannot run in a link: \(reason)",
        hint: NetworkZoo.entries.map(\.name).filter { name.hasPrefix("\($0)-") }
          .max { $0.count < $1.count }.map { "write 'network: \($0)'" })
    }
    return (name, ratio, autoencoder)
  }

  /// Why no link can run a network; nil if one can.
  private static func obstacle(_ autoencoder: Autoencoder) -> String? {
    if autoencoder.decoder.graph.inputShapes.count > 1 {
      return "its decoder needs the codeword as it was before the feedback link"
    }
    if autoencoder.encoder.attendsAcrossBatch || autoencoder.decoder.attendsAcrossBatch {
      return "it attends across the batch, so a drop would depend on the others"
    }
    return nil
  }

  /// Checks that the CSI of a link has the shape and the range of an autoencoder.
  ///
  /// - Throws: `SettingsError` with the way out.
  package static func requireFit(
    _ selection: Selection, _ settings: Settings, in context: LinkContext
  )
    throws(SettingsError)
  {
    guard context.tapCount == size, context.portCount == size else {
      throw SettingsError(
        part: settings.part, key: network.key,
        reason: "\(selection.name) is defined for \(size) taps and \(size) ports,"
          + " got \(context.tapCount) taps and \(context.portCount) ports",
        hint: "set transform.taps: \(size) and a channel of \(size) ports")
    }
    // The only rule whose CSI stays within the unit circle.
    let confined = "sample_max_modulus"
    guard selection.autoencoder.decoder.outputRange == nil || context.normaliser == confined else {
      throw SettingsError(
        part: settings.part, key: network.key,
        reason: "\(selection.name) gives values in [0, 1] only, but CSI of normaliser"
          + " \(context.normaliser) goes beyond",
        hint: "write 'normaliser: \(confined)'")
    }
  }
}
