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
    let choice: NetworkChoice
    (choice, metadata) = try Self.identity(path)
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

  /// The network of a file and what it says of itself; a file of another framework is known by its tensors.
  private static func identity(_ path: String) throws -> (NetworkChoice, [String: String]) {
    let format = try TensorArchive(path).format
    let metadata = format == .safetensors ? try ArrayFile.metadata(path) : [:]
    if metadata["network"] == nil {
      let found = try ForeignWeights([path], network: nil, compression: nil)
      return (found.choice, metadata.merging(["format": format.rawValue]) { own, _ in own })
    }
    do {
      return (try GoldenVector.network(metadata), metadata)
    } catch {
      throw DataFileError(
        file: path, expected: "metadata 'network' and 'cr' of a known network", found: "\(error)")
    }
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
  var onOneLine: String {
    String(
      String.UnicodeScalarView(
        unicodeScalars.map { scalar in
          switch scalar.properties.generalCategory {
          case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: " "
          default: scalar
          }
        }))
  }
}
