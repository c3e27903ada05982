import LinkMath
import Parts

/// Frequency response of discrete paths.
///
/// `H[n][s](t) = Σ_p a_p[s](t) exp(-j 2π n Δf τ_p)`, n = 0..Nc-1 counted from the lowest tone, so that a path at delay τ
/// comes out of the inverse-sign delay transform at row `τ Nc Δf`. Delays and phases are in double precision.
public struct WidebandSynthesis: Sendable {
  /// Tones and spacing of the response.
  public let grid: LinkContext.Grid
  /// What is done to the power of each response.
  public let normalisation: PowerScaling
  /// Where delay zero is.
  public let delayReference: DelayReference

  /// A synthesis on a grid; without more said, delays and powers are the model's own.
  public init(
    grid: LinkContext.Grid, normalisation: PowerScaling = .none,
    delayReference: DelayReference = .absolute
  ) {
    self.grid = grid
    self.normalisation = normalisation
    self.delayReference = delayReference
  }

  /// Phasors of each path over the tones, [path, subcarrier].
  ///
  /// - Complexity: O(paths · subcarriers).
  public func phasors(delays: [Double]) -> ComplexArray {
    let tones = grid.toneCount
    var rows = ComplexArray(uninitialized: [delays.count, tones])
    rows.withUnsafeMutableElements { rows in
      for (path, delay) in delays.enumerated() {
        Phasors.fill(
          turns: -grid.spacingHz * delay, count: tones,
          interleaved: rows.baseAddress! + path * tones)
      }
    }
    return rows
  }

  /// The responses of one drop, one array [subcarrier, port] for each slot of `paths`.
  public func response(_ paths: PathSet) -> [ComplexArray] {
    var paths = paths
    var lead: Double?
    delayReference.apply(to: &paths, lead: &lead)
    let phasors = phasors(delays: paths.delays)
    return paths.amplitudes.map { amplitudes in
      var response = ComplexArray(uninitialized: [grid.toneCount, amplitudes[dimension: 1]])
      response.withUnsafeMutableElements { _ = write(phasors, amplitudes, into: $0) }
      return response
    }
  }

  /// One product [subcarrier, path] · [path, port], then the normalisation.
  ///
  /// - Returns: the amplitude that the normalisation divided by.
  /// - Complexity: 8 · subcarriers · paths · ports floating-point operations.
  @discardableResult func write(
    _ phasors: ComplexArray, _ amplitudes: ComplexArray,
    into response: UnsafeMutableBufferPointer<ComplexFloat>
  ) -> Double {
    let (paths, ports) = (amplitudes[dimension: 0], amplitudes[dimension: 1])
    phasors.requireShape([paths, grid.toneCount], "[path, subcarrier]")
    precondition(response.count == grid.toneCount * ports)
    phasors.withUnsafeElements { rows in
      amplitudes.withUnsafeElements { amplitudes in
        MatrixProduct.multiply(
          m: grid.toneCount, n: ports, k: paths, rows.baseAddress!, lda: grid.toneCount, .transpose,
          amplitudes.baseAddress!, ldb: ports, into: response.baseAddress!, ldc: ports)
      }
    }
    guard let gain = normalisation.apply(to: response) else {
      preconditionFailure("paths without energy")
    }
    return gain
  }
}

extension WidebandSynthesis {
  /// The responses of the drops of a block, and what the normalisation took out.
  ///
  /// Each drop is its own product, so its bits do not depend on the other drops of the block.
  ///
  /// - Parameter paths: the paths of the i-th drop in some slots; each set covers as many of them as it has amplitudes, in order.
  func responses(
    drops: Int, ports: Int, slots: [Int], _ paths: (Int, [Int]) -> [PathSet]
  ) -> NormalisedResponse {
    // Which path is the strongest is decided in slot 0, whatever slots are asked for.
    let extra = delayReference == .strongest && slots.first != 0 ? [0] : []
    let tones = grid.toneCount
    let size = tones * ports
    var responses = slots.map { _ in
      ComplexArray(uninitialized: [drops, tones, ports])
    }
    var gains = slots.map { _ in [Double](repeating: 1, count: drops) }
    var delays: [Double] = []
    var phasors = phasors(delays: [])
    for drop in 0..<drops {
      var slot = -extra.count
      var lead: Double?
      for var paths in paths(drop, extra + slots) {
        delayReference.apply(to: &paths, lead: &lead)
        // Profiles from tables have the same delays in every drop.
        if paths.delays != delays {
          delays = paths.delays
          phasors = self.phasors(delays: delays)
        }
        for amplitudes in paths.amplitudes {
          defer { slot += 1 }
          guard slot >= 0 else { continue }
          responses[slot].withUnsafeMutableElements { all in
            gains[slot][drop] = write(
              phasors, amplitudes,
              into: UnsafeMutableBufferPointer(rebasing: all[drop * size..<(drop + 1) * size]))
          }
        }
      }
      precondition(slot == slots.count)
    }
    return NormalisedResponse(responses: responses, gains: gains)
  }
}

extension PathChannelModel {
  /// The wideband response of each drop and slot, synthesised from ``paths(_:_:slots:)``.
  public func frequencyResponse(_ block: DropBlock, slots: [Int]) throws -> [ComplexArray] {
    try normalisedResponse(block, slots: slots).responses
  }

  /// The wideband response of each drop and slot with what the normalisation took out.
  public func normalisedResponse(_ block: DropBlock, slots: [Int]) throws -> NormalisedResponse {
    synthesis.responses(drops: block.drops.count, ports: portCount, slots: slots) {
      [paths(block, $0, slots: $1)]
    }
  }
}
