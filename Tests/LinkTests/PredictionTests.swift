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
    ).makeMemory(drops: drops)
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
}
