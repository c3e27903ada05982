/// Windows that move over maps.
extension ONNXTracer {
  /// Pooling, by the axes behind the channels.
  static let pooling: [String: Operator] = [
    "AveragePool": { tracer, node in
      let counts = try tracer.integer(node, "count_include_pad", default: 0) != 0
      return try tracer.pooled(node, .mean(countsEdge: counts))
    },
    "MaxPool": { try $0.pooled($1, .maximum) },
  ]

  private func pooled(_ node: ONNXNode, _ kind: WindowPooling.Kind) throws -> [Value] {
    let (x, shape) = try signal(node, 0)
    let rank = shape.count - 2
    guard rank == 1 || rank == 2 else {
      throw fail(node, "maps [batch, channel, row, column] or [batch, channel, place]", "\(shape)")
    }
    let roundsUp = try integer(node, "ceil_mode", default: 0) != 0
    guard node.outputs.dropFirst().allSatisfy(\.isEmpty) else {
      throw fail(node, "one output", "the places of the maxima as a second one")
    }
    // A row of its own for maps of one axis.
    func pair(_ name: String, _ alone: Int) throws -> [Int] {
      let given = try integers(node, name) ?? [Int](repeating: alone, count: rank)
      guard given.count == rank, given.allSatisfy({ (1...4096).contains($0) }) else {
        throw fail(node, "\(rank) positive numbers '\(name)'", "\(given)")
      }
      return rank == 1 ? [1] + given : given
    }
    guard try integers(node, "kernel_shape") != nil else {
      throw fail(node, "a 'kernel_shape'", "none")
    }
    let (size, strides) = (try pair("kernel_shape", 1), try pair("strides", 1))
    let dilations = try pair("dilations", 1)
    let given = try pads(
      node, input: Array(shape[2...]), kernel: Array(size.suffix(rank)),
      strides: strides.suffix(rank), dilations: dilations.suffix(rank))
    guard given.count == 2 * rank, given.allSatisfy({ (0..<1 << 24).contains($0) }) else {
      throw fail(node, "\(2 * rank) pads of less than 2^24", "\(given)")
    }
    let pads = rank == 1 ? [0, given[0], 0, given[1]] : given
    let input = rank == 1 ? [shape[1], 1, shape[2]] : Array(shape[1...])
    var output = [input[0]]
    for axis in 0..<2 {
      let reach = dilations[axis] * (size[axis] - 1)
      let span = input[1 + axis] + pads[axis] + pads[2 + axis] - reach
      guard span > 0, max(pads[axis], pads[2 + axis]) < reach + 1 else {
        throw fail(node, "windows that hold values of the map", "\(shape) and pads \(given)")
      }
      var count = (span - 1) / strides[axis] + 1
      // One more window where values are left, if it begins before the pads behind.
      if roundsUp, (span - 1) % strides[axis] != 0,
        count * strides[axis] < input[1 + axis] + pads[axis]
      {
        count += 1
      }
      output.append(count)
    }
    let operation = WindowPooling(
      kind: kind, shape: Shape(output[0], output[1], output[2]), size: size, strides: strides,
      dilations: dilations, padding: pads)
    let map = x.reshaped(Shape(input[0], input[1], input[2]))
    return [
      try signal(map.applying(operation), rank == 1 ? [output[0], output[2]] : output)
    ]
  }
}
