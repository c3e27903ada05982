import DataFiles
import LinkMath

extension GoldenVector {
  private static let covered = ["lr", "logloss", "binary", "int8", "metric"]

  /// Checks the operators of a method file: learning rates, log loss, binarisation, 8-bit layers and NMSE.
  ///
  /// - Returns: nil if the file has no tensor `group.name` of a method.
  static func methods(_ file: TensorFile) throws -> Report? {
    let groups = Set(
      file.tensors.keys.compactMap { $0.split(separator: ".").first.map(String.init) })
    guard !groups.isDisjoint(with: covered) else { return nil }
    var comparison = Comparison(file: file)
    if groups.contains("lr") { try rates(file, &comparison) }
    if groups.contains("logloss") { try logLoss(file, &comparison) }
    if groups.contains("binary") { try binarisation(file, &comparison) }
    if groups.contains("int8") { try integers(file, &comparison) }
    if groups.contains("metric") { try metrics(file, &comparison) }
    let used: Set = [
      "lr.step", "logloss.pred", "logloss.target", "binary.weight", "binary.upstream_grad",
      "metric.pred", "metric.target", "int8.x", "int8.weight", "int8.bias", "int8.conv_weight",
    ]
    let checked = used.union(comparison.deviations.map(\.tensor))
    let unchecked = Set(
      file.tensors.keys.filter { !checked.contains($0) }.map { key in
        let group = String(key.prefix { $0 != "." })
        return covered.contains(group) ? key : group + ".*"
      })
    return Report(
      title: "methods", deviations: comparison.deviations, unchecked: unchecked.sorted())
  }

  static func doubles(_ file: TensorFile, _ key: String, count: Int? = nil) throws
    -> [Double]
  {
    guard let array = file.tensors[key] else { throw NetworkError.missingTensor(key) }
    guard array.values.count > 0, array.values.count == count ?? array.values.count else {
      throw NetworkError.unexpectedShape(key, expected: [count ?? 1], found: array.shape)
    }
    return array.doubles()
  }

  /// 500 steps per epoch, 2500 epochs, 30 of them warm-up.
  private static func rates(_ file: TensorFile, _ comparison: inout Comparison) throws {
    let steps = try doubles(file, "lr.step")
    for (network, maximum) in [("crnet", 2e-3), ("acrnet", 4e-3)] {
      let schedule = WarmUpCosineSchedule(
        maximum: maximum, minimum: 5e-5, warmUp: 15_000, total: 1_250_000)
      let expected = try doubles(file, "lr.\(network)", count: steps.count)
      let rates = try steps.map { step in
        guard let step = Int(exactly: step), (0...1_250_000).contains(step) else {
          throw NetworkError.unexpectedValue("lr.step", expected: "steps in 0...1250000")
        }
        return schedule.rate(at: step)
      }
      comparison.add("lr.\(network)", rates, expected, .double)
    }
  }

  private static func logLoss(_ file: TensorFile, _ comparison: inout Comparison) throws {
    let output = try doubles(file, "logloss.pred").map { Float($0) }
    let target = try doubles(file, "logloss.target", count: output.count).map { Float($0) }
    guard let samples = file.tensors["logloss.pred"]?.shape.first, samples > 0 else {
      throw NetworkError.unexpectedShape("logloss.pred", expected: [3, 2, 8, 8], found: [])
    }
    var gradient = output
    let value = gradient.withUnsafeMutableBufferPointer { gradient in
      output.withUnsafeBufferPointer { output in
        target.withUnsafeBufferPointer { target in
          LogMeanSquareLoss().evaluate(
            LossBatch(output, target, samples: samples, count: output.count / samples),
            LossGradients(gradient.baseAddress!), pool: nil)
        }
      }
    }
    comparison.add("logloss.value", [value], try doubles(file, "logloss.value", count: 1), .single)
    comparison.add(
      "logloss.grad_pred", gradient.map { Double($0) },
      try doubles(file, "logloss.grad_pred", count: output.count), .gradient)
  }

  private static func binarisation(_ file: TensorFile, _ comparison: inout Comparison) throws {
    let weight = try doubles(file, "binary.weight").map { Float($0) }
    let signs = SignTensor(weight)
    comparison.add(
      "binary.alpha", [Double(signs.scale)], try doubles(file, "binary.alpha", count: 1), .single)
    comparison.add(
      "binary.weight_b", signs.values.map { Double($0) },
      try doubles(file, "binary.weight_b", count: weight.count), .single)
    guard file.tensors["binary.ste_clip_grad"] != nil else { return }
    guard let shape = file.tensors["binary.weight"]?.shape, shape.count == 2 else {
      throw NetworkError.unexpectedShape(
        "binary.weight", expected: [16, 24], found: [weight.count])
    }
    let upstream = try doubles(file, "binary.upstream_grad", count: weight.count).map { Float($0) }
    let gradient = try shadowGradient(
      weight, of: upstream, inputs: shape[1], outputs: shape[0])
    comparison.add(
      "binary.ste_clip_grad", gradient.map { Double($0) },
      try doubles(file, "binary.ste_clip_grad", count: weight.count), .single)
  }

  /// Gradient of the shadow weights in a training plan that gives the binary weights a gradient: unit vectors as inputs, the
  /// columns of that gradient as gradients of the outputs.
  private static func shadowGradient(
    _ weight: [Float], of upstream: [Float], inputs: Int, outputs: Int
  ) throws -> [Float] {
    let layer = Dense(inputs, outputs, bias: false)
    let network = Network("binary", layer, input: .vector(inputs)).replacing { _, operation in
      guard case .dense(let product) = operation else { return nil }
      return BinaryDense(product)
    }
    let plan = try TrainingPlan(
      network, weights: Weights(["weight": weight]), capacity: inputs, needsInputGradient: false,
      pool: WorkerPool(threadCount: 1))
    plan.write((0..<inputs * inputs).map { $0 % (inputs + 1) == 0 ? 1 : 0 })
    plan.forward(count: inputs, isTraining: true)
    plan.write(
      gradient: (0..<inputs).flatMap { i in (0..<outputs).map { upstream[$0 * inputs + i] } })
    plan.backward()
    return plan.gradients["weight"]!
  }

  private static func metrics(_ file: TensorFile, _ comparison: inout Comparison) throws {
    let shape = Shape(2, 32, 32)
    let target = try file.samples("metric.target", of: shape)
    let output = try file.samples("metric.pred", of: shape)
    guard output.count == target.count else {
      throw NetworkError.unexpectedShape(
        "metric.pred", expected: [target.count / shape.count] + shape.axes,
        found: file.tensors["metric.pred"]!.shape)
    }
    var error = ErrorTotals()
    for start in stride(from: 0, to: target.count, by: shape.count) {
      error.add(target[start..<start + shape.count], output[start..<start + shape.count])
    }
    for (key, value) in [
      ("metric.nmse_mean_of_ratios", error.nmse), ("metric.nmse_ratio_of_means", error.ratioOfSums),
    ] {
      comparison.add(key, [value ?? .nan], try doubles(file, key, count: 1), .single)
    }
  }
}
