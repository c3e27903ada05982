import Foundation
import LinkMath
import Networks
import Testing

/// Networks for CSI other than the public 32 angles and 32 taps.
@Suite struct ImageSizeTests {
  static let networks = [
    "csinet", "csinet-width", "crnet", "cl-acrnet-1x", "acrnet {expansion: 2}", "cllwcsinet",
    "transnet",
    "clnet", "csinetpro", "kd-crnet-se", "bcsinet-c2", "dcrnet-1x", "dcrnetv2-mini", "lrp",
    "dnnet {base: crnet, hidden: [30, 20]}",
  ]
  static let images = [(13, 32), (32, 13), (32, 64), (64, 32)].map {
    Shape.image(angles: $0.0, taps: $0.1)
  }

  /// Weights with statistics and gains that are not their initial values.
  private static func weights(_ network: Network, _ stream: inout RandomStream) -> Weights {
    var weights = Weights.initial(network, using: &stream)
    for (key, parameter) in network.parameters {
      if key.hasSuffix("running_mean") {
        weights[key] = stream.normal(count: parameter.count).map { 0.3 * $0 }
      }
      if key.hasSuffix("running_var") {
        weights[key] = stream.normal(count: parameter.count).map { 0.5 + $0 * $0 }
      }
      if key.hasPrefix("rezero") { weights[key] = [0.7] }
      // Dense layers that start tiny, so that a step of the test would be long beside them.
      if case .normal(let deviation) = parameter.initialization, deviation < 0.01 {
        weights[key] = weights[key]!.map { 30 * $0 }
      }
    }
    return weights
  }

  private static func choice(_ name: String, _ image: Shape) throws -> NetworkChoice {
    let ratios = try NetworkZoo.standard.variant(name).compressions(image: image)
    return try NetworkChoice(name, compression: ratios.last { $0 <= 16 }!, image: image)
  }

