import DataFiles
import Foundation
import LinkMath

/// An autoencoder of two ONNX files as a network that trainings and files of weights know.
///
/// Its keys are those of ``ONNXNetwork``, below `encoder` and `decoder`; its name and those of its files come from the names of the two.
public struct ONNXAutoencoder: Sendable {
  /// Both sides, for images [2, angle, delay] and codewords [M].
  public let choice: NetworkChoice
  /// The weights of the files.
  public let weights: Weights
  /// SHA-256 of the files.
  public let digests: [String]

  /// Two sides that fit each other.
  ///
  /// - Parameters:
  ///   - encoder: from images to codewords.
  ///   - decoder: from codewords to images.
  ///   - paths: of the files that they were read from.
  ///   - image: [2, angle, delay].
  /// - Precondition: each side takes and makes as many values as that.
  public init(
    encoder: ONNXNetwork, decoder: ONNXNetwork, paths: (encoder: String, decoder: String),
    image: Shape
  ) {
    digests = [paths.encoder, paths.decoder].map { Digest.sha256(ofFile: $0)?.sha256 ?? $0 }
    let codeword = Shape.vector(encoder.outputShape.reduce(1, *))
    let files = [paths.encoder, paths.decoder].map {
      $0.split(separator: "/").last.map(String.init) ?? $0
    }
    let name = "onnx {encoder: \(files[0]), decoder: \(files[1])}"
    choice = NetworkChoice(
      name: name, stem: Self.stem(encoder: files[0], decoder: files[1]) + "-\(codeword.width)",
      identity: paths.encoder + "\n" + paths.decoder,
      digest: String(Digest.sha256(digests.joined(separator: "\n")).prefix(16)), image: image,
      autoencoder: Autoencoder(
        name: name, compression: max(1, image.count / codeword.width),
        encoder: Self.side(encoder, "encoder", image, codeword),
        decoder: Self.side(decoder, "decoder", codeword, image)))
    var weights = Weights()
    for (side, network) in [("encoder", encoder), ("decoder", decoder)] {
      for (key, values) in network.weights.values { weights["\(side).\(key)"] = values }
    }
    self.weights = weights
  }

  /// Start of the names of the files of its weights, up to the length of the codeword.
  package static func stem(encoder: String, decoder: String) -> String {
    let words = [encoder, decoder].map { path in
      let file = path.split(separator: "/").last.map(String.init) ?? path
      return ONNXNetwork.key(file.hasSuffix(".onnx") ? String(file.dropLast(5)) : file)
    }
    return (["onnx"] + words).joined(separator: "-")
  }

  /// A network between other shapes, its keys below one.
  private static func side(_ onnx: ONNXNetwork, _ key: String, _ input: Shape, _ output: Shape)
    -> Network
  {
    let graph = onnx.network.graph
    let shaped = Graph.trace([input]) { signals in
      graph.applied(to: [signals[0].reshaped(graph.inputShapes[0])]).map { $0.reshaped(output) }
    }
    return Network(onnx.network.name, Side(key: key, root: onnx.network.root), graph: shaped)
  }

  private struct Side: Module {
    let key: String
    let root: any Module

    var children: [Child] { [(key, root)] }
    var summary: String { root.summary }
  }
}
