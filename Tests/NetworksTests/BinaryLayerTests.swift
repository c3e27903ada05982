import CKernels
import DataFiles
import Foundation
import LinkMath
import Networks
import Parts
import TestSupport
import Testing

/// Layers with binary weights: bits, kernel, file and training.
@Suite struct BinaryLayerTests {
  static let levels = (0..<Int(csk_level_count())).filter { csk_level_runs($0) != 0 }

  /// `bias + scale sum sign(w) x` in double precision.
  private static func scalar(
    _ signs: SignTensor, inputs: Int, isTransposed: Bool, bias: [Float], x: [Float]
  ) -> [Double] {
    let (values, outputs) = (signs.values, bias.count)
    return (0..<x.count / inputs).flatMap { row in
      (0..<outputs).map { o in
        (0..<inputs).reduce(Double(bias[o])) { sum, i in
          sum + Double(values[isTransposed ? i * outputs + o : o * inputs + i])
            * Double(x[row * inputs + i])
        }
      }
    }
  }

  private static func product(
    _ signs: SignTensor, inputs: Int, isTransposed: Bool, bias: [Float], x: [Float], level: Int
  ) -> [Float] {
    let (outputs, rows) = (bias.count, x.count / inputs)
    // Each buffer ends where memory must not be touched.
    let packed = GuardedMemory([UInt32](repeating: .max, count: csk_sign_words(inputs, outputs)))
    csk_sign_pack(inputs, outputs, signs.bytes, isTransposed ? 1 : 0, packed.pointer)
    let scratch = GuardedMemory([Float](repeating: .nan, count: csk_sign_scratch(inputs)))
    let (input, result) = (
      GuardedMemory(x), GuardedMemory([Float](repeating: .nan, count: rows * outputs))
    )
    return withExtendedLifetime((packed, scratch, input, result)) {
      csk_sign_product_at(
        level, rows, outputs, inputs, input.pointer, inputs, packed.pointer, signs.scale, bias,
        result.pointer, outputs, scratch.pointer)
      return Array(UnsafeBufferPointer(start: result.pointer, count: rows * outputs))
    }
  }

  /// Against a scalar sum, and the same bits at each level; sizes around the threes of inputs and the panels of outputs.
  @Test(arguments: [(1, 1), (2, 3), (3, 64), (30, 65), (31, 63), (64, 130), (512, 70)])
  func kernel(_ inputs: Int, _ outputs: Int) {
    for isTransposed in [false, true] {
      let weights = KernelTests.random(inputs * outputs, inputs)
      let (bias, x) = (KernelTests.random(outputs, 2), KernelTests.random(3 * inputs, 3))
      let signs = SignTensor(weights)
      let expected = Self.scalar(
        signs, inputs: inputs, isTransposed: isTransposed, bias: bias, x: x)
      let results = Self.levels.map {
        Self.product(signs, inputs: inputs, isTransposed: isTransposed, bias: bias, x: x, level: $0)
      }
      for result in results {
        KernelTests.expect(result, near: expected, terms: inputs)
        #expect(result == results[0])
      }
    }
  }

  @Test(arguments: [1, 7, 8, 9, 100])
  func bitsGoBackAndForth(_ count: Int) {
    let weights = KernelTests.random(count, count)
    let signs = SignTensor(weights)
    let scale = Float(weights.reduce(0.0) { $0 + Double(abs($1)) } / Double(count))
    #expect(abs(signs.scale - scale) <= 1e-6 * scale)
    #expect(signs.values == weights.map { $0 < 0 ? -signs.scale : signs.scale })
    // What the bits stand for has the same bits.
    #expect(SignTensor(signs.values).bytes == signs.bytes)
    #expect(SignTensor([0, -0.0, -1]).values.map(\.sign) == [.plus, .plus, .minus])
  }

  // MARK: networks

  static func choice(_ settings: String = "binary: both") throws -> NetworkChoice {
    try NetworkChoice("csinet {\(settings)}", compression: 5, image: .image(angles: 5, taps: 5))
  }