  /// Both plans give the same values, and the training plan's gradients are those of central differences along a random
  /// direction of all parameters.
  @Test(arguments: networks, images)
  func plansAgreeAndGradientsFit(_ name: String, _ image: Shape) throws {
    // 26 = 2 · 13 has no divisor from 4 to 16 but 13, and 64 values of a token divide all of these images.
    let network = try Self.choice(name, image)
    #expect(network.autoencoder.codewordLength == image.count / network.compression)
    var stream = StreamKey(seed: 4, domain: .test, purpose: .initialisation).stream(drop: 0)
    let pool = WorkerPool(threadCount: 1)
    for side in [network.autoencoder.encoder, network.autoencoder.decoder] {
      let weights = Self.weights(side, &stream)
      let input = (0..<3 * side.graph.inputShapes[0].count).map { _ in Float(stream.uniform()) }
      let plan = try TrainingPlan(
        side, weights: weights, capacity: 3, needsInputGradient: true, pool: pool)
      plan.write(input)
      plan.forward(count: 3, isTraining: false)
      let expected = plan.output()
      let result = try InferencePlan(side, weights: weights).run([input], count: 3, pool: pool)[0]
      let scale = expected.reduce(1) { max($0, abs($1)) }
      #expect(zip(result, expected).allSatisfy { abs($0 - $1) <= 3e-5 * scale })

      // Along the gradient g of a random projection of the outputs, the derivative is ‖g‖².
      let direction = stream.normal(count: expected.count)
      func value(_ weights: Weights, _ input: [Float]) throws -> Double {
        let plan = try TrainingPlan(
          side, weights: weights, capacity: 3, needsInputGradient: false, pool: pool)
        plan.write(input)
        plan.forward(count: 3, isTraining: true)
        return zip(plan.output(), direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
      }
      plan.forward(count: 3, isTraining: true)
      plan.write(gradient: direction)
      plan.backward()
      let gradients = plan.gradients
      let length = gradients.values.reduce(0.0) { $1.reduce($0) { $0 + Double($1) * Double($1) } }
        .squareRoot()
      let difference = try [0.01, -0.01].map { step in
        var moved = weights
        for (key, gradient) in gradients {
          moved[key] = zip(weights[key]!, gradient).map { $0 + $1 * Float(step / length) }
        }
        return try value(moved, input)
      }
      let slope = (difference[0] - difference[1]) / 0.02
      #expect(abs(slope / length - 1) < 0.05, "parameters: \(slope) and \(length)")

      let inputGradient = plan.inputGradient()
      let size = inputGradient.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
      let ends = try [0.05, -0.05].map { step in
        try value(weights, zip(input, inputGradient).map { $0 + $1 * Float(step / size) })
      }
      let inputSlope = (ends[0] - ends[1]) / 0.1
      #expect(abs(inputSlope / size - 1) < 0.05, "input: \(inputSlope) and \(size)")
    }
  }

  /// CsiNet by plain loops in Double.
  @Test(arguments: images)
  func csinetByPlainLoops(_ image: Shape) throws {
    let network = try NetworkChoice("csinet", compression: 16, image: image).autoencoder
    var stream = StreamKey(seed: 5, domain: .test, purpose: .initialisation).stream(drop: 0)
    let weights = Self.weights(network.encoder, &stream)
      .merging(Self.weights(network.decoder, &stream))
    let plain = PlainLayers(weights, height: image.height, width: image.width)
    let input = (0..<image.count).map { _ in Float(stream.uniform()) }
    let x = input.map { Double($0) }
    let feature = plain.leaky(plain.norm(plain.convolution(x, "enc_conv"), "enc_bn"))
    let codeword = plain.dense(feature, "enc_fc")
    var y = plain.dense(codeword, "dec_fc")
    for block in ["refine1", "refine2"] {
      var branch = y
      for stage in 1...3 {
        if stage > 1 { branch = plain.leaky(branch) }
        branch = plain.norm(
          plain.convolution(branch, "\(block).conv\(stage)"), "\(block).bn\(stage)")
      }
      y = plain.leaky(zip(y, branch).map { $0 + $1 })
    }
    let output = plain.convolution(y, "out_conv").map { 1 / (1 + exp(-$0)) }
    let pool = WorkerPool(threadCount: 1)
    let sent = try InferencePlan(network.encoder, weights: weights).run(
      [input], count: 1, pool: pool)[0]
    let back = try InferencePlan(network.decoder, weights: weights).run(
      [sent], count: 1, pool: pool)[0]
    #expect(zip(sent, codeword).allSatisfy { abs(Double($0) - $1) < 2e-5 * (1 + abs($1)) })
    #expect(zip(back, output).allSatisfy { abs(Double($0) - $1) < 1e-5 })
    #expect(sent.count == codeword.count && back.count == output.count)
  }

  /// The latent part of CLLWCsiNet's encoder by plain loops: channel and angle merged, kernels along the delay.
  @Test(arguments: images)
  func latentOfCLLWCsiNetByPlainLoops(_ image: Shape) throws {
    let network = try Self.choice("cllwcsinet", image)
    var stream = StreamKey(seed: 6, domain: .test, purpose: .initialisation).stream(drop: 0)
    let weights = Self.weights(network.autoencoder.encoder, &stream)
    let plain = PlainLayers(weights, height: image.height, width: image.width, epsilon: 1e-3)
    let input = (0..<image.count).map { _ in Float(stream.uniform()) }
    let x = input.map { Double($0) }
    func unit(_ layers: PlainLayers, _ x: [Double], _ key: String) -> [Double] {
      layers.norm(layers.convolution(x, "\(key).conv"), "\(key).bn")
    }
    let isFour = network.compression == 4
    let branches = (1...3).map { p -> [Double] in
      let branch = unit(plain, plain.leaky(unit(plain, x, "enc.p\(p)a")), "enc.p\(p)b")
      return p == 1 && isFour ? plain.leaky(branch) : branch
    }
    let map = plain.leaky(unit(plain, branches.flatMap { $0 }, "enc.merge"))
    let rows = PlainLayers(weights, height: 1, width: image.width, epsilon: 1e-3)
    var deep = rows.leaky(unit(rows, rows.leaky(unit(rows, map, "lat.a1")), "lat.a2"))
    if !isFour { deep = unit(rows, deep, "lat.a3") }
    let both = rows.leaky(deep + unit(rows, map, "lat.b"))
    let codeword = rows.leaky(unit(rows, both, "lat.c"))
    let sent = try InferencePlan(network.autoencoder.encoder, weights: weights)
      .run([input], count: 1, pool: WorkerPool(threadCount: 1))[0]
    #expect(sent.count == codeword.count)
    #expect(zip(sent, codeword).allSatisfy { abs(Double($0) - $1) < 2e-5 * (1 + abs($1)) })
  }

  @Test func namesAndFiles() throws {
    let wide = Shape.image(angles: 32, taps: 64)
    for (text, name, stem) in [
      ("ACRNet", "acrnet-1x", "acrnet-1x-4"), ("acrnet {expansion: 7}", "acrnet-7x", "acrnet-7x-4"),
      ("acrnet {expansion: 30}", "acrnet {expansion: 30}", "acrnet-expansion-30-4"),
      ("csinet{kernel:5}", "csinet {kernel: 5}", "csinet-kernel-5-4"),
      ("bcsinet {head: b, blocks: 3}", "bcsinet-b3", "bcsinet-b3-4"),
      (
        "dnnet {hidden: [256, 512]}", "dnnet {hidden: [256, 512]}", "dnnet-hidden-256-512-4"
      ),
      (
        "dnnet {base: acrnet {expansion: 2, bottleneck: convolutional}}",
        "dnnet {base: acrnet {expansion: 2, bottleneck: convolutional}}",
        "dnnet-base-acrnet-expansion-2-bottleneck-convolutional-4"
      ),
    ] {
      let choice = try NetworkChoice(text, compression: 4)
      #expect(choice.name == name)
      #expect(choice.stem == stem)
      #expect(try NetworkChoice(choice.name, compression: 4) == choice)
      let other = try NetworkChoice(text, compression: 4, image: wide)
      #expect(other.stem == stem.dropLast(1) + "32x64-4")
      #expect(other != choice)
    }
  }

  @Test(arguments: [
    ("acrnet {expansion: 0}", "acrnet.expansion must be a whole number in 1...128, got 0"),
    ("acrnet {expansion: 4", "must end with '}'"), ("acrnet {expansion}", "needs a value after"),
    ("acrnet {width: 4}", "acrnet.width codec 'acrnet' has no such key"),
    ("acrnet {expansion: 1, expansion: 2}", "is given twice"),
    ("acrnet-4x {expansion: 4}", "cannot be given"), ("csinet {kernel: 4}", "must be odd, got 4"),
    ("dnnet {hidden: [3, x]}", "must be a list of"), ("dnnet {base: nothing}", "unknown network"),
    ("", "unknown network ''"),
  ])
  func unfitTexts(_ text: String, _ complaint: String) {
    let error = #expect(throws: NetworkError.self) {
      try NetworkZoo.autoencoder(text, compression: 4)
    }
    #expect(error.map { "\($0)".contains(complaint) } == true, "\(String(describing: error))")
  }

