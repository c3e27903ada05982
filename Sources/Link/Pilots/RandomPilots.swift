import ComplexModule
import LinkMath
import Parts

/// Random QPSK pilots of any length: the rows of X are not orthogonal, and there may be fewer symbols than ports.
///
/// `X[k, t] = (±1 ± j) / sqrt(2 Tp)`, drawn once for a scenario's seed. Least squares multiplies by the pseudo-inverse:
/// with `Tp >= Nt` it is unbiased with the mean error variance `σ² tr((X Xᴴ)⁻¹) / Nt`; with fewer symbols it is the estimate of
/// least norm, which loses the share `1 - Tp/Nt` of a channel whose ports fade independently.
///
/// Reference: S. M. Kay, *Fundamentals of Statistical Signal Processing: Estimation Theory*, 1993, ch. 4 and 8.
public struct RandomPilots: PilotScheme, Part {
  static let length = Parameter<Int?>.optional(
    "length", .integer(1...4096), "Pilot symbols Tp; as many as antennas if left out.")

  public static let schema = PartSchema(
    .pilots, "random", "Random QPSK pilots of any length, fewer than ports too; unit energy each.",
    reference: "S. M. Kay, Estimation Theory, 1993, ch. 4 and 8",
    parameters: [
      OrthogonalPilots.snr.declaration, length.declaration,
      OrthogonalPilots.toneSpacing.declaration,
    ])

  /// X of this scenario.
  public let signal: MatrixPilots
  private var snrDB: Double
  private let toneSpacing: Int
  private let toneCount: Int

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) throws {
    toneCount = context.grid.toneCount
    toneSpacing = settings[OrthogonalPilots.toneSpacing]
    guard toneCount % toneSpacing == 0 else {
      throw SettingsError(
        part: settings.part, key: OrthogonalPilots.toneSpacing.key,
        reason: "must divide the \(toneCount) tones, got \(toneSpacing)",
        hint: "choose a divisor of \(toneCount)")
    }
    snrDB = settings[OrthogonalPilots.snr]
    let (antennas, symbols) = (context.portCount, settings[Self.length] ?? context.portCount)
    // A stream that no noise has: it uses instance 0.
    var stream = StreamKey(seed: context.seed, domain: .fit, purpose: .pilotNoise, instance: 1)
      .stream(drop: 0)
    let amplitude = 1 / Float(2 * symbols).squareRoot()
    let entries = (0..<antennas * symbols).map { _ in
      let word = stream.nextWord()
      return ComplexFloat(
        word & 1 == 0 ? amplitude : -amplitude, word & 2 == 0 ? amplitude : -amplitude)
    }
    signal = try MatrixPilots(ComplexArray(entries, shape: [antennas, symbols]))
  }

  public func at(snrDB: Double) -> (any PilotScheme)? {
    var other = self
    other.snrDB = snrDB
    return other
  }

  public var summary: LinkContext.Pilots {
    var pilots = LinkContext.Pilots()
    pilots.toneSpacing = toneSpacing
    pilots.errorVariance = linear(decibels: -snrDB) / signal.energy
    pilots.snrDB = snrDB
    return pilots
  }

  public func observe(_ channel: ComplexArray, _ block: DropBlock, slot: Int) -> PilotObservation {
    let (ports, symbols) = (signal.antennaCount, signal.symbolCount)
    channel.requireShape([block.drops.count, toneCount, ports], "[drop, subcarrier, port]")
    let pilotTones = toneCount / toneSpacing
    let noiseVariance = linear(decibels: -snrDB)
    var received = ComplexArray(uninitialized: [block.drops.count, pilotTones, symbols])
    let size = 2 * pilotTones * symbols
    channel.withUnsafeElements { channel in
      received.withUnsafeMutableFloats { received in
        for drop in 0..<block.drops.count {
          let target = received + drop * size
          target.withMemoryRebound(to: ComplexFloat.self, capacity: size / 2) {
            signal.spread(
              channel.baseAddress! + drop * toneCount * ports, stride: toneSpacing * ports,
              rows: pilotTones, into: $0)
          }
          var noise = block.stream(drop, slot: slot, .pilotNoise)
          noise.addNormal(
            to: UnsafeMutableBufferPointer(start: target, count: size),
            scale: Float((noiseVariance / 2).squareRoot()))
        }
      }
    }
    return PilotObservation(
      received: received, pilots: signal, toneSpacing: toneSpacing, noiseVariance: noiseVariance,
      channel: channel)
  }
}

/// Pilots of any matrix X [antenna, symbol], with its pseudo-inverse `X⁺ = Xᴴ (X Xᴴ)⁺` from the eigenvectors of X Xᴴ.
public struct MatrixPilots: PilotSignal {
  private let matrix: ComplexArray
  /// [symbol, antenna]
  private let inverse: ComplexArray
  public let energy: Double

  /// - Throws: if the eigenvalues do not converge.
  public init(_ matrix: ComplexArray) throws {
    self.matrix = matrix
    let (antennas, symbols) = (matrix[dimension: 0], matrix[dimension: 1])
    let x = matrix.elements.map { Complex(Double($0.real), Double($0.imaginary)) }
    let gram = (0..<antennas * antennas).map { i in
      (0..<symbols).reduce(Complex<Double>.zero) {
        $0 + x[i / antennas * symbols + $1] * x[i % antennas * symbols + $1].conjugate
      }
    }
    let rank = min(antennas, symbols)
    let (values, vectors) = try Eigen.hermitian(gram, order: antennas, largest: rank)
    // Directions that the pilots hardly send are left out, as in any pseudo-inverse.
    let kept = (0..<rank).filter { values[$0] > 1e-9 * values[0] }
    var inverse = [Complex<Double>](repeating: .zero, count: symbols * antennas)
    for k in kept {
      let u = vectors[k]
      for t in 0..<symbols {
        let seen = (0..<antennas).reduce(Complex<Double>.zero) {
          $0 + x[$1 * symbols + t].conjugate * u[$1]
        }
        let scaled = seen.multiplied(by: 1 / values[k])
        for a in 0..<antennas { inverse[t * antennas + a] += scaled * u[a].conjugate }
      }
    }
    self.inverse = ComplexArray(
      inverse.map { ComplexFloat(Float($0.real), Float($0.imaginary)) }, shape: [symbols, antennas])
    energy = Double(antennas) / kept.reduce(0) { $0 + 1 / values[$1] }
  }

  public var antennaCount: Int { matrix[dimension: 0] }
  public var symbolCount: Int { matrix[dimension: 1] }

  public subscript(antenna antenna: Int, symbol symbol: Int) -> ComplexFloat {
    matrix[antenna, symbol]
  }

  /// Rows H [tone, antenna] times X.
  func spread(
    _ channel: UnsafePointer<ComplexFloat>, stride: Int, rows: Int,
    into target: UnsafeMutablePointer<ComplexFloat>
  ) {
    matrix.withUnsafeElements {
      MatrixProduct.multiply(
        m: rows, n: symbolCount, k: antennaCount, channel, lda: stride, .none, $0.baseAddress!,
        ldb: symbolCount, into: target, ldc: symbolCount)
    }
  }

  public func despread(
    _ received: UnsafePointer<ComplexFloat>, rows: Int,
    into estimate: UnsafeMutablePointer<ComplexFloat>
  ) {
    inverse.withUnsafeElements {
      MatrixProduct.multiply(
        m: rows, n: antennaCount, k: symbolCount, received, lda: symbolCount, .none,
        $0.baseAddress!, ldb: antennaCount, into: estimate, ldc: antennaCount)
    }
  }
}
