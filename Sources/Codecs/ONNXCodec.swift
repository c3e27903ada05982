import DataFiles
import Foundation
import LinkMath
import Networks
import Parts

/// A trained autoencoder of any framework in two ONNX files: the encoder runs at the UE, the decoder at the BS.
///
/// `s = f(0.5 + 0.5 [re H, im H])`, `Ĥ = 2 (g(s) - 0.5)` with H the normalised CSI as an image [2, angle, delay]
/// (`CSIImages`), as for ``NeuralCodec``; `ONNXNetwork` reads the files. The codeword holds the encoder's outputs.
public struct ONNXCodec: CodewordCodec, Part {
  static let encoder = Parameter<String>(
    "encoder", .file,
    "ONNX file of the encoder: images [batch, 2, angle, delay] or [batch, 2 · angle · delay] to codewords."
  )
  static let decoder = Parameter<String>(
    "decoder", .file, "ONNX file of the decoder: codewords to images.")

  public static let schema = PartSchema(
    .codec, "onnx", "An autoencoder of any framework, its encoder and decoder in ONNX files.",
    reference: "Open Neural Network Exchange, github.com/onnx/onnx",
    parameters: [encoder.declaration, decoder.declaration])

  /// A side, laid out for inference.
  private struct Side: Sendable {
    let network: ONNXNetwork
    let plan: InferencePlan

    init(_ path: String) throws {
      network = try ONNXNetwork(path: path)
      plan = try InferencePlan(network.network, weights: network.weights)
    }

    var inputCount: Int { network.inputShape.reduce(1, *) }
    var outputCount: Int { network.outputShape.reduce(1, *) }
  }

  private let ue, bs: Side
  private let paths: (encoder: String, decoder: String)
  private let angles, taps: Int
  public let codewordLength: Int
  public let summary: String
  public let memoryBytes: (shared: Int, perThread: Int)

  /// - Throws: `DataFileError` for files that cannot be read; `SettingsError` for networks that do not suit the link or each other.
  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact? = nil) throws {
    (angles, taps) = (context.portCount, context.tapCount)
    let paths = (context.path(settings[Self.encoder]), context.path(settings[Self.decoder]))
    self.paths = paths
    ue = try context.shared.object("onnx \(paths.0)") { try Side(paths.0) }
    bs = try context.shared.object("onnx \(paths.1)") { try Side(paths.1) }
    codewordLength = ue.outputCount
    try Self.requireImage(ue.network.inputShape, "takes", Self.encoder, settings, context)
    try Self.requireImage(bs.network.outputShape, "makes", Self.decoder, settings, context)
    guard bs.inputCount == codewordLength else {
      throw SettingsError(
        part: settings.part, key: Self.decoder.key,
        reason:
          "takes codewords of \(bs.inputCount) values, but the encoder makes \(codewordLength)")
    }
    summary =
      "ONNX network: "
      + [("encoder", ue), ("decoder", bs)].map { name, side in
        let network = side.network.network
        return String(
          format: "\(name) %.3g M parameters, %.3g M multiply-accumulates",
          Double(network.parameterCount) / 1e6, Double(network.graph.costs.allProducts) / 1e6)
      }.joined(separator: "; ")
    memoryBytes = (
      (ue.network.network.parameterCount + bs.network.network.parameterCount)
        * MemoryLayout<Float>.stride, ue.plan.scratchBytes + bs.plan.scratchBytes
    )
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

  /// - Parameter csi: normalised angular-delay CSI [drop, delay, angle].
  /// - Throws: `DataFileError` for weights that give values which are not finite.
  public func encode(_ csi: ComplexArray) throws -> Codeword {
    csi.requireShape([nil, taps, angles], "[drop, delay, angle]")
    let values = ue.plan.run(CSIImages.images(csi), [codewordLength])
    try values.requireFinite("encoder's values", paths.encoder)
    return Codeword(values: values)
  }

  public func decode(_ codeword: Codeword) throws -> ComplexArray {
    codeword.values.requireShape([nil, codewordLength], "[drop, M]")
    let images = bs.plan.run(codeword.values, [2, angles, taps])
    if codeword.values.isTame { try images.requireFinite("decoder's values", paths.decoder) }
    return CSIImages.csi(images)
  }
}
