import CKernels
import DataFiles
import Foundation
import LinkMath
import Networks
import TestSupport
import Testing

/// Layers of 8-bit integers: kernels, quantisers, plans, calibration, files and training.
@Suite struct Int8LayerTests {
  private static let levels = BinaryLayerTests.levels

  private static func integers(_ count: Int, _ range: ClosedRange<Int>, _ drop: Int) -> [Int] {
    var stream = StreamKey(seed: 12, domain: .test, purpose: .initialisation).stream(drop: drop)
    return (0..<count).map { _ in range.lowerBound + stream.uniform(below: range.count) }
  }

  // MARK: kernels

  /// Exact sums, also of the largest products, with the same bits at each level.
  @Test(arguments: [(1, 1, 1), (3, 5, 15), (4, 7, 16), (5, 3, 64), (9, 2, 131), (2, 3, 2048)])
  func product(_ rows: Int, _ outputs: Int, _ inputs: Int) {
    for isExtreme in [false, true] {
      let a = Self.integers(rows * inputs, isExtreme ? 255...255 : -255...255, 1).map { Int16($0) }
      let w = Self.integers(outputs * inputs, isExtreme ? -128...(-128) : -128...127, 2)
        .map { Int8($0) }
      let (scales, bias) = (KernelTests.random(outputs, 3), KernelTests.random(outputs, 4))
      let rowScales = KernelTests.random(rows, 5)
      let expected = (0..<rows * outputs).map { index -> Float in
        let (row, o) = (index / outputs, index % outputs)
        let sum = (0..<inputs).reduce(0) {
          $0 + Int(a[row * inputs + $1]) * Int(w[o * inputs + $1])
        }
        let scaled = rowScales[row] * scales[o] * Float(sum)
        return bias[o] + scaled
      }
      for level in Self.levels {
        let (left, right) = (GuardedMemory(a), GuardedMemory(w))
        var y = [Float](repeating: .nan, count: rows * outputs)
        withExtendedLifetime((left, right)) {
          csk_int8_product_at(
            level, rows, outputs, inputs, left.pointer, right.pointer, rowScales, scales, bias, &y,
            outputs)
        }
        #expect(y == expected)
      }
    }
  }

  /// One row of sums of a grouped convolution over pairs of channels.
  @Test(arguments: [(1, 1, 1, 1), (3, 3, 2, 32), (1, 9, 1, 40), (9, 1, 2, 13), (5, 5, 3, 65)])
  func convolution(_ kernelRows: Int, _ kernelColumns: Int, _ pairs: Int, _ width: Int) {
    let (groups, outputs, height) = (2, 3, 4)
    let rows = height + kernelRows - 1
    let pitch = width + kernelColumns - 1 + Int(CSK_INT8_COLUMNS)
    let area = kernelRows * kernelColumns
    let input = Self.integers(groups * pairs * rows * pitch * 2, -255...255, 6).map { Int16($0) }
    let weights = Self.integers(groups * outputs * pairs * area * 2, -127...127, 7)
      .map { Int16($0) }
    let (staged, packed) = (GuardedMemory(input), GuardedMemory(weights))
    var job = csk_int8_convolution()
    (job.height, job.width, job.kernel_rows, job.kernel_columns) = (
      height, width, kernelRows, kernelColumns
    )
    (job.pairs, job.group_count, job.group_outputs) = (pairs, groups, outputs)
    (job.input, job.weights, job.pitch) = (
      UnsafePointer(staged.pointer), UnsafePointer(packed.pointer), pitch
    )
    for output in 0..<groups * outputs {
      let group = output / outputs
      for row in [0, height - 1] {
        let expected = (0..<width).map { x in
          (0..<pairs * area * 2).reduce(Int32(0)) { sum, i in
            let (side, tap, pair) = (i % 2, i / 2 % area, i / 2 / area)
            let line = (group * pairs + pair) * rows + row + tap / kernelColumns
            let place = (line * pitch + x + tap % kernelColumns) * 2 + side
            return sum + Int32(input[place])
              * Int32(weights[output * pairs * area * 2 + (pair * area + tap) * 2 + side])
          }
        }
        for level in Self.levels {
          var sums = [Int32](repeating: .min, count: (width + 31) / 32 * 32)
          withExtendedLifetime((staged, packed)) {
            csk_int8_convolve_row_at(level, &job, output, row, &sums)
          }
          #expect(Array(sums.prefix(width)) == expected)
        }
      }
    }
  }

