/// One row of a CDL table: a cluster, or the specular ray of the first one.
package struct CDLRow: Sendable, Hashable {
  /// Delay relative to the wanted rms delay spread.
  package let delay: Double
  /// Power relative to the other rows, dB.
  package let powerDB: Double
  /// Degrees: azimuth of departure and arrival, zenith of departure and arrival.
  package let aod, aoa, zod, zoa: Double

  init(
    _ delay: Double, _ powerDB: Double, _ aod: Double, _ aoa: Double, _ zod: Double, _ zoa: Double
  ) {
    (self.delay, self.powerDB) = (delay, powerDB)
    (self.aod, self.aoa, self.zod, self.zoa) = (aod, aoa, zod, zoa)
  }
}

/// The link-level profiles of TR 38.901 clause 7.7.1, as printed.
package struct CDLTable: Sendable {
  /// The first row is the specular ray of the first cluster (CDL-D, CDL-E).
  package let startsWithSpecularRay: Bool
  /// Ray spreads of azimuth within a cluster in degrees, c_ASD and c_ASA.
  package let departureAzimuthSpread, arrivalAzimuthSpread: Double
  /// Ray spreads of zenith within a cluster in degrees, c_ZSD and c_ZSA.
  package let departureZenithSpread, arrivalZenithSpread: Double
  /// Cross-polarisation ratio.
  package let xprDB: Double
  /// The clusters in the order of the table.
  package let rows: [CDLRow]

  /// TR 38.901 Table 7.7.1-1.
  package static let cdlA = CDLTable(
    startsWithSpecularRay: false,
    departureAzimuthSpread: 5, arrivalAzimuthSpread: 11,
    departureZenithSpread: 3, arrivalZenithSpread: 3,
    xprDB: 10,
    rows: [
      CDLRow(0, -13.4, -178.1, 51.3, 50.2, 125.4),
      CDLRow(0.3819, 0, -4.2, -152.7, 93.2, 91.3),
      CDLRow(0.4025, -2.2, -4.2, -152.7, 93.2, 91.3),
      CDLRow(0.5868, -4, -4.2, -152.7, 93.2, 91.3),
      CDLRow(0.461, -6, 90.2, 76.6, 122, 94),
      CDLRow(0.5375, -8.2, 90.2, 76.6, 122, 94),
      CDLRow(0.6708, -9.9, 90.2, 76.6, 122, 94),
      CDLRow(0.575, -10.5, 121.5, -1.8, 150.2, 47.1),
      CDLRow(0.7618, -7.5, -81.7, -41.9, 55.2, 56),
      CDLRow(1.5375, -15.9, 158.4, 94.2, 26.4, 30.1),
      CDLRow(1.8978, -6.6, -83, 51.9, 126.4, 58.8),
      CDLRow(2.2242, -16.7, 134.8, -115.9, 171.6, 26),
      CDLRow(2.1718, -12.4, -153, 26.6, 151.4, 49.2),
      CDLRow(2.4942, -15.2, -172, 76.6, 157.2, 143.1),
      CDLRow(2.5119, -10.8, -129.9, -7, 47.2, 117.4),
      CDLRow(3.0582, -11.3, -136, -23, 40.4, 122.7),
      CDLRow(4.081, -12.7, 165.4, -47.2, 43.3, 123.2),
      CDLRow(4.4579, -16.2, 148.4, 110.4, 161.8, 32.6),
      CDLRow(4.5695, -18.3, 132.7, 144.5, 10.8, 27.2),
      CDLRow(4.7966, -18.9, -118.6, 155.3, 16.7, 15.2),
      CDLRow(5.0066, -16.6, -154.1, 102, 171.7, 146),
      CDLRow(5.3043, -19.9, 126.5, -151.8, 22.7, 150.7),
      CDLRow(9.6586, -29.7, -56.2, 55.2, 144.9, 156.1),
    ])

  /// TR 38.901 Table 7.7.1-2.
  package static let cdlB = CDLTable(
    startsWithSpecularRay: false,
    departureAzimuthSpread: 10, arrivalAzimuthSpread: 22,
    departureZenithSpread: 3, arrivalZenithSpread: 7,
    xprDB: 8,
    rows: [
      CDLRow(0, 0, 9.3, -173.3, 105.8, 78.9),
      CDLRow(0.1072, -2.2, 9.3, -173.3, 105.8, 78.9),
      CDLRow(0.2155, -4, 9.3, -173.3, 105.8, 78.9),
      CDLRow(0.2095, -3.2, -34.1, 125.5, 115.3, 63.3),
      CDLRow(0.287, -9.8, -65.4, -88, 119.3, 59.9),
      CDLRow(0.2986, -1.2, -11.4, 155.1, 103.2, 67.5),
      CDLRow(0.3752, -3.4, -11.4, 155.1, 103.2, 67.5),
      CDLRow(0.5055, -5.2, -11.4, 155.1, 103.2, 67.5),
      CDLRow(0.3681, -7.6, -67.2, -89.8, 118.2, 82.6),
      CDLRow(0.3697, -3, 52.5, 132.1, 102, 66.3),
      CDLRow(0.57, -8.9, -72, -83.6, 100.4, 61.6),
      CDLRow(0.5283, -9, 74.3, 95.3, 98.3, 58),
      CDLRow(1.1021, -4.8, -52.2, 103.7, 103.4, 78.2),
      CDLRow(1.2756, -5.7, -50.5, -87.8, 102.5, 82),
      CDLRow(1.5474, -7.5, 61.4, -92.5, 101.4, 62.4),
      CDLRow(1.7842, -1.9, 30.6, -139.1, 103, 78),
      CDLRow(2.0169, -7.6, -72.5, -90.6, 100, 60.9),
      CDLRow(2.8294, -12.2, -90.6, 58.6, 115.2, 82.9),
      CDLRow(3.0219, -9.8, -77.6, -79, 100.5, 60.8),
      CDLRow(3.6187, -11.4, -82.6, 65.8, 119.6, 57.3),
      CDLRow(4.1067, -14.9, -103.6, 52.7, 118.7, 59.9),
      CDLRow(4.279, -9.2, 75.6, 88.7, 117.8, 60.1),
      CDLRow(4.7834, -11.3, -77.6, -60.4, 115.7, 62.3),
    ])

  /// TR 38.901 Table 7.7.1-3.
  package static let cdlC = CDLTable(
    startsWithSpecularRay: false,
    departureAzimuthSpread: 2, arrivalAzimuthSpread: 15,
    departureZenithSpread: 3, arrivalZenithSpread: 7,
    xprDB: 7,
    rows: [
      CDLRow(0, -4.4, -46.6, -101, 97.2, 87.6),
      CDLRow(0.2099, -1.2, -22.8, 120, 98.6, 72.1),
      CDLRow(0.2219, -3.5, -22.8, 120, 98.6, 72.1),
      CDLRow(0.2329, -5.2, -22.8, 120, 98.6, 72.1),
      CDLRow(0.2176, -2.5, -40.7, -127.5, 100.6, 70.1),
      CDLRow(0.6366, 0, 0.3, 170.4, 99.2, 75.3),
      CDLRow(0.6448, -2.2, 0.3, 170.4, 99.2, 75.3),
      CDLRow(0.656, -3.9, 0.3, 170.4, 99.2, 75.3),
      CDLRow(0.6584, -7.4, 73.1, 55.4, 105.2, 67.4),
      CDLRow(0.7935, -7.1, -64.5, 66.5, 95.3, 63.8),
      CDLRow(0.8213, -10.7, 80.2, -48.1, 106.1, 71.4),
      CDLRow(0.9336, -11.1, -97.1, 46.9, 93.5, 60.5),
      CDLRow(1.2285, -5.1, -55.3, 68.1, 103.7, 90.6),
      CDLRow(1.3083, -6.8, -64.3, -68.7, 104.2, 60.1),
      CDLRow(2.1704, -8.7, -78.5, 81.5, 93, 61),
      CDLRow(2.7105, -13.2, 102.7, 30.7, 104.2, 100.7),
      CDLRow(4.2589, -13.9, 99.2, -16.4, 94.9, 62.3),
      CDLRow(4.6003, -13.9, 88.8, 3.8, 93.1, 66.7),
      CDLRow(5.4902, -15.8, -101.9, -13.7, 92.2, 52.9),
      CDLRow(5.6077, -17.1, 92.2, 9.7, 106.7, 61.8),
      CDLRow(6.3065, -16, 93.3, 5.6, 93, 51.9),
      CDLRow(6.6374, -15.7, 106.6, 0.7, 92.9, 61.7),
      CDLRow(7.0427, -21.6, 119.5, -21.9, 105.2, 58),
      CDLRow(8.6523, -22.8, -123.8, 33.6, 107.8, 57),
    ])

  /// TR 38.901 Table 7.7.1-4.
  package static let cdlD = CDLTable(
    startsWithSpecularRay: true,
    departureAzimuthSpread: 5, arrivalAzimuthSpread: 8,
    departureZenithSpread: 3, arrivalZenithSpread: 3,
    xprDB: 11,
    rows: [
      CDLRow(0, -0.2, 0, -180, 98.5, 81.5),
      CDLRow(0, -13.5, 0, -180, 98.5, 81.5),
      CDLRow(0.035, -18.8, 89.2, 89.2, 85.5, 86.9),
      CDLRow(0.612, -21, 89.2, 89.2, 85.5, 86.9),
      CDLRow(1.363, -22.8, 89.2, 89.2, 85.5, 86.9),
      CDLRow(1.405, -17.9, 13, 163, 97.5, 79.4),
      CDLRow(1.804, -20.1, 13, 163, 97.5, 79.4),
      CDLRow(2.596, -21.9, 13, 163, 97.5, 79.4),
      CDLRow(1.775, -22.9, 34.6, -137, 98.5, 78.2),
      CDLRow(4.042, -27.8, -64.5, 74.5, 88.4, 73.6),
      CDLRow(7.937, -23.6, -32.9, 127.7, 91.3, 78.3),
      CDLRow(9.424, -24.8, 52.6, -119.6, 103.8, 87),
      CDLRow(9.708, -30, -132.1, -9.1, 80.3, 70.6),
      CDLRow(12.525, -27.7, 77.2, -83.8, 86.5, 72.9),
    ])

  /// TR 38.901 Table 7.7.1-5.
  package static let cdlE = CDLTable(
    startsWithSpecularRay: true,
    departureAzimuthSpread: 5, arrivalAzimuthSpread: 11,
    departureZenithSpread: 3, arrivalZenithSpread: 7,
    xprDB: 8,
    rows: [
      CDLRow(0, -0.03, 0, -180, 99.6, 80.4),
      CDLRow(0, -22.03, 0, -180, 99.6, 80.4),
      CDLRow(0.5133, -15.8, 57.5, 18.2, 104.2, 80.4),
      CDLRow(0.544, -18.1, 57.5, 18.2, 104.2, 80.4),
      CDLRow(0.563, -19.8, 57.5, 18.2, 104.2, 80.4),
      CDLRow(0.544, -22.9, -20.1, 101.8, 99.4, 80.8),
      CDLRow(0.7112, -22.4, 16.2, 112.9, 100.8, 86.3),
      CDLRow(1.9092, -18.6, 9.3, -155.5, 98.8, 82.7),
      CDLRow(1.9293, -20.8, 9.3, -155.5, 98.8, 82.7),
      CDLRow(1.9589, -22.6, 9.3, -155.5, 98.8, 82.7),
      CDLRow(2.6426, -22.3, 19, -143.3, 100.8, 82.9),
      CDLRow(3.7136, -25.6, 32.7, -94.7, 96.4, 88),
      CDLRow(5.4524, -20.2, 0.5, 147, 98.9, 81),
      CDLRow(12.0034, -29.8, 55.9, -36.2, 95.6, 88.6),
      CDLRow(20.6419, -29.2, 57.6, -26, 104.6, 78.3),
    ])

  /// TR 38.901 Table 7.5-3: ray offset angles for an rms spread of one, in ray order.
  package static let rayOffsets: [Double] = [
    0.0447, -0.0447, 0.1413, -0.1413, 0.2492, -0.2492,
    0.3715, -0.3715, 0.5129, -0.5129, 0.6797, -0.6797,
    0.8844, -0.8844, 1.1481, -1.1481, 1.5195, -1.5195,
    2.1551, -2.1551,
  ]
}
