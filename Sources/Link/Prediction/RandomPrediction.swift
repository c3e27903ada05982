import LinkMath
import Parts

/// The newest report; once one is lost, entries drawn CN(0, 1), until the next arrives.
///
/// The rows of such CSI, and what the transform makes of them for each tone, point into every direction alike: on N ports
/// the mean of the gain |h w|² / |h|² is 1/N.
public struct RandomPrediction: Prediction, Part {
  public static let schema = PartSchema(
    .prediction, "random",
    "The BS forgets what it had when a report is lost, and precodes into a random direction.")

  public init(_ settings: Settings, in context: LinkContext, fitted: Artefact?) {}

  public func makeMemory(_ rows: [DropBlock]) -> any BSMemory { Memory(rows: rows) }

  private struct Memory: BSMemory {
    let rows: [DropBlock]
    var newest: ComplexArray?

    mutating func store(_ csi: ComplexArray, isNew: [Bool], measured slot: Int) {
      var believed = csi
      let size = 2 * believed.rowStride
      believed.withUnsafeMutableFloats { values in
        var row = 0
        for block in rows {
          for drop in 0..<block.drops.count {
            if !isNew[row] {
              var stream = block.stream(drop, slot: slot, .guess)
              stream.fillNormal(
                UnsafeMutableBufferPointer(start: values + row * size, count: size),
                scale: Float(0.5).squareRoot())
            }
            row += 1
          }
        }
      }
      newest = believed
    }

    func csi(at slot: Int) -> ComplexArray { newest! }
  }
}
