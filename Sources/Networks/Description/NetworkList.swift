/// Every network with its ratios.
public struct NetworkList: Sendable, Encodable {
  /// One network of the list.
  public struct Row: Sendable, Encodable {
    /// Name as ``NetworkVariant/name``.
    public let network: String
    /// The n of the ratios 1/n for the public image.
    public let compressions: [Int]
    fileprivate let variant: NetworkVariant

    private enum CodingKeys: CodingKey { case network, compressions }
  }

  /// In the order of ``NetworkZoo/variants``.
  public let networks: [Row]

  /// Lists the standard zoo.
  public init() {
    networks = NetworkZoo.standard.variants.compactMap { variant in
      (try? variant.compressions()).map {
        Row(network: variant.name, compressions: $0, variant: variant)
      }
    }
  }

  /// One line per network, those that differ in one number only (`acrnet-1x ... acrnet-20x`) in one.
  public var text: String {
    TextTable(
      header: ["network", "ratios"],
      rows: series.map { rows in
        let names =
          rows.count == 1 ? rows[0].network : "\(rows[0].network) ... \(rows.last!.network)"
        return [names, rows[0].compressions.map { "1/\($0)" }.joined(separator: " ")]
      }
    ).text
  }

  private var series: [[Row]] {
    var series: [[Row]] = []
    for row in networks {
      if let last = series.last?.last, row.variant.follows(last.variant) {
        series[series.count - 1].append(row)
      } else {
        series.append([row])
      }
    }
    return series
  }
}

extension NetworkVariant {
  /// Whether it has the settings of another one but for a number that is one higher.
  fileprivate func follows(_ other: NetworkVariant) -> Bool {
    guard shortForm != nil, family.schema.name == other.family.schema.name else { return false }
    let different = settings.values.keys.filter { settings.values[$0] != other.settings.values[$0] }
    guard different.count == 1, case .integer(let value)? = settings.values[different[0]],
      case .integer(let before)? = other.settings.values[different[0]]
    else { return false }
    return value == before + 1
  }
}
