import DataFiles

/// What `csilink inspect` shows of a file with weights or expected results.
public struct WeightsDescription: Sendable, Encodable {
  /// One side whose tensors the file holds.
  public struct Part: Sendable, Encodable {
    public let side: String
    public let size: SideDescription
    public let layers: [LayerLine]
    fileprivate let tree: String

    private enum CodingKeys: CodingKey { case side, size, layers }
  }

  public let file: String
  public let metadata: [String: String]
  public let network: String
  /// The n of ratio 1/n.
  public let compression: Int
  public let sides: [Part]

  /// - Throws: `DataFileError` for unreadable files, and if the file does not say its network or holds neither side.
  public init(_ path: String) throws {
    file = path
    metadata = try ArrayFile.metadata(path)
    let name: String
    do {
      (name, compression) = try GoldenVector.identity(metadata)
      _ = try NetworkZoo.autoencoder(name, compression: compression)
    } catch {
      throw DataFileError(
        file: path, expected: "metadata 'network' and 'cr' of a known network", found: "\(error)")
    }
    network = name
    var sides: [Part] = []
    var refusals: [any Error] = []
    for side in WeightsFile.Side.allCases {
      do {
        _ = try WeightsFile(path, network: name, compression: compression, side)
        let network = side.network(
          of: try NetworkZoo.autoencoder(name, compression: compression))
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

  public var text: String {
    var lines = ["# \(file): \(network) 1/\(compression)"]
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
