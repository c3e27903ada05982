import ComplexModule
import Foundation
import LinkMath
import RealModule
import Synchronization
import TestSupport
import Testing

@Suite struct TensorTests {
  @Test func copiesAreIndependent() {
    var a = RealArray([1, 2, 3, 4], shape: [2, 2])
    let b = a
    a[0, 1] = 9
    #expect(b.elements == [1, 2, 3, 4])
    #expect(a.elements == [1, 9, 3, 4])
    #expect(a.slice(1..<2).elements == [3, 4])
    #expect(a.reshaped([4])[1] == 9)
  }

  @Test func wrongShapeTraps() async {
    await #expect(processExitsWith: .failure) {
      RealArray(repeating: 0, shape: [2, 3]).requireShape([2, 4], "[drop, port]")
    }
  }
}

@Suite struct FFTPlanTests {
  @Test(arguments: [1, 2, 32, 257, 1024], [FFTPlan.Direction.forward, .backward])
  func equalsTheDefinition(length: Int, direction: FFTPlan.Direction) {
    let batch = 3
    let input = complexNormal([length, batch], seed: UInt64(length))
    var output = input
    let plan = FFTPlan(
      length: length, stride: batch, batch: batch, distance: 1, direction: direction,
      aligned: false)
    output.withUnsafeMutableElements { plan.execute($0.baseAddress!) }
    let sign = direction == .forward ? -1.0 : 1.0
    for column in 0..<batch {
      for k in [0, 1, length / 3, length - 1] where k < length {
        var sum = Complex<Double>.zero
        for n in 0..<length {
          let x = input[n, column]
          let phase = Complex<Double>(
            length: 1, phase: sign * 2 * .pi * Double(k * n % length) / Double(length))
          sum += Complex(Double(x.real), Double(x.imaginary)) * phase
        }
        let y = output[k, column]
        let error = (Complex(Double(y.real), Double(y.imaginary)) - sum).length
        #expect(error < 1e-5 * sqrt(Double(length)) * 3)
      }
    }
  }
}

private final class Hits: Sendable {
  private let counts: Mutex<[Int]>
  init(_ count: Int) { counts = Mutex([Int](repeating: 0, count: count)) }
  func add(_ index: Int, _ amount: Int) { counts.withLock { $0[index] += amount } }
  var all: [Int] { counts.withLock { $0 } }
}

@Suite struct WorkerPoolTests {
  @Test(arguments: [1, 2, 4]) func everyIndexOnce(threads: Int) {
    let pool = WorkerPool(threadCount: threads)
    for count in [0, 1, 2, 7, 1000] {
      let hits = Hits(count)
      pool.forEach(count) { (index: Int, worker: Int) in hits.add(index, worker < threads ? 1 : 100)
      }
      #expect(hits.all == [Int](repeating: 1, count: count))
    }
  }

  @Test func nestedLoopsRunOnTheCallingWorker() {
    let pool = WorkerPool(threadCount: 2)
    let sum = Hits(1)
    pool.forEach(10) { (i: Int, _: Int) in
      pool.forEach(10) { (j: Int, _: Int) in sum.add(0, i * j) }
    }
    #expect(sum.all == [45 * 45])
  }

  struct Failure: Error, Equatable { let index: Int }
  @Test func firstErrorIsThrown() {
    let pool = WorkerPool(threadCount: 2)
    #expect(throws: Failure(index: 3)) {
      try pool.forEach(100) { (index: Int, _: Int) throws in
        if index == 3 { throw Failure(index: index) }
      }
    }
  }
}

@Suite struct StatisticsTests {
  @Test func meanAndVariance() throws {
    let mean = RunningMean([2, 4, 4, 4, 5, 5, 7, 9])
    #expect(mean.mean == 5)
    #expect(abs(try #require(mean.variance) - 32.0 / 7) < 1e-12)
    #expect(abs(try #require(mean.standardError) - sqrt(32.0 / 7 / 8)) < 1e-12)
    #expect(RunningMean([1]).standardError == nil)
  }

  /// Against tabulated points of Student's t; the expansion joins the table smoothly.
  @Test(arguments: [
    (1, 12.7062), (30, 2.04227), (31, 2.03951), (60, 2.00030), (120, 1.97993), (100_000, 1.95999),
  ])
  func studentQuantiles(degrees: Int, expected: Double) {
    #expect(abs(StudentT.quantile975(degreesOfFreedom: degrees) - expected) < 1e-4)
  }

  @Test func sha256() {
    // FIPS 180-4 example.
    #expect(
      Digest.sha256("abc")
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
  }
}
