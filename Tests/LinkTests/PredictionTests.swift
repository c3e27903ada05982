import ComplexModule
import Link
import LinkMath
import Parts
import TestSupport
import Testing

/// What the BS believes between reports and after lost ones.
@Suite struct PredictionTests {
  private func memory(_ name: String, drops: Int) throws -> any BSMemory {
    let type = try #require(PredictionRegistry.predictions.first { $0.schema.name == name })
    return try type.init(
      type.schema.settings(), in: linkContext(tones: 1, ports: 1), fitted: nil
    ).makeMemory([DropBlock(0..<drops, domain: .test, seed: 1)])
  }

  /// CSI [drop, 1, 1] of real values.
  private func csi(_ values: [Float]) -> ComplexArray {
    ComplexArray(values.map { ComplexFloat($0) }, shape: [values.count, 1, 1])
  }

  private func believed(_ memory: any BSMemory, at slot: Int) -> [Float] {
    memory.csi(at: slot).elements.map(\.real)
  }

  /// Drop 1 loses its second report; reports are measured in slots 0, 4 and 8.
  private func fed(_ name: String) throws -> [(any BSMemory)] {
    var memory = try memory(name, drops: 2)
    var states: [any BSMemory] = []
    let reports: [([Float], [Bool])] = [
      ([1, 10], [true, true]), ([3, 0], [true, false]), ([7, 30], [true, true]),
    ]
    for (i, (values, isNew)) in reports.enumerated() {
      memory.store(csi(values), isNew: isNew, measured: 4 * i)
      states.append(memory)
    }
    return states
  }

  @Test func holdKeepsWhatArrived() throws {
    let states = try fed("hold")
    #expect(believed(states[0], at: 3) == [1, 10])
    #expect(believed(states[1], at: 6) == [3, 10])
    #expect(believed(states[2], at: 9) == [7, 30])
  }

  @Test func zeroForgets() throws {
    let states = try fed("zero")
    #expect(believed(states[1], at: 6) == [3, 0])
    #expect(believed(states[2], at: 9) == [7, 30])
  }

  /// The line through the two newest reports of each drop: of drop 1 those of slots 0 and 8.
  @Test func linearIsTheLine() throws {
    let states = try fed("linear")
    #expect(believed(states[0], at: 3) == [1, 10], "one report is held")
    #expect(believed(states[1], at: 6) == [4, 10])
    #expect(believed(states[2], at: 8) == [7, 30])
    #expect(believed(states[2], at: 10) == [9, 35])
  }

  /// A lost report leaves a direction that is drawn: isotropic, so a fixed one of n ports gets 1/n of the gain in the mean, and
  /// another in each slot and drop, whatever the block.
  @Test func randomDirectionsAreIsotropic() throws {
    func believed(_ drops: Range<Int>, slot: Int) throws -> ComplexArray {
      let type = try #require(PredictionRegistry.predictions.first { $0.schema.name == "random" })
      let prediction = try type.init(
        type.schema.settings(), in: linkContext(tones: 1, ports: 4), fitted: nil)
      var memory = prediction.makeMemory([DropBlock(drops, domain: .test, seed: 1)])
      let csi = ComplexArray(repeating: ComplexFloat(7), shape: [drops.count, 1, 4])
      memory.store(csi, isNew: drops.map { $0 == 0 }, measured: slot)
      return memory.csi(at: slot)
    }
    let whole = try believed(0..<2000, slot: 3).elements
    #expect(whole[..<4].allSatisfy { $0 == ComplexFloat(7) })
    var share = RunningMean()
    for drop in 1..<2000 {
      let row = whole[4 * drop..<4 * drop + 4]
      let energy = row.reduce(0) { $0 + Double($1.lengthSquared) }
      share.add(Double(row.first!.lengthSquared) / energy)
    }
    #expect(abs(share.mean - 0.25) < 4 * share.standardError!)
    // Uniform on the sphere of four complex dimensions: the share is Beta(1, 3), of variance 3/80.
    #expect(abs(share.variance! / 0.0375 - 1) < 0.15)
    #expect(try believed(500..<510, slot: 3).elements == Array(whole[2000..<2040]))
    #expect(try believed(500..<510, slot: 4).elements != Array(whole[2000..<2040]))
  }
}
