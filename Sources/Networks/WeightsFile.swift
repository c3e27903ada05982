import DataFiles
import Foundation
import LinkMath

/// Trained weights of one side of an autoencoder in a safetensors file, with what a link must know to use them.
///
/// A folder of weights has two files for each network, ratio and image: `csinet-16-encoder.safetensors` for the UE and
/// `csinet-16-decoder.safetensors` for the BS; `csinet-13x32-16-encoder.safetensors` for an image that is not the public one. Tensors have the network's parameter keys.
public struct WeightsFile: Sendable {
  /// Which half of an autoencoder.
  public enum Side: String, Sendable, CaseIterable {
    /// The half that runs at the UE, and the one at the BS.
    case encoder, decoder

    /// The network of this side.
    public func network(of autoencoder: Autoencoder) -> Network {
      self == .encoder ? autoencoder.encoder : autoencoder.decoder
    }
  }

  static let format = "csilink weights 1"
  /// Key of the text of a side that was trained without the other one.
  static let aloneKey = "alone"
  /// Beginning of the keys of tensors for the quantiser.
  static let quantizerPrefix = "quantizer."

  /// Where the file lies.
  public let path: String
  /// Values of the side by key.
  public let weights: Weights
  /// What the training left for the link's quantiser, by name; empty without one.
  public let quantizer: [String: RealArray]
  /// Texts beside the tensors: `normaliser`, and whatever the training noted; empty in files of other programs.
  public let metadata: [String: String]

  /// The normalisation rule of the data that the network was trained on; nil in files of other programs.
  public var normaliser: String? { metadata["normaliser"] }

  /// The file of one side below a folder of weights.
  ///
  /// - Parameters:
  ///   - folder: the folder of weights.
  ///   - network: network, ratio and image.
  ///   - label: word that tells several trainings of one network apart: `csinet-16-label-encoder.safetensors`.
  ///   - side: which half.
  public static func path(
    in folder: String, _ network: NetworkChoice, label: String? = nil, _ side: Side
  ) -> String {
    "\(folder)/\(network.stem(label: label))-\(side.rawValue).safetensors"
  }

  /// Reads one side.
  ///
  /// - Parameters:
  ///   - path: a folder of weights, or a file with (at least) this side's tensors; a PyTorch checkpoint or a Keras file as
  ///     ``ForeignWeights`` reads it, names known.
  ///   - network: network, ratio and image.
  ///   - label: word that tells several trainings of one network apart.
  ///   - side: which half.
  /// - Throws: `DataFileError` for a missing or damaged file and for weights of another network, ratio or side.
  public init(_ path: String, _ network: NetworkChoice, label: String? = nil, _ side: Side) throws {
    let path = WeightsFile.file(at: path, network, label: label, side)
    guard FileManager.default.fileExists(atPath: path) else {
      throw DataFileError(
        file: path,
        expected: "weights of \(network.name)'s \(side.rawValue) at \(network.ratio)",
        found: "no such file",
        hint: Self.others(beside: path, side) + "'csilink train' makes it")
    }
    if let format = TensorArchive.format(path), format != .safetensors {
      try self.init(foreign: [path], network, side)
      return
    }
    let file = try TensorFile(path: path)
    do {
      try self.init(file, path, network, side)
    } catch let error as NetworkError {
      if case .unexpectedValue(let key, let expected) = error {
        throw DataFileError(
          file: path, variable: key, expected: expected, found: "a value that is not")
      }
      guard file.metadata["format"] == Self.format else {
        // Names of another program, or a level above them.
        try self.init(foreign: [path], network, side)
        return
      }
      throw DataFileError(
        file: path,
        expected: "the tensors of \(network.name)'s \(side.rawValue) at \(network.ratio)",
        found: "\(error)", hint: "'csilink inspect \(network.arguments)' shows keys and shapes")
    }
  }

