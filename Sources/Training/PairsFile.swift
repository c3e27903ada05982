import DataFiles
import LinkMath
import Networks

/// A file of pairs of CSI and codewords: all that two sides exchange when each trains its own network.
///
/// A safetensors file. For each of the sets `train`, `validation`, `test` it has `SET.csi` `[sample, 2, angle,
/// delay]`, 0.5 being no energy, and `SET.codeword` `[sample, M]`. Codewords of B bits a real are whole numbers q
/// (uint8 to 8 bits, uint16 beyond) that stand for `minimum_m + q step_m`, with `codeword.minimum` and
/// `codeword.step` `[M]`. The texts beside them are `format`, `normaliser`, `network` and `cr` of the encoder,
/// `image`, `codeword_length` and `bits`; the last tensor `sha256` is the digest of texts, names, shapes and values.
public struct PairsFile: Sendable {
  static let format = "csilink pairs 1"
  static let sets = ["train", "validation", "test"]
  static let seal = "sha256"
  static let minimum = "codeword.minimum"
  static let step = "codeword.step"
  /// Values that are read or written together.
  static let piece = 1 << 20

  /// Where it lies.
  public let path: String
  /// Texts beside the tensors.
  public let metadata: [String: String]
  /// Digest of its content.
  public let digest: String
  private let network: NetworkChoice

  /// Opens a file and checks its content.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - network: whose image and codeword length it must have.
  ///   - normaliser: rule of the link's data.
  /// - Throws: `DataFileError` for a damaged file, and for pairs of another image, codeword length or normaliser.
  public init(_ path: String, for network: NetworkChoice, normaliser: String) throws {
    self.path = path
    self.network = network
    metadata = try ArrayFile.metadata(path)
    let texts = metadata
    func require(_ key: String, _ value: String, hint: String? = nil) throws(DataFileError) {
      guard texts[key] != value else { return }
      throw DataFileError(
        file: path, expected: "\(key) = \(value)",
        found: texts[key].map { "\($0)" } ?? "no '\(key)'", hint: hint)
    }
    try require("format", Self.format, hint: "'csilink pairs' makes such files")
    try require(
      "normaliser", normaliser, hint: "use the normaliser of the file in the link")
    try require("image", network.image.imageSize)
    try require(
      "codeword_length", "\(network.autoencoder.codewordLength)",
      hint: "set codec.compression as the file has it, \(texts["cr"] ?? "unknown")")
    digest = try Self.checkedDigest(path, metadata)
  }

  /// The sets as training data of one side.
  ///
  /// - Throws: `DataFileError` for tensors that are missing or have another shape.
  public func data(for side: WeightsFile.Side) throws -> TrainingData {
    var grid: (minimum: [Float], step: [Float])?
    if metadata["bits"] != nil {
      grid = (try vector(Self.minimum), try vector(Self.step))
    }
    let sets = try Self.sets.map { name throws(DataFileError) -> SampleSet in
      let csi = try SampleColumn(
        path, variable: "\(name).csi", shape: [2, network.image.height, network.image.width])
      var codewords = try SampleColumn(
        path, variable: "\(name).codeword", shape: [network.autoencoder.codewordLength])
      codewords.grid = grid
      return side == .encoder
        ? try SampleSet(csi, codewords, centre: 0) : try SampleSet(codewords, csi)
    }
    guard sets.allSatisfy({ $0.count > 0 }) else {
      throw DataFileError(file: path, expected: "samples in each set", found: "none in one")
    }
    return TrainingData(
      training: sets[0], validation: sets[1], test: sets[2], digest: String(digest.prefix(16)))
  }

  private func vector(_ name: String) throws(DataFileError) -> [Float] {
    let length = network.autoencoder.codewordLength
    let array = try ArrayFile.read(path, variable: name)
    let values = array.floats()
    guard array.shape == [length], values.allSatisfy(\.isFinite) else {
      throw DataFileError(
        file: path, variable: name, expected: "\(length) finite values", found: "others")
    }
    return values
  }

  /// The digest of the content, which must be the one that stands there.
  private static func checkedDigest(_ path: String, _ metadata: [String: String]) throws -> String {
    var content = ContentDigest(metadata)
    var stored: [Float]?
    for info in try ArrayFile.list(path) {
      let reader = try ArrayFile.open(path, variable: info.name)
      if info.name == seal {
        stored = try reader.read().floats()
        continue
      }
      content.begin(info)
      let rows = max(1, piece / max(info.valuesPerRow, 1))
      for first in stride(from: 0, to: info.rowCount, by: rows) {
        content.add(try reader.rows(first..<min(first + rows, info.rowCount)).floats())
      }
    }
    let bytes = content.finish()
    guard stored == bytes.map({ Float($0) }) else {
      throw DataFileError(
        file: path, expected: "the content that 'csilink pairs' wrote", found: "another one",
        hint: "the file was changed or damaged; ask for it again")
    }
    return hexadecimal(bytes)
  }

  static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { byte in
      let text = String(byte, radix: 16)
      return text.count == 1 ? "0" + text : text
    }.joined()
  }
}

/// SHA-256 of texts, names, shapes and values of a file of pairs.
struct ContentDigest: ~Copyable {
  private var digest = Digest()

  init(_ metadata: [String: String]) {
    for (key, text) in metadata.sorted(by: { $0.key < $1.key }) {
      add("\(key.utf8.count) \(key) \(text.utf8.count) \(text)\n")
    }
  }

  private mutating func add(_ text: String) {
    var text = text
    text.withUTF8 { digest.update(UnsafeRawBufferPointer($0)) }
  }

  mutating func begin(_ array: ArrayInfo) {
    add("\(array.name ?? "") \(array.elementType.rawValue) \(array.shape)\n")
  }

  mutating func add(_ values: [Float]) { values.withUnsafeBytes { digest.update($0) } }

  consuming func finish() -> [UInt8] {
    let text = Array(digest.finish().utf8)
    return stride(from: 0, to: text.count, by: 2).map {
      UInt8(String(decoding: text[$0..<$0 + 2], as: UTF8.self), radix: 16)!
    }
  }
}