  /// Rounding half to even, clipping, the zero point and what integers stand for, against double precision.
  @Test func quantiser() {
    let quantizer = ActivationQuantizer(-0.3, 1.2, levels: 255)
    #expect(abs(Double(quantizer.scale) - 1.5 / 255) < 1e-9)
    #expect(quantizer.zero == 51)
    // The range always holds 0; one of nothing has no step.
    #expect(ActivationQuantizer(0.5, 2, levels: 127).zero == 0)
    #expect(ActivationQuantizer(-2, -1, levels: 127).zero == 127)
    #expect(ActivationQuantizer(0, 0, levels: 255).scale == 0)
    let x: [Float] = [0.5, 1.5, 2.5, -0.5, -1.5, 3, -70, 300, 1e30, -1e30, 0]
    var y = [Int16](repeating: 9, count: x.count)
    csk_int8_quantise(x.count, x, 1, 60, 255, &y)
    #expect(y == [0, 2, 2, 0, -2, 3, -60, 195, 195, -60, 0])
    var rounded = [Float](repeating: 9, count: x.count)
    csk_int8_round(x.count, x, 1, 60, 255, &rounded)
    #expect(rounded == y.map { Float($0) })
    csk_int8_quantise(x.count, x, 0, 0, 255, &y)
    #expect(y.allSatisfy { $0 == 0 })
  }

