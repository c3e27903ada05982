import Channels
import ComplexModule
import Foundation
import LinkMath
import Parts
import Testing

/// Energy of row k of the unitary delay transform for a unit path at a delay of t samples, `sin²(π(k-t)) / (Nc² sin²(π(k-t)/Nc))`.
func delayLeakage(row: Int, samples t: Double, tones: Int) -> Double {
  let x = Double(row) - t
  let n = Double(tones)
  let denominator = sin(.pi * x / n)
  if abs(denominator) < 1e-12 { return 1 }
  return pow(sin(.pi * x) / (n * denominator), 2)
}

/// Expected share of energy outside rows -guard..<taps-guard.
func truncationLoss(
  _ profile: PowerDelayProfile, tones: Int, bandwidth: Double, taps: Int, guardRows: Int
)
  -> Double
{
  zip(profile.delays, profile.powers).reduce(0) { sum, path in
    let kept = (-guardRows..<taps - guardRows).reduce(0.0) {
      $0 + delayLeakage(row: $1, samples: path.0 * bandwidth, tones: tones)
    }
    return sum + path.1 * (1 - kept)
  }
}

/// The unitary inverse-sign transform along the subcarriers of one response [subcarrier, port].
func delayTransform(_ response: ComplexArray) -> ComplexArray {
  let (tones, ports) = (response[dimension: 0], response[dimension: 1])
  let plan = FFTPlan(
    length: tones, stride: ports, batch: ports, distance: 1, direction: .backward, aligned: false)
  var rows = response
  rows.withUnsafeMutableElements { plan.execute($0.baseAddress!) }
  rows.scale(by: 1 / Float(tones).squareRoot())
  return rows
}

extension Tensor where Element == ComplexFloat {
  mutating func scale(by factor: Float) {
    withUnsafeMutableElements { elements in
      for i in elements.indices {
        elements[i] = Complex(elements[i].real * factor, elements[i].imaginary * factor)
      }
    }
  }
}

@Suite struct WidebandSynthesisTests {
  @Test func phasorsOfWholeAndBrokenTurns() {
    for i in -4000...4000 {
      let turns = Double(i) / 1009
      let phase = 2 * .pi * (turns - turns.rounded())
      let found = Complex<Double>(turns: turns)
      #expect((found - Complex(cos(phase), sin(phase))).length < 1e-15)
      // A whole number of turns more loses only what the sum itself rounds away.
      #expect((Complex<Double>(turns: turns + 1_048_576) - found).length < 1e-9)
    }
    for (turns, re, im) in [(0.0, 1.0, 0.0), (0.25, 0, 1), (0.5, -1, 0), (-0.25, 0, -1)] {
      #expect(Complex<Double>(turns: turns) == Complex(re, im))
    }
  }

  @Test(arguments: [1, 2, 3, 7, 8, 31, 32, 33, 257, 1024, 4099])
  func phasorRowsAreAccurate(_ count: Int) {
    for turns in [0, 0.25, -0.1234567, 0.4999, 3.3, 12345.678] {
      var re = [Float](repeating: 0, count: count)
      var im = re
      Phasors.fill(turns: turns, count: count, re: &re, im: &im)
      var side = ComplexArray(uninitialized: [count])
      side.withUnsafeMutableElements {
        Phasors.fill(turns: turns, count: count, interleaved: $0.baseAddress!)
      }
      let step = turns - turns.rounded()
      for k in 0..<count {
        let phase = 2 * .pi * (step * Double(k)).remainder(dividingBy: 1)
        let exact = Complex(cos(phase), sin(phase))
        #expect((Complex(Double(re[k]), Double(im[k])) - exact).length < 2e-7)
        #expect((side[k].inDouble - exact).length < 2e-7)
      }
    }
  }

  @Test(arguments: [(1024, 32, 24), (257, 32, 7), (12, 1, 1), (100, 3, 40)])
  func responseIsTheSumOfPaths(_ tones: Int, _ ports: Int, _ pathCount: Int) {
    let grid = LinkContext.Grid(toneCount: tones, spacingHz: 30e3, carrierHz: 3.5e9)
    var stream = StreamKey(seed: 4, domain: .test, purpose: .channel).stream(drop: 0)
    let delays = (0..<pathCount).map { _ in stream.uniform(in: 0..<5e-6) }
    let values = stream.normal(count: 4 * pathCount * ports)
    let slots = (0..<2).map { slot in
      ComplexArray(
        (0..<pathCount * ports).map { i in
          ComplexFloat(values[4 * i + 2 * slot], values[4 * i + 2 * slot + 1])
        }, shape: [pathCount, ports])
    }
    let responses = WidebandSynthesis(grid: grid).response(
      PathSet(delays: delays, amplitudes: slots))
    for (amplitudes, response) in zip(slots, responses) {
      #expect(response.shape == [tones, ports])
      var worst = 0.0
      for n in 0..<tones {
        for s in 0..<ports {
          let exact = (0..<pathCount).reduce(Complex<Double>(0)) { sum, p in
            let phase = -2 * .pi * (Double(n) * 30e3 * delays[p]).remainder(dividingBy: 1)
            return sum + amplitudes[p, s].inDouble * Complex(cos(phase), sin(phase))
          }
          worst = max(worst, (response[n, s].inDouble - exact).length)
        }
      }
      #expect(worst < 3e-6 * Double(pathCount).squareRoot())
    }
  }

