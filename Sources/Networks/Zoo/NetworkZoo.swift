/// The autoencoders by name.
public enum NetworkZoo {
  /// One entry: the word for scenario files, the ratios it is defined at and its factory.
  public struct Entry: Sendable {
    public let name: String
    public let compressions: [Int]
    public let make: @Sendable (Int) -> Autoencoder
  }

  static let denseRatios = [4, 8, 16, 32, 64]
  static let latentRatios = [4, 8, 16, 32, 64]

  /// All entries; a family stands together.
  public static let entries: [Entry] = {
    var all: [Entry] = []
    func add(
      _ name: String, _ ratios: [Int] = denseRatios,
      _ make: @escaping @Sendable (Int) -> Autoencoder
    ) {
      all.append(Entry(name: name, compressions: ratios, make: make))
    }
    add("csinet") { CsiNet.autoencoder(compression: $0) }
    add("csinet-width") { CsiNet.autoencoder(compression: $0, axis: .width) }
    add("csinet-7x7") { CsiNet.autoencoder(compression: $0, kernel: KernelSize(7, 7)) }
    add("crnet") { CRNet.autoencoder(compression: $0) }
    for k in 1...20 {
      add("acrnet-\(k)x") { ACRNet.autoencoder(compression: $0, expansion: k) }
    }
    for head in BCsiNet.Head.allCases {
      for blocks in 2...3 {
        add("bcsinet-\(head.rawValue)\(blocks)") {
          BCsiNet.autoencoder(compression: $0, head: head, refineBlocks: blocks)
        }
      }
    }
    add("csinetplus") { CsiNetPlus.autoencoder(compression: $0) }
    add("csinetpro") { CsiNetPro.autoencoder(compression: $0) }
    add("cllwcsinet", [4, 8, 16]) { CLLWCsiNet.autoencoder(compression: $0) }
    add("cllwcsinet-clean", [4, 8, 16]) {
      CLLWCsiNet.autoencoder(compression: $0, wiring: .denoiserOnly)
    }
    add("cl-csinet", latentRatios) {
      CsiNet.autoencoder(compression: $0, bottleneck: .convolutional)
    }
    add("cl-crnet", latentRatios) {
      CRNet.autoencoder(compression: $0, bottleneck: .convolutional)
    }
    for k in 1...20 {
      add("cl-acrnet-\(k)x", latentRatios) {
        ACRNet.autoencoder(compression: $0, expansion: k, bottleneck: .convolutional)
      }
    }
    add("transnet") { TransNet.autoencoder(compression: $0) }
    add("transnet-cross-batch") { TransNet.autoencoder(compression: $0, crossBatch: true) }
    add("clnet") { CLNet.autoencoder(compression: $0) }
    add("kd-crnet") { DistillationCRNet.autoencoder(compression: $0, role: .teacher) }
    add("kd-crnet-se") { DistillationCRNet.autoencoder(compression: $0, role: .student) }
    return all
  }()

  /// The entry of that name, case ignored.
  ///
  /// - Throws: ``NetworkError/unknownNetwork(_:known:)``.
  public static func entry(_ name: String) throws(NetworkError) -> Entry {
    let wanted = name.lowercased()
    guard let entry = entries.first(where: { $0.name == wanted }) else {
      throw .unknownNetwork(name, known: entries.map(\.name))
    }
    return entry
  }

  /// The autoencoder of that name, case ignored.
  ///
  /// - Throws: ``NetworkError/unknownNetwork(_:known:)`` or
  ///   ``NetworkError/unsupportedCompression(network:compression:supported:)``.
  public static func autoencoder(_ name: String, compression: Int) throws(NetworkError)
    -> Autoencoder
  {
    let entry = try entry(name)
    guard entry.compressions.contains(compression) else {
      throw .unsupportedCompression(
        network: name, compression: compression, supported: entry.compressions)
    }
    return entry.make(compression)
  }
}
