import DataFiles
import LinkMath
import Networks

/// Weights that a training starts from, read from files of other trainings.
public enum StartWeights {
  /// The tensors that a network has, with a digest of what was taken from each file.
  ///
  /// - Parameters:
  ///   - paths: files, and folders that hold the network's files without a label.
  ///   - network: whose keys and shapes count.
  /// - Throws: `DataFileError` for unreadable files, for tensors of another size or with values that are not finite, and for
  ///   files that have none of the network's tensors.
  public static func read(_ paths: [String], for network: NetworkChoice) throws -> (
    weights: Weights, digests: [String]
  ) {
    var weights = Weights()
    var digests: [String] = []
    let parameters = network.autoencoder.encoder.parameters + network.autoencoder.decoder.parameters
    for path in paths.flatMap({ files($0, network) }) {
      let file = try TensorFile(path: path)
      var found = 0
      var digest = Digest()
      for (key, parameter) in parameters {
        guard let array = file.tensors[key] else { continue }
        let values = array.floats()
        guard array.shape == parameter.shape, values.allSatisfy(\.isFinite) else {
          throw DataFileError(
            file: path, variable: key,
            expected: "finite values of shape \(parameter.shape), as \(network.title) has",
            found: "shape \(array.shape)", hint: "start from weights of the same ratio and image")
        }
        weights[key] = values
        Array(key.utf8).withUnsafeBytes { digest.update($0) }
        values.withUnsafeBytes { digest.update($0) }
        found += 1
      }
      guard found > 0 else {
        throw DataFileError(
          file: path, expected: "tensors of \(network.title)", found: "none of its keys",
          hint: "'csilink inspect' shows the keys of a file and of a network")
      }
      digests.append(digest.finish())
    }
    return (weights, digests)
  }

  /// A file as it is; both sides' files in a folder.
  private static func files(_ path: String, _ network: NetworkChoice) -> [String] {
    let sides = WeightsFile.Side.allCases.map { WeightsFile.file(at: path, network, $0) }
    return sides.contains(path) ? [path] : sides
  }
}
