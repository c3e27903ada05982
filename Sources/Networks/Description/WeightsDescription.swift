import DataFiles

/// What `csilink inspect` shows of a file with weights or expected results.
public struct WeightsDescription: Sendable, Encodable {
  /// One side whose tensors the file holds.
  public struct Part: Sendable, Encodable {
    /// `encoder` or `decoder`.
    public let side: String
    /// Parameters, bytes and operations.
    public let size: SideDescription
    /// Layers in the order of the definition.
    public let layers: [LayerLine]
    fileprivate let tree: String

    private enum CodingKeys: CodingKey { case side, size, layers }
  }

  /// Path of the file.
  public let file: String
  /// Texts beside the tensors.
  public let metadata: [String: String]
  /// Name as ``NetworkVariant/name``.
  public let network: String
  /// The n of ratio 1/n.
  public let compression: Int
  /// Angles and delay taps.
  public let image: [Int]
  /// The sides whose tensors are complete.
  public let sides: [Part]
  private let title: String

  private enum CodingKeys: CodingKey { case file, metadata, network, compression, image, sides }

  /// - Throws: `DataFileError` for unreadable files, and if the file does not say its network or holds neither side.
  public init(_ path: String) throws {
    file = path
    metadata = try ArrayFile.metadata(path)
    let choice: NetworkChoice
    do {
      choice = try GoldenVector.network(metadata)
    } catch {
      throw DataFileError(
        file: path, expected: "metadata 'network' and 'cr' of a known network", found: "\(error)")
    }
    network = choice.name
    compression = choice.compression
    image = [choice.image.height, choice.image.width]
    title = choice.title
    var sides: [Part] = []
    var refusals: [any Error] = []
    for side in WeightsFile.Side.allCases {
      do {
        _ = try WeightsFile(path, choice, side)
        let network = side.network(of: choice.autoencoder)
        sides.append(
          Part(
            side: side.rawValue, size: SideDescription(network), layers: network.layerLines,
            tree: network.tree))
      } catch {
        refusals.append(error)
      }
    }
    if sides.isEmpty { throw refusals[metadata["side"] == "decoder" ? 1 : 0] }
    self.sides = sides
  }

  /// Metadata and the layers of each side.
  public var text: String {
    var lines = ["# \(file): \(title)"]
    lines += metadata.sorted { $0.key < $1.key }.map { "# \($0.key): \($0.value)".onOneLine }
    for part in sides {
      lines += [
        "",
        "# \(part.side): \(part.size.parameters.grouped) parameters,"
          + " \(part.size.weightBytes.grouped) bytes",
        part.tree,
      ]
    }
    return lines.joined(separator: "\n")
  }
}

extension String {
  /// Control characters replaced, so that texts of files cannot move the cursor.
  fileprivate var onOneLine: String {
    String(
      String.UnicodeScalarView(
        unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
  }
}
