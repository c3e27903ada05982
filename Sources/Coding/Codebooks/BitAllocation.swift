/// How many bits each output of an encoder gets, of a given sum.
///
/// `loss(m, b)` is the mean squared error of output m with 2^b levels, such as ``CodebookTable/loss(_:bits:)``.
public enum BitAllocation {
  /// Moves single bits from the output that loses least by it to the one that gains most, until no move gains.
  ///
  /// With `d = argmin of l_m[B_m - 1] - l_m[B_m]` over B_m >= 1 and `a = argmax of l_m[B_m] - l_m[B_m + 1]` over
  /// B_m < limit, a bit goes from d to a while a is not d and the gain exceeds the cost. Among equals the first output is
  /// taken. For convex losses the end is the optimum.
  ///
  /// - Parameters:
  ///   - start: bits to begin with.
  ///   - limit: most bits of an output.
  ///   - loss: mean squared error of an output with so many bits.
  /// - Returns: bits of each output, with the sum of `start`.
  public static func swapped(from start: [Int], limit: Int, loss: (Int, Int) -> Double) -> [Int] {
    var bits = start
    var costs = bits.indices.map { cost(bits, $0, loss) }
    var gains = bits.indices.map { gain(bits, $0, limit, loss) }
    while let giver = costs.indices.min(by: { costs[$0] < costs[$1] }),
      let taker = gains.indices.max(by: {
        gains[$0] < gains[$1] || gains[$0] == gains[$1] && $0 > $1
      }),
      giver != taker, gains[taker] > costs[giver]
    {
      bits[giver] -= 1
      bits[taker] += 1
      for output in [giver, taker] {
        costs[output] = cost(bits, output, loss)
        gains[output] = gain(bits, output, limit, loss)
      }
    }
    return bits
  }

  /// Gives bits one by one to the output that gains most, of outputs in descending order of importance, such as principal
  /// components.
  ///
  /// The first bit goes to the first output. An output may grow while it has fewer bits than the one before it, so that
  /// only one new output can come in at a time.
  ///
  /// - Parameters:
  ///   - total: sum of the bits.
  ///   - outputCount: number of outputs.
  ///   - limit: most bits of an output; `total <= limit * outputCount`.
  ///   - loss: mean squared error of an output with so many bits.
  public static func grown(
    total: Int, outputCount: Int, limit: Int, loss: (Int, Int) -> Double
  ) -> [Int] {
    precondition((0...limit * outputCount).contains(total))
    var bits = [Int](repeating: 0, count: outputCount)
    var gains = [Double](repeating: 0, count: outputCount)
    if outputCount > 0 { gains[0] = gain(bits, 0, limit, loss) }
    for _ in 0..<total {
      var taker: Int?
      for output in bits.indices where bits[output] < (output == 0 ? limit : bits[output - 1]) {
        if taker.map({ gains[output] > gains[$0] }) ?? true { taker = output }
        if bits[output] == 0 { break }
      }
      guard let taker else { break }
      bits[taker] += 1
      gains[taker] = gain(bits, taker, limit, loss)
      if bits[taker] == 1, taker + 1 < outputCount {
        gains[taker + 1] = gain(bits, taker + 1, limit, loss)
      }
    }
    return bits
  }

  private static func cost(_ bits: [Int], _ output: Int, _ loss: (Int, Int) -> Double) -> Double {
    bits[output] > 0 ? loss(output, bits[output] - 1) - loss(output, bits[output]) : .infinity
  }

  private static func gain(
    _ bits: [Int], _ output: Int, _ limit: Int, _ loss: (Int, Int) -> Double
  ) -> Double {
    bits[output] < limit ? loss(output, bits[output]) - loss(output, bits[output] + 1) : -.infinity
  }
}