  @Test(arguments: [(DelayReference.absolute, 3), (.first, 0), (.strongest, 1021)])
  func delaysCountFromTheirReference(_ reference: DelayReference, _ row: Int) {
    let synthesis = WidebandSynthesis(grid: wideGrid, delayReference: reference)
    let paths = PathSet(
      delays: [6, 3].map { $0 / wideGrid.bandwidthHz },
      amplitudes: [ComplexArray([3, 1].map { ComplexFloat($0) }, shape: [2, 1])])
    let rows = delayTransform(synthesis.response(paths)[0])
    let scale = Float(wideGrid.toneCount).squareRoot()
    #expect((rows[row, 0] - ComplexFloat(scale)).length < 1e-4)
    #expect((rows[(row + 3) % 1024, 0] - ComplexFloat(3 * scale)).length < 1e-4)
  }

  @Test func wholeDelaysLandOnTheirRows() {
    let synthesis = WidebandSynthesis(grid: wideGrid)
    let paths = PathSet(
      delays: [0, 5, 31].map { $0 / wideGrid.bandwidthHz },
      amplitudes: [ComplexArray([1, 2, 3].map { ComplexFloat($0) }, shape: [3, 1])])
    let rows = delayTransform(synthesis.response(paths)[0])
    let scale = Float(wideGrid.toneCount).squareRoot()
    for (row, amplitude) in [(0, 1), (5, 2), (31, 3)] as [(Int, Float)] {
      #expect((rows[row, 0] - ComplexFloat(amplitude * scale)).length < 1e-4)
    }
    #expect(abs(rows.energy - 14 * Double(wideGrid.toneCount)) < 0.1)
  }

  /// Energy outside the first 32 of 1024 rows; the reference is rounded to seven digits.
  @Test(arguments: [(4.5, 0.0239396), (0.5, 0.0979732)])
  func fractionalDelayLeaks(_ samples: Double, _ reference: Double) {
    let profile = PowerDelayProfile(delays: [samples / 20e6], powers: [1])
    let expected = truncationLoss(profile, tones: 1024, bandwidth: 20e6, taps: 32, guardRows: 0)
    #expect(abs(expected - reference) < 5.1e-8)
    let paths = PathSet(
      delays: profile.delays, amplitudes: [ComplexArray([ComplexFloat(1)], shape: [1, 1])])
    let rows = delayTransform(WidebandSynthesis(grid: wideGrid).response(paths)[0])
    let lost = rows.slice(32..<1024).energy / rows.energy
    #expect(abs(lost - expected) < 1e-6)
  }

  @Test func truncationLossOfTheTables() throws {
    let tables: [String: CDLTable] = [
      "A": .cdlA, "B": .cdlB, "C": .cdlC, "D": .cdlD, "E": .cdlE,
    ]
    for row in try fixtureRows("delay_truncation_loss.csv") {
      let profile = CDLProfile(
        try #require(tables[row["CDL"]!]), delaySpread: Double(row["delay_spread_ns"]!)! * 1e-9)
      let loss = truncationLoss(
        profile.profile, tones: Int(row["Nc"]!)!, bandwidth: Double(row["bandwidth_MHz"]!)! * 1e6,
        taps: Int(row["Ni"]!)!, guardRows: Int(row["guard_rows"]!)!)
      #expect(abs(loss - Double(row["loss"]!)!) < 1e-5, "\(row)")
    }
  }

  @Test func sampledTruncationLossIsTheExpectedOne() throws {
    let model = try makeChannel(
      CDLChannel.self,
      ["profile": .text("A"), "delay_spread": .number(30e-9), "ports": .integer(4)])
    let expected = truncationLoss(
      model.profile.profile, tones: 1024, bandwidth: 20e6, taps: 32, guardRows: 0)
    let drops = try model.frequencyResponse(DropBlock(0..<400, domain: .test, seed: 8), slots: [0])
    let lost = RunningMean(
      (0..<400).map { drop in
        let response = drops[0].slice(drop..<drop + 1).reshaped([1024, 4])
        return delayTransform(response).slice(32..<1024).energy / Double(response.count)
      })
    #expect(abs(lost.mean - expected) < 4 * (try #require(lost.standardError)))
  }
}