  /// Inference from bits, from shadow weights and the training plan agree with the real network that has the binary weights.
  @Test func allPlansAgree() throws {
    let (binary, real) = (try Self.choice(), try Self.choice("kernel: 3"))
    let shadow = drawnWeights(real.autoencoder)
    var explicit = shadow
    for key in ["enc_fc.weight", "dec_fc.weight"] {
      explicit[key] = SignTensor(shadow[key]!).values
    }
    let input = DeterminismTests.random(7 * 50, seed: 4)
    let pool = WorkerPool(threadCount: 2)
    for side in WeightsFile.Side.allCases {
      let (network, plain) = (
        side.network(of: binary.autoencoder), side.network(of: real.autoencoder)
      )
      let x = Array(input.prefix(7 * network.graph.inputShapes[0].count))
      let expected = try InferencePlan(plain, weights: explicit).run([x], count: 7, pool: pool)[0]
      let fromShadow = try InferencePlan(network, weights: shadow).run([x], count: 7, pool: pool)[0]
      let fromBits = try InferencePlan(network, weights: shadow.packed(for: network))
        .run([x], count: 7, pool: pool)[0]
      #expect(zip(fromShadow, expected).allSatisfy { abs($0 - $1) < 1e-5 })
      #expect(fromBits == fromShadow)
      let plan = try TrainingPlan(
        network, weights: shadow, capacity: 7, needsInputGradient: false, pool: pool)
      plan.write(x)
      plan.forward(count: 7, isTraining: false)
      #expect(zip(plan.output(), expected).allSatisfy { abs($0 - $1) < 1e-5 })
    }
  }

  @Test(arguments: [
    "csinet", "crnet", "acrnet {expansion: 2}", "bcsinet", "csinetplus", "csinetpro", "clnet",
    "transnet", "kd-crnet {role: student}",
  ])
  func everyFamilyHasBinaryLayers(_ name: String) throws {
    let variant = try NetworkZoo.standard.variant(name)
    let family = variant.name.prefix { $0 != " " }
    for sides in ["encoder", "decoder", "both"] {
      let inside = name.contains("{") ? name.dropLast() + ", " : name + " {"
      let choice = try NetworkChoice(inside + "binary: \(sides)}", compression: 16)
      #expect(choice.name.hasPrefix(family.split(separator: "-")[0]))
      #expect(choice.name.contains("binary: \(sides)"))
      for side in WeightsFile.Side.allCases {
        let tree = side.network(of: choice.autoencoder).tree
        let isBinary = sides == "both" || sides == side.rawValue
        #expect(tree.contains("BinaryDense(") == isBinary, "\(choice.name) \(side)")
      }
      let real = try NetworkChoice(name, compression: 16)
      #expect(choice.autoencoder.parameterCount == real.autoencoder.parameterCount)
      #expect(choice.autoencoder.costs == real.autoencoder.costs)
    }
  }

