import Simulation
import Testing
import Training

/// The time left of a queue, worked out by hand.
@Suite struct QueueClockTests {
  private static func progress(_ network: String, samples: Int, seconds: Int, left: Int)
    -> TrainingProgress
  {
    TrainingProgress(
      network: network, epoch: 1, epochs: 2, samples: samples, elapsed: .seconds(seconds),
      samplesLeft: left, loss: 0, lastNMSEDB: nil, bestNMSEDB: nil)
  }

  @Test func whatIsLeftOverWhatIsDonePerSecond() throws {
    let clock = QueueClock([
      [
        TrainingWork(network: "a", products: 100, samples: 1000),
        TrainingWork(network: "b", products: 10, samples: 2000),
      ],
      [TrainingWork(network: "a", products: 50, samples: 400)],
      [],
    ])
    clock.begin(0)
    #expect(clock.position == 1 && clock.count == 3)
    #expect(clock.secondsLeft(Self.progress("a", samples: 0, seconds: 0, left: 1000)) == nil)
    // 50 000 in 10 s; 50 000 of a, 20 000 of b and 20 000 of the next are left.
    let first = try #require(
      clock.secondsLeft(Self.progress("a", samples: 500, seconds: 10, left: 500)))
    #expect(abs(first - 18) < 1e-9)
    // a ended with 100 000 in 20 s; b does 5000 in 5 s: 105 000 in 25 s; 15 000 and 20 000 are left.
    _ = clock.secondsLeft(Self.progress("a", samples: 1000, seconds: 20, left: 0))
    let second = try #require(
      clock.secondsLeft(Self.progress("b", samples: 500, seconds: 5, left: 1500)))
    #expect(abs(second - 35_000 / 4200) < 1e-9)
    // The same name in the next training: 105 000 in 25 s and 5000 in 5 s; 15 000 are left.
    clock.begin(1)
    let third = try #require(
      clock.secondsLeft(Self.progress("a", samples: 100, seconds: 5, left: 300)))
    #expect(abs(third - 15_000 / (110_000 / 30)) < 1e-9)
    clock.begin(2)
    #expect(clock.secondsLeft(Self.progress("c", samples: 9, seconds: 1, left: 1)) == nil)
  }
}
