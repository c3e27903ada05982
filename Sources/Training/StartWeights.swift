import DataFiles
import Foundation
import LinkMath
import Networks

/// Weights that a training starts from, read from files of other trainings.
public enum StartWeights {
  /// The tensors that a network has, with a digest of what was taken from each file.
  ///
  /// Files of other programs must hold a whole side, and their names must be known (`ForeignWeights`).
  ///
  /// - Parameters:
  ///   - paths: files, and folders that hold the network's files without a label, or those of the network without its 8-bit layers.
  ///   - network: whose keys and shapes count.
  ///   - partly: leave out tensors of other shapes, as weights of another ratio have.
  /// - Returns: values and digests, and the keys that are drawn because the shapes differ.
  /// - Throws: `DataFileError` for unreadable files, for tensors of another size or with values that are not finite,
  ///   and for
  ///   files that have none of the network's tensors.
  public static func read(
    _ paths: [String], for network: NetworkChoice, partly: Bool = false
  ) throws -> (weights: Weights, digests: [String], drawn: [String]) {
    var weights = Weights()
    var digests: [String] = []
    var drawn: Set<String> = []
    for path in paths.flatMap({ files($0, network) }) {
      let found: Weights
      if let format = TensorArchive.format(path), format != .safetensors {
        found = try foreign(path, network)
      } else {
        found = try own(path, network, partly: partly, &drawn)
      }
      weights = weights.merging(found)
      digests.append(found.digest)
    }
    return (weights, digests, drawn.filter { weights[$0] == nil }.sorted())
  }

  /// Tensors under the network's own keys.
  private static func own(
    _ path: String, _ network: NetworkChoice, partly: Bool, _ drawn: inout Set<String>
  ) throws -> Weights {
    let file = try TensorFile(path: path)
    let parameters = network.autoencoder.encoder.parameters + network.autoencoder.decoder.parameters
    var weights = Weights()
    for (key, parameter) in parameters {
      guard let array = file.tensors[key] else { continue }
      if partly, array.shape != parameter.shape {
        drawn.insert(key)
        continue
      }
      let values = array.floats()
      guard array.shape == parameter.shape, values.allSatisfy(\.isFinite) else {
        throw DataFileError(
          file: path, variable: key,
          expected: "finite values of shape \(parameter.shape), as \(network.title) has",
          found: "shape \(array.shape)",
          hint: "start from weights of the same ratio and image, or set training.start_partly")
      }
      weights[key] = values
    }
    guard !weights.values.isEmpty else {
      if let foreign = try? foreign(path, network) { return foreign }
      throw DataFileError(
        file: path, expected: "tensors of \(network.title)",
        found: drawn.isEmpty ? "none of its keys" : "none of its shapes",
        hint: "'csilink inspect' shows the keys of a file and of a network")
    }
    return weights
  }

  /// Both sides of a file of another program, or the one that it has.
  private static func foreign(_ path: String, _ network: NetworkChoice) throws -> Weights {
    do {
      return try ForeignWeights([path], network).weights
    } catch {
      for side in WeightsFile.Side.allCases {
        if let half = try? ForeignWeights([path], network, sides: [side]) { return half.weights }
      }
      throw error
    }
  }

  /// A file as it is; both sides' files in a folder, for 8-bit layers those of the network without them if it has no others.
  private static func files(_ path: String, _ network: NetworkChoice) -> [String] {
    let manager = FileManager.default
    let sides = WeightsFile.Side.allCases.map { side in
      let own = WeightsFile.file(at: path, network, side)
      guard !manager.fileExists(atPath: own), let real = try? network.unquantised else {
        return own
      }
      let other = WeightsFile.file(at: path, real, side)
      return manager.fileExists(atPath: other) ? other : own
    }
    return sides.contains(path) ? [path] : sides
  }
}
