import Foundation

/// Figures of the channels of a data set.
public struct ChannelDescription: Sendable, Encodable {
  /// Whether the matrices are over tones and ports, or over delays and angles.
  public let domain: ChannelShape.Domain
  /// Rows of a matrix: tones, or delay rows.
  public let rows: Int
  /// Columns of a matrix: ports, or angles.
  public let columns: Int
  /// Delay rows that the figures of the angular-delay matrix are about.
  public let taps: Int
  /// Of the delay rows, those before delay zero.
  public let guardRows: Int
  /// Distance of the delay rows in seconds; nil if the grid is unknown.
  public let rowSeconds: Double?
  /// Matrices that were given.
  public let drops: Int
  /// Drops without energy, left out of everything else.
  public let silentDrops: Int
  /// Energy of a drop.
  public let energy: Summary
  /// Largest modulus of a drop's angular-delay matrix.
  public let peak: Summary
  /// Over all entries of all drops: the scale of a set whose entries had mean power 1.
  public let rootMeanSquare: Double
  /// In words, whether all drops have the same energy, the same largest modulus, or neither, within 0.1 %.
  public let normalisation: String
  /// Share of the energy in the kept rows; nil for data that are truncated already.
  public let capturedEnergy: Summary?
  /// Rms delay spread in delay rows, the kept rows weighted by power.
  public let delaySpreadRows: Summary?
  /// Rms delay spread in seconds; nil if the grid is unknown.
  public let delaySpreadSeconds: Summary?
  /// Circular spread of the azimuths that the columns stand for (TR 38.901 annex A); nil without a line of antennas.
  public let angleSpreadDegrees: Summary?
  /// Circular spread of the phase from port to port, degrees; nil with one port.
  public let portPhaseSpreadDegrees: Summary?
  /// Ricean K-factor in dB by the moments of the power; nil if no drop gives one.
  public let kFactorDb: Summary?
  /// Drops whose power varies more than that of Rayleigh fading, so that the moments give no K.
  public let dropsWithoutKFactor: Int
  /// Angular-delay entries with 90 % of a drop's energy.
  public let coefficients90: Summary
  /// Angular-delay entries with 95 %.
  public let coefficients95: Summary
  /// Angular-delay entries with 99 %.
  public let coefficients99: Summary
  /// Delay rows with 90 % of a drop's energy.
  public let rows90: Summary
  /// Angle columns with 90 %.
  public let columns90: Summary
  /// Mean over drops of the share of a drop's energy, by delay row.
  public let rowEnergy: [Double]
  /// The same share by angle column.
  public let columnEnergy: [Double]
  /// How well linear compression does; nil if no PCA was asked for or the drops are too few.
  public let pca: PCACurve?
  /// Mean share of a drop's energy [delay, angle].
  public let meanMap: [Double]
  /// Moduli [delay, angle] of the first drops, for pictures.
  public let samples: [[Float]]

  private enum CodingKeys: String, CodingKey {
    case domain, rows, columns, taps, guardRows, rowSeconds, drops, silentDrops, energy, peak
    case rootMeanSquare, normalisation, capturedEnergy, delaySpreadRows, delaySpreadSeconds
    case angleSpreadDegrees, portPhaseSpreadDegrees, kFactorDb, dropsWithoutKFactor
    case coefficients90, coefficients95, coefficients99, rows90, columns90, rowEnergy, columnEnergy
    case pca
  }
}

/// How well linear compression does: NMSE of m real principal components.
public struct PCACurve: Sendable, Encodable, Equatable {
  /// Error for one number of components.
  public struct Point: Sendable, Encodable, Equatable {
    /// Real principal components m.
    public let components: Int
    /// Mean over test drops of the share of energy that is lost, in dB.
    public let nmseDb: Double
  }

  /// The first drops fit the components, later ones test them.
  public let fittedDrops: Int
  /// Drops that the components were tested on.
  public let testedDrops: Int
  /// Errors by ascending number of components.
  public let points: [Point]
}

extension ChannelDescription {
  /// The figures as a table.
  public var text: String {
    var lines: [(String, String)] = [
      ("drops", silentDrops == 0 ? "\(drops)" : "\(drops), \(silentDrops) without energy left out"),
      (
        "matrix",
        (domain == .frequency
          ? "\(rows) tones x \(columns) ports, \(taps) delay rows are looked at"
          : "\(rows) delays x \(columns) angles")
          + (guardRows > 0 ? " (\(guardRows) of them before delay zero)" : "")
      ),
      ("scale (rms of an entry)", Self.number(rootMeanSquare)),
      ("normalisation found", normalisation),
    ]
    if let rowSeconds {
      lines.append(("delay row", Self.number(1e9 * rowSeconds) + " ns"))
    }
    return lines.map { "\($0.0.padding(toLength: 26, withPad: " ", startingAt: 0))  \($0.1)" }
      .joined(separator: "\n") + "\n\n" + table + "\n\n" + profiles + pcaText
  }

  private var table: String {
    var rows: [(String, Summary?)] = [("energy", energy), ("largest modulus", peak)]
    if let capturedEnergy { rows.append(("energy in the first rows", capturedEnergy)) }
    if let delaySpreadSeconds {
      rows.append(("rms delay spread, ns", delaySpreadSeconds.scaled(by: 1e9)))
    } else {
      rows.append(("rms delay spread, rows", delaySpreadRows))
    }
    rows += [
      ("azimuth spread, degrees", angleSpreadDegrees),
      ("port phase spread, degrees", portPhaseSpreadDegrees), ("K-factor, dB", kFactorDb),
      ("coefficients for 90 %", coefficients90), ("coefficients for 95 %", coefficients95),
      ("coefficients for 99 %", coefficients99), ("delay rows for 90 %", rows90),
      ("angle columns for 90 %", columns90),
    ]
    let head = Self.line("per drop", ["mean", "median", "std", "5 %", "min", "max"])
    let body = rows.map { name, figure in
      guard let figure else { return Self.line(name, ["none"]) }
      let values = [
        figure.mean, figure.median, figure.standardDeviation, figure.percentile5, figure.minimum,
        figure.maximum,
      ]
      return Self.line(name, values.map { $0.map(Self.number) ?? "-" })
    }
    let note =
      dropsWithoutKFactor > 0
      ? [
        "(no K-factor for \(dropsWithoutKFactor) drops: their power varies more than Rayleigh fading)"
      ]
      : []
    return ([head] + body + note).joined(separator: "\n")
  }

  /// The strongest rows and columns.
  private var profiles: String {
    let list = { (energies: [Double]) in
      energies.enumerated().sorted { $0.element > $1.element }.prefix(8)
        .map { "\($0.offset): \(String(format: "%.4f", $0.element))" }.joined(separator: "  ")
    }
    return "energy by delay row   \(list(rowEnergy))\nenergy by angle column \(list(columnEnergy))"
  }

  private var pcaText: String {
    guard let pca else { return "" }
    let points = pca.points.map { "\($0.components): \(String(format: "%.2f", $0.nmseDb))" }
    return "\nPCA, NMSE in dB of m components, fitted on \(pca.fittedDrops) drops, tested on "
      + "\(pca.testedDrops)\n  \(points.joined(separator: "  "))"
  }

  private static func line(_ name: String, _ cells: [String]) -> String {
    name.padding(toLength: 27, withPad: " ", startingAt: 0)
      + cells.map { String(repeating: " ", count: max(1, 11 - $0.count)) + $0 }.joined()
  }

  private static func number(_ value: Double) -> String { String(format: "%.5g", value) }
}
