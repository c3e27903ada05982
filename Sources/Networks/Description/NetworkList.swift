/// Every network with its ratios.
public struct NetworkList: Sendable, Encodable {
  /// One network of the list.
  public struct Row: Sendable, Encodable {
    public let network: String
    /// The n of the ratios 1/n.
    public let compressions: [Int]
  }

  public let networks: [Row]

  public init() {
    networks = NetworkZoo.entries.map { Row(network: $0.name, compressions: $0.compressions) }
  }

  /// One line per network, those that differ in a factor only (`acrnet-1x ... acrnet-20x`) in one.
  public var text: String {
    TextTable(
      header: ["network", "ratios"],
      rows: families.map { family in
        let names =
          family.count == 1 ? family[0].network : "\(family[0].network) ... \(family.last!.network)"
        return [names, family[0].compressions.map { "1/\($0)" }.joined(separator: " ")]
      }
    ).text
  }

  private var families: [[Row]] {
    func stem(_ row: Row) -> Substring? {
      row.network.firstMatch(of: /^(.*-)\d+x$/)?.1
    }
    var families: [[Row]] = []
    for row in networks {
      if let last = families.last?[0], let own = stem(row), stem(last) == own,
        last.compressions == row.compressions
      {
        families[families.count - 1].append(row)
      } else {
        families.append([row])
      }
    }
    return families
  }
}