  /// The side of a file that has its keys.
  ///
  /// - Throws: `NetworkError` for tensors that the side lacks, or that are others than its own.
  private init(_ file: TensorFile, _ path: String, _ network: NetworkChoice, _ side: Side) throws {
    self.path = path
    metadata = file.metadata
    if metadata["format"] == Self.format {
      var expected = network.metadata
      expected["side"] = side.rawValue
      for (key, value) in expected.sorted(by: { $0.key < $1.key }) where metadata[key] != value {
        if key == NetworkChoice.definitionKey {
          throw DataFileError(
            file: path, expected: "weights of \(network.name) as its files are now",
            found: "those of files that have changed since",
            hint: "train again ('csilink train --fresh'), or give the files back that were trained")
        }
        throw DataFileError(
          file: path, expected: "weights with \(key) = \(value)",
          found: metadata[key].map { "\(key) = \($0)" } ?? "no \(key)")
      }
    }
    quantizer = try Self.quantizer(file, path)
    weights = try file.weights(for: side.network(of: network.autoencoder))
  }

  /// The half that files of another program hold together.
  init(foreign paths: [String], _ network: NetworkChoice, _ side: Side) throws {
    let foreign = try ForeignWeights(paths, network, sides: [side])
    path = foreign.path
    weights = foreign.weights
    metadata = [:]
    quantizer = [:]
  }

  private static func quantizer(_ file: TensorFile, _ path: String) throws(DataFileError)
    -> [String: RealArray]
  {
    var tables: [String: RealArray] = [:]
    for (key, array) in file.tensors where key.hasPrefix(quantizerPrefix) {
      let values = array.floats()
      guard values.allSatisfy(\.isFinite) else {
        throw DataFileError(
          file: path, variable: key, expected: "finite values", found: "a value that is not")
      }
      tables[String(key.dropFirst(quantizerPrefix.count))] = RealArray(values, shape: array.shape)
    }
    return tables
  }

  /// Refuses sides of two trainings, such as an interrupted copy leaves: their notes differ.
  ///
  /// Files of other programs have no notes and go with everything; so do sides that were trained alone.
  public func requireTraining(of other: WeightsFile) throws(DataFileError) {
    guard metadata["format"] == Self.format, other.metadata["format"] == Self.format else { return }
    if metadata[Self.aloneKey] != nil || other.metadata[Self.aloneKey] != nil { return }
    guard quantizer == other.quantizer else {
      throw DataFileError(
        file: path, expected: "the quantiser that \(other.path) has", found: "another one")
    }
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
  ///   - network: network, ratio and image.
  ///   - label: word that tells several trainings of one network apart.
  ///   - quantizer: what the training left for the link's quantiser, by name; both sides keep it.
  ///   - metadata: texts to keep beside the tensors; must have `normaliser`.
  ///   - sides: what was trained; of one side alone, the file says so and goes with any other side.
  ///   - folder: where the files appear, made if missing.
  /// - Returns: paths of the files, the encoder's first.
  @discardableResult
  public static func write(
    _ weights: Weights, _ network: NetworkChoice, label: String? = nil,
    quantizer: [String: RealArray] = [:], metadata: [String: String],
    sides: [Side] = Side.allCases, in folder: String
  ) throws -> [String] {
    precondition(metadata["normaliser"] != nil, "weights go with the rule of their data")
    var metadata = metadata
    if sides.count == 1 { metadata[aloneKey] = sides[0].rawValue }
    return try store(
      weights, network, label: label, quantizer: quantizer, metadata: metadata, sides: sides,
      in: folder)
  }

  /// As ``write(_:_:label:quantizer:metadata:sides:in:)``, also for weights of other programs, whose data nobody knows.
  static func store(
    _ weights: Weights, _ network: NetworkChoice, label: String?,
    quantizer: [String: RealArray], metadata: [String: String],
    sides: [Side] = Side.allCases, in folder: String
  ) throws -> [String] {
    try AtomicFile.createFolder(folder)
    let tables = quantizer.sorted { $0.key < $1.key }.map { name, array in
      NumericArray(
        name: quantizerPrefix + name, shape: array.shape, floats: array.elements)
    }
    return try sides.map { side in
      let arrays = weights.arrays(of: side.network(of: network.autoencoder))
      let own = network.metadata.merging(["format": format, "side": side.rawValue]) { $1 }
      let path = path(in: folder, network, label: label, side)
      try ArrayFile.write(arrays + tables, metadata: metadata.merging(own) { $1 }, to: path)
      return path
    }
  }
}
