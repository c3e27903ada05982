import Link
import LinkMath
import Parts

/// What the BS believes behind a prediction: its memory, and the reports that are on their way to it.
struct Belief {
  /// A decoded report of all drops: the slot in which the UE measured, its CSI, and whose reports arrived.
  typealias Decoded = (slot: Int, csi: ComplexArray, isNew: [Bool])

  /// What the BS precodes with in a slot; the same version is the same CSI.
  struct Held {
    /// Place of the slot in the flight.
    let index: Int
    let version: Int
    let csi: ComplexArray
  }

  private let prediction: any Prediction
  private let delay: Int
  private var memory: any BSMemory
  private var onTheWay: [Decoded] = []
  /// Reports that have arrived.
  private var count = 0

  init(_ prediction: any Prediction, delay: Int, rows: [DropBlock]) {
    self.prediction = prediction
    self.delay = delay
    memory = prediction.makeMemory(rows)
  }

  /// Takes the reports of a flight, and tells what the BS believes in each slot that it serves.
  mutating func held(_ reports: [Decoded], slots: [Int]) -> [Held] {
    onTheWay += reports
    var held: [Held] = []
    for (index, slot) in slots.enumerated() where slot >= delay {
      while let next = onTheWay.first, next.slot + delay <= slot {
        onTheWay.removeFirst()
        memory.store(next.csi, isNew: next.isNew, measured: next.slot)
        count += 1
      }
      let version = prediction.changesBetweenReports ? slot : count
      held.append(Held(index: index, version: version, csi: memory.csi(at: slot)))
    }
    return held
  }
}
