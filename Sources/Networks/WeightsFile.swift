import DataFiles
import Foundation

/// Trained weights of one side of an autoencoder in a safetensors file, with what a link must know to use them.
///
/// A folder of weights has two files for each network and ratio: `csinet-16-encoder.safetensors` for the UE and
/// `csinet-16-decoder.safetensors` for the BS. Tensors have the network's parameter keys.
public struct WeightsFile: Sendable {
  /// Which half of an autoencoder.
  public enum Side: String, Sendable, CaseIterable {
    case encoder, decoder

    public func network(of autoencoder: Autoencoder) -> Network {
      self == .encoder ? autoencoder.encoder : autoencoder.decoder
    }
  }

  static let format = "csilink weights 1"

  public let path: String
  public let weights: Weights
  /// Texts beside the tensors: `normaliser`, and whatever the training noted; empty in files of other programs.
  public let metadata: [String: String]

  /// The normalisation rule of the data that the network was trained on; nil in files of other programs.
  public var normaliser: String? { metadata["normaliser"] }

  /// The file of one side below a folder of weights.
  ///
  /// - Parameter network: the name in ``NetworkZoo``, case ignored.
  public static func path(
    in folder: String, network: String, compression: Int, _ side: Side
  ) -> String {
    "\(folder)/\(network.lowercased())-\(compression)-\(side.rawValue).safetensors"
  }

  /// The file that one side is read from, whether or not it exists.
  ///
  /// - Parameter path: as for ``init(_:network:compression:_:)``.
  public static func file(
    at path: String, network: String, compression: Int, _ side: Side
  ) -> String {
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    return exists && isFolder.boolValue
      ? WeightsFile.path(in: path, network: network, compression: compression, side) : path
  }

  /// Reads one side.
  ///
  /// - Parameter path: a folder of weights, or a file with (at least) this side's tensors.
  /// - Throws: `DataFileError` for a missing or damaged file and for weights of another network, ratio or side.
  public init(
    _ path: String, network: String, compression: Int, _ side: Side
  ) throws {
    self.path = WeightsFile.file(at: path, network: network, compression: compression, side)
    let autoencoder = try NetworkZoo.autoencoder(network, compression: compression)
    guard FileManager.default.fileExists(atPath: self.path) else {
      throw DataFileError(
        file: self.path, expected: "weights of \(network)'s \(side.rawValue) at 1/\(compression)",
        found: "no such file", hint: "'csilink train' makes it")
    }
    let file = try TensorFile(path: self.path)
    metadata = file.metadata
    if metadata["format"] == Self.format {
      let expected = [
        "network": network.lowercased(), "cr": String(compression), "side": side.rawValue,
      ]
      for (key, value) in expected.sorted(by: { $0.key < $1.key }) where metadata[key] != value {
        throw DataFileError(
          file: self.path, expected: "weights with \(key) = \(value)",
          found: metadata[key].map { "\(key) = \($0)" } ?? "no \(key)")
      }
    }
    do {
      weights = try file.weights(for: side.network(of: autoencoder))
    } catch NetworkError.unexpectedValue(let key, let expected) {
      throw DataFileError(
        file: self.path, variable: key, expected: expected, found: "a value that is not")
    } catch {
      var longer: String?
      if case .missingTensor(let key) = error { longer = file.longerKey(key) }
      throw DataFileError(
        file: self.path,
        expected: "the tensors of \(network)'s \(side.rawValue) at 1/\(compression)",
        found: "\(error)",
        hint: longer.map { "the file has '\($0)': save the tensors without that prefix" }
          ?? "'csilink inspect \(network) -c \(compression)' shows keys and shapes")
    }
  }

  /// Refuses sides of two trainings, such as an interrupted copy leaves: their notes differ.
  ///
  /// Files of other programs have no notes and go with everything.
  public func requireTraining(of other: WeightsFile) throws(DataFileError) {
    guard metadata["format"] == Self.format, other.metadata["format"] == Self.format else { return }
    let keys = Set(metadata.keys).union(other.metadata.keys).subtracting(["side"]).sorted()
    guard let key = keys.first(where: { metadata[$0] != other.metadata[$0] }) else { return }
    throw DataFileError(
      file: path, expected: "weights of the same training as \(other.path)",
      found: "another '\(key)'")
  }

  /// Writes both sides below a folder, each file whole or not at all.
  ///
  /// - Parameters:
  ///   - weights: of both sides.
  ///   - metadata: texts to keep beside the tensors; must have `normaliser`.
  /// - Returns: paths of the encoder's and the decoder's file.
  @discardableResult
  public static func write(
    _ weights: Weights, network: String, compression: Int, metadata: [String: String],
    in folder: String
  ) throws -> [String] {
    precondition(metadata["normaliser"] != nil, "weights go with the rule of their data")
    let autoencoder = try NetworkZoo.autoencoder(network, compression: compression)
    try AtomicFile.createFolder(folder)
    return try Side.allCases.map { side in
      let arrays = side.network(of: autoencoder).parameters.map { key, parameter in
        NumericArray(name: key, shape: parameter.shape, floats: weights[key]!)
      }
      let own = [
        "format": format, "network": network.lowercased(), "cr": String(compression),
        "side": side.rawValue,
      ]
      let path = path(in: folder, network: network, compression: compression, side)
      try ArrayFile.write(arrays, metadata: metadata.merging(own) { $1 }, to: path)
      return path
    }
  }
}
