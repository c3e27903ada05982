import DataFiles
import LinkMath
import Networks

extension InferencePlan {
  /// The first output for the samples of an array [sample, ...], on the calling thread; blocks run in parallel.
  ///
  /// - Returns: [sample] and the axes given.
  func run(_ input: RealArray, _ shape: [Int]) -> RealArray {
    let drops = input[dimension: 0]
    var output = RealArray(uninitialized: [drops] + shape)
    input.withUnsafeElements { input in
      output.withUnsafeMutableElements { output in
        run([input.baseAddress!], count: drops, into: [output.baseAddress!])
      }
    }
    return output
  }
}

extension RealArray {
  /// The largest magnitude whose energy single precision holds with room.
  private static let largest: Float = 1e15

  /// Whether a codeword may be asked for finite images: a wild one, as a noisy link can deliver, is no fault of the weights.
  var isTame: Bool { withUnsafeElements { $0.allSatisfy { $0.magnitude < 1e6 } } }

  /// Refuses values whose energy single precision does not hold.
  func requireFinite(_ values: String, _ path: String) throws(DataFileError) {
    let wrong = withUnsafeElements { $0.first { !($0.magnitude < Self.largest) } }
    guard let wrong else { return }
    throw DataFileError(
      file: path, expected: "weights that keep the \(values) finite",
      found: "the output \(wrong)", hint: "train the network again, or use other weights")
  }
}
