import LinkMath
import Networks

/// Untrained weights of both sides of an autoencoder, as its layers initialise them.
public func drawnWeights(_ autoencoder: Autoencoder, seed: UInt64 = 1) -> Weights {
  var stream = StreamKey(seed: seed, domain: .initialisation, purpose: .initialisation)
    .stream(drop: 0)
  return Weights.initial(autoencoder.encoder, using: &stream)
    .merging(Weights.initial(autoencoder.decoder, using: &stream))
}

/// Writes ``drawnWeights(_:seed:)`` below a folder.
///
/// - Returns: paths of the encoder's and the decoder's file.
@discardableResult
public func writeDrawnWeights(
  _ network: String, compression: Int = 4, image: Shape = .publicImage, seed: UInt64 = 1,
  normaliser: String = "sample_max_modulus", in folder: String
) throws -> [String] {
  let choice = try NetworkChoice(network, compression: compression, image: image)
  return try WeightsFile.write(
    drawnWeights(choice.autoencoder, seed: seed), choice,
    metadata: ["normaliser": normaliser, "seed": "\(seed)"], in: folder)
}

/// The test vectors of a network: weights of both sides, input and expected results.
public func networkFixture(_ name: String) -> String {
  fixtures.appending(path: "networks/\(name).safetensors").path
}
