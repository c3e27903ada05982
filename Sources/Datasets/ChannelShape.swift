import Channels
import DataFiles
import Link

/// How the matrices of a data set lie on delay and angle, or on tones and ports.
public struct ChannelShape: Sendable, Equatable {
  /// Whether rows are tones or delays.
  public enum Domain: String, Sendable, Encodable {
    /// Rows are tones.
    case frequency
    /// Rows are delays.
    case delay
  }

  /// Whether rows are tones or delays.
  public var domain: Domain
  /// Tones, or delay rows that the file has.
  public var rows: Int
  /// Ports, or angles.
  public var columns: Int
  /// Tones of the grid that the delay rows are from; nil if unknown.
  public var tones: Int?
  /// Sub-carrier spacing Δf in hertz; nil if unknown.
  public var spacingHz: Double?
  /// Delay rows that are looked at.
  public var taps: Int
  /// How many of the delay rows lie before delay zero.
  public var guardRows: Int
  /// Direction of the DFT over ports.
  public var angleDFT: AngularDelayTransform.Direction
  /// Columns that the angles are rotated by.
  public var angleShift: Int
  /// Distance of neighbouring antennas in wavelengths; nil if the columns are not angles of one line of antennas.
  public var lineSpacing: Double?

  /// The shape of a data set; without `taps` the first 32 delay rows of frequency data, all rows of delay data.
  public init(
    domain: Domain, rows: Int, columns: Int, tones: Int? = nil, spacingHz: Double? = nil,
    taps: Int? = nil, guardRows: Int = 0, angleDFT: AngularDelayTransform.Direction = .forward,
    angleShift: Int = 0, lineSpacing: Double? = 0.5
  ) {
    self.domain = domain
    self.rows = rows
    self.columns = columns
    self.tones = domain == .frequency ? rows : tones
    self.spacingHz = spacingHz
    self.taps = domain == .frequency ? min(taps ?? 32, rows) : rows
    self.guardRows = min(guardRows, self.taps - 1)
    self.angleDFT = angleDFT
    self.lineSpacing = lineSpacing
    self.angleShift = ((angleShift % columns) + columns) % columns
  }

  /// Seconds of a delay row; nil if the grid is unknown.
  public var rowSeconds: Double? {
    guard let tones, let spacingHz else { return nil }
    return 1 / (Double(tones) * spacingHz)
  }

  /// From tones and ports to the delay rows that are looked at; of delay rows, between them and as many tones.
  var transform: AngularDelayTransform {
    AngularDelayTransform(
      grid: rows, ports: columns, taps: taps,
      guardRows: domain == .frequency ? guardRows : 0, angle: angleDFT, shift: angleShift)
  }

  /// The signed number of the DFT bin over ports in a column.
  func bin(ofColumn column: Int) -> Int {
    let bin = ((column - angleShift) % columns + columns) % columns
    let signed = bin >= (columns + 1) / 2 ? bin - columns : bin
    return angleDFT == .forward ? signed : -signed
  }
}
