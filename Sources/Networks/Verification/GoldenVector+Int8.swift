import CKernels

extension GoldenVector {
  /// Dynamically quantised dense layers with 7 and 8 bits an activation, and weights of a convolution with a scale each output.
  static func integers(_ file: TensorFile, _ comparison: inout Comparison) throws {
    guard let shape = file.tensors["int8.weight"]?.shape, shape.count == 2, shape[0] * shape[1] > 0
    else {
      throw NetworkError.unexpectedShape("int8.weight", expected: [10, 48], found: [])
    }
    let (outputs, inputs) = (shape[0], shape[1])
    let x = try doubles(file, "int8.x").map { Float($0) }
    let bias = try doubles(file, "int8.bias", count: outputs).map { Float($0) }
    guard x.count % inputs == 0 else {
      throw NetworkError.unexpectedShape("int8.x", expected: [7, inputs], found: [x.count])
    }
    let weight = Int8Tensor(dynamic: try doubles(file, "int8.weight").map { Float($0) })
    func expect(_ key: String, _ values: [Double], _ tolerance: Tolerance) throws {
      comparison.add(
        "int8.\(key)", values, try doubles(file, "int8.\(key)", count: values.count), tolerance)
    }
    try expect("weight_q", weight.integers.map { Double($0) }, .exact)
    try expect("weight_scale", weight.scales.map { Double($0) }, .single)
    for levels in [127, 255] {
      let quantizer = x.withUnsafeBufferPointer { ActivationQuantizer(of: $0, levels: levels) }
      var integers = [Int16](repeating: 0, count: x.count)
      quantizer.write(x, count: x.count, to: &integers)
      try expect("act_scale_\(levels)", [Double(quantizer.scale)], .single)
      try expect("act_zero_\(levels)", [Double(quantizer.zero)], .exact)
      try expect("act_q_\(levels)", integers.map { Double($0) + Double(quantizer.zero) }, .exact)
      func product(_ scale: Float, _ weightScale: Float, _ bias: [Float]) -> [Double] {
        let rows = x.count / inputs
        var y = [Float](repeating: 0, count: rows * outputs)
        csk_int8_product(
          rows, outputs, inputs, integers, weight.integers, [Float](repeating: scale, count: rows),
          [Float](repeating: weightScale, count: outputs), bias, &y, outputs)
        return y.map { Double($0) }
      }
      let zeros = [Float](repeating: 0, count: outputs)
      try expect("acc_\(levels)", product(1, 1, zeros), .exact)
      try expect("y_\(levels)", product(quantizer.scale, weight.scales[0], bias), .single)
    }
    guard let kernel = file.tensors["int8.conv_weight"], let channels = kernel.shape.first else {
      return
    }
    let convolution = Int8Tensor(kernel.floats(), rows: channels)
    try expect("conv_weight_q", convolution.integers.map { Double($0) }, .exact)
    try expect("conv_scale_per_channel", convolution.scales.map { Double($0) }, .single)
  }
}
