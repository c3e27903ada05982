import Channels
import ComplexModule
import Foundation
import LinkMath
import Parts
import RealModule

/// The stages of a link written down once more from their definitions: in double precision, by plain sums.
enum DirectLink {
  typealias Matrix = [[Complex<Double>]]

  /// Responses [tone][port] of independent Rayleigh taps, by [slot][drop].
  static func rayleigh(
    tones: Int, ports: Int, taps: Int, drops: Range<Int>, _ domain: StreamKey.Domain = .run,
    seed: UInt64, slots: [Int] = [0], speed: Double = 0, user: Int = 0
  ) throws -> [[Matrix]] {
    let grid = LinkContext.Grid(toneCount: tones, spacingHz: 20e6 / 1024, carrierHz: 2e9)
    let context = LinkContext(grid: grid, speed: speed, seed: seed)
    let settings = try RayleighChannel.schema.settings([
      "ports": .integer(ports), "taps": .integer(taps),
    ])
    let channel = try RayleighChannel(settings, in: context, fitted: nil)
    return try channel.frequencyResponse(
      DropBlock(drops, user: user, of: user + 1, domain: domain, seed: seed), slots: slots
    ).map { response in
      (0..<drops.count).map { drop in
        (0..<tones).map { tone in (0..<ports).map { response[drop, tone, $0].inDouble } }
      }
    }
  }

  /// Pilot noise N [tone][symbol] ~ CN(0, σ²) of a drop and slot.
  static func pilotNoise(
    tones: Int, symbols: Int, snrDB: Double, drop: Int, _ domain: StreamKey.Domain, seed: UInt64,
    slot: Int = 0
  ) -> Matrix {
    var stream = StreamKey(seed: seed, domain: domain, purpose: .pilotNoise)
      .stream(drop: drop, slot: slot)
    let normal = stream.normal(count: 2 * tones * symbols).map(Double.init)
    let scale = (pow(10, -snrDB / 10) / 2).squareRoot()
    return (0..<tones).map { tone in
      (0..<symbols).map { symbol in
        let i = 2 * (tone * symbols + symbol)
        return Complex(scale * normal[i], scale * normal[i + 1])
      }
    }
  }

  /// Least squares with as many unitary DFT pilots as ports: `Ĥ = H + N Xᴴ`, `X[k, t] = T^(-1/2) exp(-j 2π k t / T)`.
  static func leastSquares(_ channel: Matrix, _ noise: Matrix) -> Matrix {
    let ports = channel[0].count
    return zip(channel, noise).map { h, n in
      (0..<ports).map { k in
        (0..<ports).reduce(h[k]) { sum, t in
          let phase = turned(Double(k * t) / Double(ports))
          return sum + (n[t] * phase).multiplied(by: 1 / Double(ports).squareRoot())
        }
      }
    }
  }

  /// Truncated angular-delay CSI [delay][angle]: `+j` over tones, rows from -guardRows on; `-j` over ports (`+j` if
  /// inverse), columns moved by `shift`; both unitary.
  static func csi(
    _ channel: Matrix, taps: Int, guardRows: Int = 0, shift: Int = 0, inverse: Bool = false
  ) -> Matrix {
    let (tones, ports) = (channel.count, channel[0].count)
    let scale = 1 / Double(tones * ports).squareRoot()
    return (0..<taps).map { row in
      let delays = (0..<ports).map { port in
        channel.indices.reduce(Complex<Double>.zero) { sum, tone in
          sum + channel[tone][port] * turned(Double(tone * (row - guardRows)) / Double(tones))
        }
      }
      var angles = [Complex<Double>](repeating: .zero, count: ports)
      for q in 0..<ports {
        angles[(q + shift) % ports] = (0..<ports).reduce(Complex<Double>.zero) { sum, port in
          sum + delays[port] * turned((inverse ? 1 : -1) * Double(q * port) / Double(ports))
        }.multiplied(by: scale)
      }
      return angles
    }
  }

  /// `exp(j 2π turns)`.
  private static func turned(_ turns: Double) -> Complex<Double> {
    Complex(cos(2 * .pi * turns), sin(2 * .pi * turns))
  }

  /// Σ |x|².
  static func energy(_ matrix: Matrix) -> Double {
    matrix.reduce(0) { $0 + $1.reduce(0) { $0 + $1.lengthSquared } }
  }

  /// Largest |x|.
  static func peak(_ matrix: Matrix) -> Double {
    matrix.flatMap { $0 }.map(\.lengthSquared).max()!.squareRoot()
  }
}

extension Complex<Float> {
  fileprivate var inDouble: Complex<Double> {
    Complex<Double>(Double(real), Double(imaginary))
  }
}