  /// A denoiser whose last layer is zero changes nothing; every family is in the list of words.
  @Test func denoiserBeforeADecoder() throws {
    let base = try NetworkZoo.autoencoder("crnet", compression: 64)
    let network = try NetworkZoo.autoencoder("dnnet {base: crnet, hidden: [8]}", compression: 64)
    #expect(network.parameterCount == base.parameterCount + 32 * 8 + 8 + 8 * 32 + 32)
    var stream = StreamKey(seed: 8, domain: .test, purpose: .initialisation).stream(drop: 0)
    var weights = Self.weights(network.decoder, &stream)
    let codeword = stream.normal(count: 32)
    let pool = WorkerPool(threadCount: 1)
    func output(_ side: Network) throws -> [Float] {
      try InferencePlan(side, weights: weights).run([codeword], count: 1, pool: pool)[0]
    }
    #expect(try output(network.decoder) != output(base.decoder))
    weights["denoiser.layers.1.weight"] = [Float](repeating: 0, count: 8 * 32)
    weights["denoiser.layers.1.bias"] = [Float](repeating: 0, count: 32)
    #expect(try output(network.decoder) == output(base.decoder))
    #expect(
      NetworkZoo.standard.families.allSatisfy { NetworkZoo.standard.words.contains($0.schema.name) }
    )
  }
}

/// Layers by plain loops in Double, on maps `[channel, row, column]`.
struct PlainLayers {
  let weights: Weights
  let height, width: Int
  let epsilon: Double

  init(_ weights: Weights, height: Int, width: Int, epsilon: Double = 1e-3) {
    self.weights = weights
    self.height = height
    self.width = width
    self.epsilon = epsilon
  }

  private func values(_ key: String) -> [Double] { weights[key]!.map { Double($0) } }

  /// The kernel is what the sizes of weight and bias leave: square, or a row or column where the key's layer has one.
  func convolution(_ x: [Double], _ key: String) -> [Double] {
    let (weight, bias) = (values(key + ".weight"), values(key + ".bias"))
    let inputs = x.count / (height * width)
    let area = weight.count / (inputs * bias.count)
    let side = Int(Double(area).squareRoot().rounded())
    let (rows, columns) =
      side * side == area
      ? (side, side) : key.hasSuffix("b.conv") && key.contains(".p") ? (area, 1) : (1, area)
    var y = [Double](repeating: 0, count: bias.count * height * width)
    for o in bias.indices {
      for r in 0..<height {
        for c in 0..<width {
          var sum = bias[o]
          for i in 0..<inputs {
            for p in 0..<rows {
              for q in 0..<columns {
                let (row, column) = (r + p - rows / 2, c + q - columns / 2)
                guard (0..<height).contains(row), (0..<width).contains(column) else { continue }
                sum +=
                  weight[((o * inputs + i) * rows + p) * columns + q]
                  * x[(i * height + row) * width + column]
              }
            }
          }
          y[(o * height + r) * width + c] = sum
        }
      }
    }
    return y
  }

  func norm(_ x: [Double], _ key: String) -> [Double] {
    let (gamma, beta) = (values(key + ".weight"), values(key + ".bias"))
    let (mean, variance) = (values(key + ".running_mean"), values(key + ".running_var"))
    return x.indices.map { i in
      let c = i / (height * width)
      return gamma[c] * (x[i] - mean[c]) / (variance[c] + epsilon).squareRoot() + beta[c]
    }
  }

  func leaky(_ x: [Double]) -> [Double] { x.map { $0 > 0 ? $0 : 0.3 * $0 } }

  func dense(_ x: [Double], _ key: String) -> [Double] {
    let (weight, bias) = (values(key + ".weight"), values(key + ".bias"))
    return bias.indices.map { o in
      x.indices.reduce(bias[o]) { $0 + weight[o * x.count + $1] * x[$1] }
    }
  }
}
