import Foundation
import LinkMath
import Reports
import Testing

@Suite struct PairedDifferenceTests {
  /// Ratios of gamma-distributed numbers with a common factor.
  private func drops(_ count: Int, seed: UInt64, gain: Double) -> (a: [Double], b: [Double]) {
    var (a, b): ([Double], [Double]) = ([], [])
    for drop in 0..<count {
      var stream = StreamKey(seed: seed, domain: .run, purpose: .channel).stream(drop: drop)
      let u = (0..<3).map { _ in max(Double(stream.uniform()), 1e-9) }
      let common = -log(u[0])
      a.append(common - 0.1 * log(u[1]))
      b.append(gain * common - 0.1 * gain * log(u[2]))
    }
    return (a, b)
  }

  @Test func valuesAndScales() throws {
    let linear = PairedDifference(from: [1, 2, .nan, 4], to: [2, 4, 9, .nan], .linear)
    #expect(linear.count == 2 && linear.value == 1.5)
    let levels = PairedDifference(from: [1, 3], to: [10, 30], .decibels)
    #expect(abs(levels.value - 10) < 1e-12)
    // Ratios that are the same in each drop leave no doubt.
    let interval = try #require(levels.interval)
    #expect(abs(interval.lowerBound - 10) < 1e-9 && abs(interval.upperBound - 10) < 1e-9)
    #expect(PairedDifference(from: [0, 0], to: [1, 2], .decibels).interval == nil)
    #expect(PairedDifference(from: [1], to: [2], .linear).interval == nil)
    #expect(PairedDifference(from: [.nan], to: [2], .linear).value.isNaN)
  }

  /// The other way round it has the other sign.
  @Test func antisymmetric() throws {
    let (a, b) = drops(200, seed: 3, gain: 1.2)
    for scale in [PairedDifference.Scale.linear, .decibels] {
      let (there, back) = (
        PairedDifference(from: a, to: b, scale), PairedDifference(from: b, to: a, scale)
      )
      #expect(abs(there.value + back.value) < 1e-12)
      let (x, y) = (try #require(there.interval), try #require(back.interval))
      #expect(abs(x.lowerBound + y.upperBound) < 1e-9)
      #expect(abs(x.upperBound + y.lowerBound) < 1e-9)
    }
  }

  /// Where the differences have light tails, intervals are little wider than Student's, wherever the differences lie.
  @Test(arguments: [-5.0, 0, 5]) func lightTails(offset: Double) throws {
    var (held, widths) = (0, 0.0)
    for seed in 0..<200 {
      var stream = StreamKey(seed: UInt64(seed), domain: .run, purpose: .channel).stream(drop: 0)
      let a = (0..<60).map { _ in 20 + Double(stream.uniform()) }
      let b = a.map { value in
        value + offset + (0..<6).reduce(-3) { sum, _ in sum + Double(stream.uniform()) }
      }
      let difference = PairedDifference(from: a, to: b, .linear)
      let interval = try #require(difference.interval)
      if interval.contains(offset) { held += 1 }
      let squares = zip(a, b).map { pow($1 - $0 - difference.value, 2) }
      let error = (squares.reduce(0, +) / (59 * 60)).squareRoot()
      widths += (interval.upperBound - interval.lowerBound) / (4.002 * error)
    }
    #expect(held >= 180)
    #expect((1..<1.6).contains(widths / 200), "\(widths / 200)")
  }

  /// Intervals hold the true difference in about 95 of 100 runs, and are much narrower than those of drops that are not paired.
  @Test func coverage() throws {
    var (held, widths, loose) = (0, 0.0, 0.0)
    for seed in 0..<300 {
      let (a, b) = drops(60, seed: UInt64(seed), gain: 1.3)
      let interval = try #require(PairedDifference(from: a, to: b, .decibels).interval)
      if interval.contains(10 * log10(1.3)) { held += 1 }
      widths += interval.upperBound - interval.lowerBound
      let shifted = Array(b.dropFirst()) + [b[0]]
      let other = try #require(PairedDifference(from: a, to: shifted, .decibels).interval)
      loose += other.upperBound - other.lowerBound
    }
    // Four standard errors below 95 of 100.
    #expect(held >= 270)
    #expect(widths < 0.5 * loose)
  }
}