  @Test func networksWithoutDenseLayersRefuse() {
    #expect(throws: NetworkError.self) {
      try NetworkChoice("csinet {bottleneck: convolutional, binary: encoder}", compression: 4)
    }
    #expect(throws: NetworkError.self) {
      try NetworkChoice("cllwcsinet {binary: encoder}", compression: 4)
    }
  }

  // MARK: files

  @Test func fileHoldsOneBitAWeight() throws {
    try withTemporaryFolder { try Self.checkFile(in: $0) }
  }

  private static func checkFile(in folder: String) throws {
    let (binary, real) = (
      try NetworkChoice("acrnet {binary: encoder}", compression: 4),
      try NetworkChoice("acrnet", compression: 4)
    )
    let weights = drawnWeights(real.autoencoder)
    func size(_ choice: NetworkChoice) throws -> Int {
      let path = try WeightsFile.write(
        weights, choice, metadata: ["normaliser": "none"], in: folder)[0]
      return try FileManager.default.attributesOfItem(atPath: path)[.size] as! Int
    }
    let ratio = Double(try size(real)) / Double(try size(binary))
    #expect(ratio > 29, "\(ratio)")
    let file = try WeightsFile(folder, binary, .encoder)
    #expect(file.weights == weights.packed(for: binary.autoencoder.encoder).only(file.weights))
    guard case .signs(let signs)? = file.weights.packed["encoder_fc.weight"] else {
      Issue.record("the weight is not packed")
      return
    }
    #expect(signs == SignTensor(weights["encoder_fc.weight"]!))
    let tensors = try TensorFile(path: file.path).tensors
    #expect(tensors["encoder_fc.weight"]?.elementType == .uint8)
    #expect(tensors["encoder_fc.weight"]?.shape == [131_072])
    #expect(tensors["encoder_fc.weight_scale"]?.shape == [1])
  }

  /// Files that were damaged or written by others: each says what is wrong.
  @Test func brokenFilesAreRefused() throws {
    try withTemporaryFolder { try Self.checkBrokenFiles(in: $0) }
  }

  private static func checkBrokenFiles(in folder: String) throws {
    let choice = try choice()
    let path = try WeightsFile.write(
      drawnWeights(choice.autoencoder), choice, metadata: ["normaliser": "none"], in: folder)[0]
    let tensors = try TensorFile(path: path)
    func refusal(_ key: String, _ replacement: NumericArray?) throws -> String {
      var arrays = tensors.tensors
      arrays[key] = replacement?.named(key)
      try ArrayFile.write(
        arrays.keys.sorted().map { arrays[$0]! }, metadata: tensors.metadata, to: path)
      do {
        _ = try WeightsFile(path, choice, .encoder)
        return "accepted"
      } catch {
        return "\(error)"
      }
    }
    let scale = "enc_fc.weight_scale"
    #expect(try refusal(scale, nil).contains("no tensor 'enc_fc.weight_scale'"))
    #expect(
      try refusal(scale, NumericArray(shape: [1], floats: [-1])).contains("finite scales"))
    #expect(
      try refusal(scale, NumericArray(shape: [2], floats: [1, 1])).contains("expected [1]"))
    #expect(
      try refusal(
        "enc_fc.weight", NumericArray(shape: [3], type: .uint8, integers: [1, 2, 3])
      ).contains("expected [63]"))
    #expect(
      try refusal(
        "enc_fc.weight",
        NumericArray(
          shape: [63], type: .uint8, integers: [Int](repeating: 0, count: 62) + [0b1_0000])
      ).contains("bits of 0 behind the last of 500 weights"))
    // Real weights, as another program writes them, are taken and binarised.
    let real = drawnWeights(choice.autoencoder)["enc_fc.weight"]!
    #expect(
      try refusal("enc_fc.weight", NumericArray(shape: [10, 50], floats: real)) == "accepted")
  }

  // MARK: training

  /// A batch of a tiny training with binary layers on both sides.
  private static func trainer(_ weights: Weights, threads: Int = 1) throws -> AutoencoderTrainer {
    try AutoencoderTrainer(
      choice().autoencoder, weights: weights, capacity: 12, pool: WorkerPool(threadCount: threads))
  }

  /// Gradients with respect to the weights used, by central differences of the loss of the real network; blocked outside [-1, 1].
  @Test func gradientPassesTheSignInsideTheClip() throws {
    let (binary, real) = (try Self.choice(), try Self.choice("kernel: 3"))
    var shadow = drawnWeights(real.autoencoder)
    for index in stride(from: 0, to: 500, by: 3) { shadow["enc_fc.weight"]![index] *= 40 }
    let input = DeterminismTests.random(12 * 50, seed: 5)
    let trainer = try Self.trainer(shadow)
    _ = trainer.differentiate(input, target: input)
    let straight = try #require(trainer.gradients["enc_fc.weight"])
    #expect(binary.name == "csinet {binary: both}")
    var explicit = shadow
    for key in ["enc_fc.weight", "dec_fc.weight"] {
      explicit[key] = SignTensor(shadow[key]!).values
    }
    let plain = try AutoencoderTrainer(
      real.autoencoder, weights: explicit, capacity: 12, pool: WorkerPool(threadCount: 1))
    _ = plain.differentiate(input, target: input)
    let expected = try #require(plain.gradients["enc_fc.weight"])
    let largest = expected.reduce(0) { max($0, abs($1)) }
    var blocked = 0
    for (index, weight) in shadow["enc_fc.weight"]!.enumerated() {
      if abs(weight) <= 1 {
        #expect(abs(straight[index] - expected[index]) <= 1e-4 * largest)
      } else {
        #expect(straight[index] == 0)
        blocked += 1
      }
    }
    #expect(blocked > 20)
  }

  @Test(arguments: [1, 2])
  func trainingKeepsShadowWeightsInRange(_ threads: Int) throws {
    var weights = drawnWeights(try Self.choice().autoencoder)
    weights["dec_fc.weight"]![3] = 0.9999
    let input = DeterminismTests.random(12 * 50, seed: 6)
    let trainer = try Self.trainer(weights, threads: threads)
    let adam = Adam(trainer.groups, pool: WorkerPool(threadCount: threads))
    var losses: [Double] = []
    for _ in 0..<60 {
      losses.append(trainer.differentiate(input, target: input))
      adam.update(rate: 0.02)
    }
    #expect(losses.last! < 0.8 * losses[0], "\(losses[0]) to \(losses.last!)")
    let trained = trainer.weights
    for key in ["enc_fc.weight", "dec_fc.weight"] {
      #expect(trained[key]!.allSatisfy { abs($0) <= 1 })
      // Shadow weights are real ones, not signs.
      #expect(Set(trained[key]!.map(\.magnitude)).count > 100)
    }
    #expect(trained["dec_fc.weight"]!.contains { abs($0) == 1 })
    // Other parameters have no bounds.
    #expect(trainer.groups.flatMap(\.ranges).contains { $0.bounds == nil })
  }
}

extension Weights {
  /// The entries that another one has too.
  fileprivate func only(_ other: Weights) -> Weights {
    var result = self
    result.values = values.filter { other.values[$0.key] != nil }
    result.packed = packed.filter { other.packed[$0.key] != nil }
    return result
  }
}
