import CKernels
import ComplexModule
import LinkMath

/// What the downlink of one slot gives a user, of a few drops; drops are counted from zero.
public struct ServedSlot: Sendable {
  /// True response [drop, subcarrier, port].
  public let channel: ComplexArray
  /// What the BS believes it is.
  public let reconstruction: ComplexArray
  /// The channel and the reconstruction, over the tones of the similarities.
  public let cosines: [ToneSums]
  /// The channel and the reconstruction, over all tones.
  public let similarities: [ToneSums]
  /// The channel and the directions of the precoder.
  public private(set) var beams: [ToneSums]
  /// Tones, from the first, of the similarities.
  public let cosineToneCount: Int

  /// The slot of a user who is alone.
  ///
  /// - Parameters:
  ///   - channel: true response of the slot [drop, subcarrier, port].
  ///   - reconstruction: what the BS believes it is.
  ///   - directions: g of the weights w = gᴴ / ‖g‖; nil if they are the reconstruction.
  ///   - snr: transmit power of a tone over the noise.
  ///   - cosineToneCount: tones, from the first, of the similarities; nil for all.
  package init(
    channel: ComplexArray, reconstruction: ComplexArray, directions: ComplexArray?, snr: Double,
    cosineToneCount: Int? = nil
  ) {
    self.channel = channel
    self.reconstruction = reconstruction
    self.cosineToneCount = cosineToneCount ?? channel[dimension: 1]
    let products = ToneProducts(channel, reconstruction)
    similarities = products.sums(snr: snr)
    cosines =
      self.cosineToneCount < channel[dimension: 1]
      ? products.sums(snr: snr, tones: self.cosineToneCount) : similarities
    beams = directions.map { ToneProducts(channel, $0).sums(snr: snr) } ?? similarities
  }

  /// The slot of one of several users, who disturb each other.
  ///
  /// - Parameters:
  ///   - user: whose slot it is.
  ///   - directions: of all users; none is zero on a tone.
  ///   - perfect: the same with perfect CSI at the BS.
  ///   - snr: the user's transmit power of a tone over the noise.
  package init(
    channel: ComplexArray, reconstruction: ComplexArray, user: Int, directions: [ComplexArray],
    perfect: [ComplexArray], snr: Double, cosineToneCount: Int? = nil
  ) {
    self.init(
      channel: channel, reconstruction: reconstruction, directions: directions[user], snr: snr,
      cosineToneCount: cosineToneCount)
    let rates = SharedTones.rates(channel, user, directions, snr: snr)
    let perfectRates = SharedTones.rates(channel, user, perfect, snr: snr)
    for drop in drops {
      (beams[drop].rate, beams[drop].perfectRate) = (rates[drop], perfectRates[drop])
    }
  }

  /// Drops of the arrays.
  public var drops: Range<Int> { 0..<channel[dimension: 0] }
  /// Tones of the grid.
  public var toneCount: Int { channel[dimension: 1] }
  /// Antenna ports of the BS.
  public var portCount: Int { channel[dimension: 2] }

  /// Whether the channel of a drop has energy.
  func hasEnergy(_ drop: Int) -> Bool { beams[drop].energy > 0 }
}

/// Sums over tones of a drop: h is the channel, g a direction whose weights are w = gᴴ / ‖g‖.
public struct ToneSums: Sendable {
  /// |⟨h, g⟩| / (‖h‖ ‖g‖), and its square.
  public let cosine, squaredCosine: Double
  /// |h w|².
  public let power: Double
  /// |h w|² / ‖h‖².
  public let fraction: Double
  /// log2(1 + SNR |h w|²), and with ‖h‖² for |h w|². Of several users log2(1 + SINR), and with the weights that the precoder
  /// would choose with perfect CSI.
  public internal(set) var rate, perfectRate: Double
  /// ‖h‖² and ‖h - g‖².
  public let energy, error: Double

  fileprivate init(_ sums: csk_tone_sums) {
    (cosine, squaredCosine) = (sums.cosine, sums.squared)
    (power, fraction) = (sums.power, sums.fraction)
    (rate, perfectRate) = (sums.rate, sums.perfect)
    (energy, error) = (sums.energy, sums.error)
  }
}

/// Inner products of channel and direction on every tone: c = ⟨h, g⟩, ‖h‖², ‖g‖², ‖h − g‖².
struct ToneProducts {
  private let toneCount: Int
  private let portCount: Int
  private let channel: ComplexArray
  /// One after the other for all tones of all drops: c (re, im), ‖h‖², ‖g‖², ‖h − g‖².
  private var values: RealArray
  private let rows: Int

  init(_ channel: ComplexArray, _ direction: ComplexArray) {
    precondition(channel.shape == direction.shape)
    self.channel = channel
    (toneCount, portCount) = (channel[dimension: 1], channel[dimension: 2])
    let rows = channel[dimension: 0] * toneCount
    self.rows = rows
    values = RealArray(uninitialized: [5 * rows])
    values.withUnsafeMutableElements { values in
      let base = values.baseAddress!
      channel.withUnsafeFloats { h in
        direction.withUnsafeFloats { g in
          csk_row_products(
            rows, portCount, h, g, base, base + 2 * rows, base + 3 * rows, base + 4 * rows)
        }
      }
    }
  }

  /// |h w|² on every tone of every drop, in double precision; g is nowhere zero.
  var powers: [Double] {
    values.withUnsafeElements { values in
      (0..<rows).map { row in
        let (re, im) = (Double(values[2 * row]), Double(values[2 * row + 1]))
        return (re * re + im * im) / Double(values[3 * rows + row])
      }
    }
  }

  /// The sums over the first tones of every drop; over all if no number is given.
  func sums(snr: Double, tones: Int? = nil) -> [ToneSums] {
    let tones = tones ?? toneCount
    return (0..<channel[dimension: 0]).map { drop in
      let sums = sums(drop, snr: snr, tones: tones, fallback: nil)
      guard sums.undirected != 0 else { return ToneSums(sums) }
      return ToneSums(self.sums(drop, snr: snr, tones: tones, fallback: equalWeightPowers(drop)))
    }
  }

  private func sums(
    _ drop: Int, snr: Double, tones: Int, fallback: [Float]?
  ) -> csk_tone_sums {
    var sums = csk_tone_sums()
    values.withUnsafeElements { values in
      let first = values.baseAddress! + drop * toneCount
      csk_tone_metrics(
        tones, first + drop * toneCount, first + 2 * rows, first + 3 * rows, first + 4 * rows,
        fallback, Float(snr), &sums)
    }
    return sums
  }

  /// |h w|² for equal weights on all ports.
  private func equalWeightPowers(_ drop: Int) -> [Float] {
    channel.withUnsafeElements { h in
      (0..<toneCount).map { tone in
        let row = (drop * toneCount + tone) * portCount
        return h[row..<row + portCount].reduce(ComplexFloat.zero, +).lengthSquared
          / Float(portCount)
      }
    }
  }
}