  @Test func weightsHaveScalesOfTheirOwn() {
    let tensor = Int8Tensor([0.9, -2, 0.5, 0, 0, 0, 100, -30, 25], rows: 3)
    #expect(tensor.integers == [57, -127, 32, 0, 0, 0, 127, -38, 32])
    #expect(
      zip(tensor.scales, [2.0 / 127, 0, 100.0 / 127]).allSatisfy { abs(Double($0) - $1) < 1e-6 })
    // What the integers stand for has the same integers, also after a scale for each row.
    #expect(Int8Tensor(tensor.values, rows: 3).integers == tensor.integers)
    let scaled = tensor.values.enumerated().map { $1 * [-0.37, 2, 11.3][$0 / 3] }
    let signs: [Int8] = [-1, 1, 1]
    #expect(
      Int8Tensor(scaled, rows: 3).integers
        == tensor.integers.enumerated().map { $1 * signs[$0 / 3] })
  }

  // MARK: networks

  private static let image = Shape.image(angles: 6, taps: 10)

  private static func choice(_ text: String) throws -> NetworkChoice {
    try NetworkChoice(text, compression: 5, image: image)
  }

  private static func samples(_ count: Int, seed: UInt64 = 7) -> [Float] {
    DeterminismTests.random(count * image.count, seed: seed)
  }

  /// Trained-looking weights: statistics of batch normalisation that are not 0 and 1.
  private static func weights(_ choice: NetworkChoice) -> Weights {
    var weights = drawnWeights(choice.autoencoder)
    for (index, key) in weights.values.keys.sorted().enumerated() {
      let count = weights[key]!.count
      let noise = DeterminismTests.random(count, seed: UInt64(20 + index))
      if key.hasSuffix("running_var") { weights[key] = noise.map { 0.3 + $0 } }
      if key.hasSuffix("running_mean") { weights[key] = noise.map { 0.2 * ($0 - 0.5) } }
      if key.hasSuffix("bn.weight") { weights[key] = noise.map { $0 - 0.4 } }
    }
    return weights
  }

  /// Integer sums give what real sums over the rounded values give, wherever no value lies at a rounding boundary.
  @Test(arguments: [
    "csinet", "crnet", "acrnet {expansion: 2}", "clnet", "csinetplus", "bcsinet {head: c}",
    "csinet {bottleneck: convolutional}", "csinetpro", "kd-crnet {role: student}",
    "acrnet {binary: both}", "transnet",
  ])
  func plansAgree(_ name: String) throws {
    let braces = name.hasSuffix("}") ? name.dropLast() + ", " : name + " {"
    let image = name.hasPrefix("transnet") ? Shape.image(angles: 4, taps: 8) : Self.image
    let ratio = name.contains("convolutional") ? 4 : name.hasPrefix("transnet") ? 4 : 5
    let choice = try NetworkChoice(braces + "int8: both}", compression: ratio, image: image)
    let real = try NetworkChoice(name, compression: ratio, image: image)
    let weights = Self.weights(real)
    let input = DeterminismTests.random(9 * image.count, seed: 7)
    let pool = WorkerPool(threadCount: 2)
    let calibrated = try weights.calibrated(
      for: choice.autoencoder, samples: input, by: .extremes, pool: pool)
    for side in WeightsFile.Side.allCases {
      let network = side.network(of: choice.autoencoder)
      let size = network.graph.inputShapes[0].count
      let x = DeterminismTests.random(9 * size, seed: 8)
      let integers = try InferencePlan(network, weights: calibrated).run([x], count: 9, pool: pool)
      let packed = try InferencePlan(network, weights: calibrated.packed(for: network))
        .run([x], count: 9, pool: pool)
      #expect(packed == integers)
      let plan = try TrainingPlan(
        network, weights: calibrated, capacity: 9, needsInputGradient: false, pool: pool)
      plan.write(x)
      plan.forward(count: 9, isTraining: false)
      let rounded = plan.output()
      let spread = rounded.max()! - rounded.min()!
      let differences = zip(integers[0], rounded).map { abs($0 - $1) }
      let root = (differences.reduce(0) { $0 + $1 * $1 } / Float(differences.count)).squareRoot()
      #expect(root < 0.01 * spread, "\(choice.name) \(side): \(root) of \(spread)")
      let exact = try InferencePlan(
        side.network(of: real.autoencoder), weights: weights
      ).run([x], count: 9, pool: pool)[0]
      // Eight bits are not float.
      #expect(exact != integers[0])
    }
  }

  /// A layer alone has no boundaries to cross: the plans agree closely, with residual, slopes and statistics.
  @Test func oneLayer() throws {
    for (layer, shape) in [
      (Convolution(3, 4, KernelSize(3, 5), bias: true) as any Layer, Shape(3, 7, 41)),
      (Convolution(4, 6, KernelSize(1, 3), groups: 2), Shape(4, 1, 9)),
      (Dense(20, 30), Shape.vector(20)), (Dense(8, 5), Shape(1, 6, 8)),
    ] {
      let real = Network("one", layer, input: shape)
      let network = real.replacing { Int8Layer($1) }
      var stream = StreamKey(seed: 5, domain: .test, purpose: .initialisation).stream(drop: 0)
      var weights = Weights.initial(network, using: &stream)
      let key = try #require(weights.values.keys.first { $0.hasSuffix("input_range") })
      weights[key] = [-1.5, 2]
      let x = stream.normal(count: 3 * shape.count)
      let pool = WorkerPool(threadCount: 1)
      let integers = try InferencePlan(network, weights: weights).run([x], count: 3, pool: pool)[0]
      let plan = try TrainingPlan(
        network, weights: weights, capacity: 3, needsInputGradient: false, pool: pool)
      plan.write(x)
      plan.forward(count: 3, isTraining: false)
      #expect(zip(integers, plan.output()).allSatisfy { abs($0 - $1) < 2e-5 })
    }
  }

  /// Ranges of the first layers by hand; the moving average by its formula.
  @Test func calibration() throws {
    let choice = try Self.choice("csinet {int8: encoder}")
    let weights = Self.weights(try Self.choice("csinet"))
    let samples = Self.samples(120).enumerated().map { $1 * ($0 < 6000 ? 1 : 2) - 0.25 }
    let one = try weights.calibrated(
      for: choice.autoencoder, samples: samples, by: .extremes, pool: WorkerPool(threadCount: 1))
    let key = "enc_conv.input_range"
    #expect(one[key] == [samples.min()!, samples.max()!])
    #expect(one["dec_fc.input_range"] == nil)
    let two = try weights.calibrated(
      for: choice.autoencoder, samples: samples, by: .extremes, pool: WorkerPool(threadCount: 2))
    #expect(one == two)
    // Batches of 50, 50 and 20 samples of 120 values.
    let batches = [0..<6000, 6000..<12_000, 12_000..<14_400].map { samples[$0] }
    var range = [batches[0].min()!, batches[0].max()!]
    for batch in batches.dropFirst() {
      range[0] += 0.1 * (batch.min()! - range[0])
      range[1] += 0.1 * (batch.max()! - range[1])
    }
    let moving = try weights.calibrated(
      for: choice.autoencoder, samples: samples, by: .movingAverage,
      pool: WorkerPool(threadCount: 1))
    #expect(moving[key] == range)
    // What the dense layer reads, from the real network without it.
    let values = try #require(one["enc_fc.input_range"])
    #expect(values[0] < 0 && values[1] > 0)
  }

  /// Each sample has a range of its own, so its output has the same bits alone and in any batch.
  @Test func dynamicRanges() throws {
    let choice = try Self.choice("csinet {int8: both, int8_ranges: dynamic}")
    let weights = Self.weights(try Self.choice("csinet"))
    let plan = try InferencePlan(choice.autoencoder.encoder, weights: weights)
    let pool = WorkerPool(threadCount: 1)
    let samples = Self.samples(60)
    let together = plan.run([samples], count: 60, pool: pool)[0]
    for sample in [0, 13, 59] {
      let alone = plan.run(
        [Array(samples[sample * 120..<(sample + 1) * 120])], count: 1, pool: pool)[0]
      #expect(alone == Array(together[sample * 24..<(sample + 1) * 24]))
    }
    #expect(choice.autoencoder.encoder.tree.contains("DynamicInt8Dense(120 → 24)"))
    #expect(choice.autoencoder.encoder.tree.contains("  Convolution("))
    #expect(throws: NetworkError.cannotTrain("CsiNet encoder")) {
      try TrainingPlan(
        choice.autoencoder.encoder, weights: weights, capacity: 1, needsInputGradient: false,
        pool: pool)
    }
  }

  // MARK: files

  @Test func filesHoldIntegers() throws {
    try withTemporaryFolder { folder in
      let (choice, real) = (
        try NetworkChoice("csinet {int8: both}", compression: 16),
        try NetworkChoice("csinet", compression: 16)
      )
      let weights = Self.weights(real)
      try WeightsFile.write(weights, real, metadata: ["normaliser": "none"], in: folder)
      let samples = DeterminismTests.random(20 * 2048, seed: 3)
      try ArrayFile.write(
        [NumericArray(shape: [20, 2048], floats: samples)], to: folder + "/samples.npy")
      let quantization = try Quantization(choice, weights: [folder])
      let summary = try quantization.write(
        ArrayFile.open(folder + "/samples.npy"), limit: 15, by: .extremes, in: folder,
        pool: WorkerPool(threadCount: 2))
      #expect(summary.sampleCount == 15)
      let file = try WeightsFile(folder, choice, .encoder)
      #expect(file.path == summary.files[0])
      #expect(file.metadata["calibration"] == "min_max of 15 samples")
      #expect(file.normaliser == "none")
      let direct = try weights.calibrated(
        for: choice.autoencoder, samples: Array(samples.prefix(15 * 2048)), by: .extremes,
        pool: WorkerPool(threadCount: 1)
      ).packed(for: choice.autoencoder.encoder)
      #expect(file.weights.packed == direct.packed.filter { file.weights.packed[$0.key] != nil })
      #expect(file.weights.packed.count == 2)
      let tensors = try TensorFile(path: file.path).tensors
      #expect(tensors["enc_fc.weight"]?.elementType == .int8)
      #expect(tensors["enc_fc.weight"]?.shape == [128, 2048])
      #expect(tensors["enc_fc.weight_scale"]?.shape == [128])
      let bytes = { (path: String) in
        try FileManager.default.attributesOfItem(atPath: path)[.size] as! Int
      }
      let ratio =
        Double(try bytes(folder + "/csinet-16-encoder.safetensors"))
        / Double(try bytes(file.path))
      #expect(ratio > 3.9)
      // The description counts what the file holds.
      let counted = SideDescription(choice.autoencoder.encoder).weightBytes
      let held = tensors.values.reduce(0) { $0 + $1.values.count * $1.elementType.byteCount }
      #expect(counted == held)
      let (a, b) = (try #require(summary.real.nmse), try #require(summary.quantised.nmse))
      #expect(a != b && abs(10 * log10(a / b)) < 0.5)
      #expect(throws: NetworkError.self) { try Quantization(real, weights: [folder]) }
    }
  }

  // MARK: training

  /// The gradient passes inside the range, and the range follows the batches.
  @Test func fakeQuantization() throws {
    let network = Network("one", Dense(4, 3), input: .vector(4)).replacing { Int8Layer($1) }
    var stream = StreamKey(seed: 5, domain: .test, purpose: .initialisation).stream(drop: 0)
    var weights = Weights.initial(network, using: &stream)
    let key = try #require(weights.values.keys.first { $0.hasSuffix("input_range") })
    weights[key] = [-1, 1]
    let x: [Float] = [0.5, -3, 0.9, 2, -0.7, 0, 4, 0.1]
    let plan = try TrainingPlan(
      network, weights: weights, capacity: 2, needsInputGradient: true,
      pool: WorkerPool(threadCount: 1))
    plan.write(x)
    plan.forward(count: 2, isTraining: true)
    let range = try #require(plan.weights[key])
    #expect(abs(range[0] - (-1 + 0.01 * (-3 + 1))) < 1e-6)
    #expect(abs(range[1] - (1 + 0.01 * (4 - 1))) < 1e-6)
    plan.write(gradient: [1, 0, 0, 0, 1, 0])
    plan.backward()
    let rounded = Int8Tensor(weights["weight"]!, rows: 3).values
    let gradient = plan.inputGradient()
    for (index, value) in x.enumerated() {
      let weight = rounded[index < 4 ? index : index]
      #expect(abs(gradient[index] - (abs(value) < 1.02 ? weight : 0)) < 1e-6)
    }
    // Weights are always inside their range: dL/dw = dL/dy x̂.
    let quantizer = ActivationQuantizer(range[0], range[1], levels: 255)
    let seen = x.prefix(4).map { value -> Float in
      let q = (value / quantizer.scale).rounded(.toNearestOrEven)
      return quantizer.scale
        * min(max(q, Float(-quantizer.zero)), Float(255 - quantizer.zero))
    }
    let weightGradient = try #require(plan.gradients["weight"])
    #expect(zip(weightGradient, seen).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test(arguments: [1, 2])
  func trainingLowersTheLoss(_ threads: Int) throws {
    let choice = try Self.choice("csinet {int8: both}")
    let pool = WorkerPool(threadCount: threads)
    let weights = drawnWeights(choice.autoencoder)
    let trainer = try AutoencoderTrainer(
      choice.autoencoder, weights: weights, capacity: 12, pool: pool)
    let adam = Adam(trainer.groups, pool: pool)
    let input = Self.samples(12)
    var losses: [Double] = []
    for _ in 0..<40 {
      losses.append(trainer.differentiate(input, target: input))
      adam.update(rate: 0.01)
    }
    #expect(losses.last! < 0.8 * losses[0], "\(losses[0]) to \(losses.last!)")
    let trained = trainer.weights
    #expect(trained["refine1.conv2.input_range"]![1] > 0)
    // The integers of the finished plan come near the trained network.
    let codewords = try InferencePlan(choice.autoencoder.encoder, weights: trained)
      .run([input], count: 12, pool: pool)
    let output = try InferencePlan(choice.autoencoder.decoder, weights: trained)
      .run(codewords, count: 12, pool: pool)[0]
    let loss =
      zip(output, input).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) } / Double(input.count)
    #expect(loss < losses[0])
  }

  // MARK: sizes

  /// Figures of the ACRNet paper: thousands of values of 32 bits at the UE and, with both sides binary, at the BS.
  @Test(arguments: [(4, 34, 37, 57), (8, 17, 21, 41), (16, 9, 13, 33)])
  func storedSizesOfThePaper(_ ratio: Int, _ encoder: Int, _ decoder: Int, _ wide: Int) throws {
    func thousands(_ expansion: Int, _ side: WeightsFile.Side) throws -> Int {
      let choice = try NetworkChoice(
        "acrnet {expansion: \(expansion), binary: both}", compression: ratio)
      let bits = SideDescription(side.network(of: choice.autoencoder)).parameterBits
      return Int((Double(bits) / 32 / 1000).rounded())
    }
    #expect(try thousands(1, .encoder) == encoder)
    #expect(try thousands(1, .decoder) == decoder)
    #expect(try thousands(10, .decoder) == wide)
    #expect(try thousands(10, .encoder) == encoder)
  }

  /// BCsiNet-A2 at 1/4: 32 768 + 512 + 40.
  @Test func storedSizeOfBCsiNet() throws {
    let choice = try NetworkChoice("bcsinet {binary: encoder}", compression: 4)
    let side = SideDescription(choice.autoencoder.encoder)
    #expect(side.parameterBits == 32 * 33_320)
    // Statistics of two channels and the scale.
    #expect(side.weightBytes == 4 * 33_320 + 4 * 4 + 4)
    let text = NetworkDescription(choice).text
    #expect(text.contains("in values of 32 bits"), "\(text)")
  }
}
