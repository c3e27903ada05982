import Codecs
import ComplexModule
import DataFiles
import Foundation
import LinkMath
import Networks
import Parts
import TestSupport
import Testing

@Suite struct CSIImagesTests {
  /// Image 0 holds the real parts, image 1 the imaginary parts; rows are angles, columns delays; zero is 0.5.
  @Test func theAxesAreTransposed() {
    let csi = gaussianCSI(drops: 3, taps: 5, angles: 7)
    let images = CSIImages.images(csi)
    #expect(images.shape == [3, 2, 7, 5])
    for drop in 0..<3 {
      for tap in 0..<5 {
        for angle in 0..<7 {
          let value = csi[drop, tap, angle]
          #expect(images[drop, 0, angle, tap] == 0.5 + 0.5 * value.real)
          #expect(images[drop, 1, angle, tap] == 0.5 + 0.5 * value.imaginary)
        }
      }
    }
    let silent = CSIImages.images(ComplexArray(repeating: .zero, shape: [1, 2, 3]))
    #expect(silent.elements.allSatisfy { $0 == 0.5 })
  }

  /// Rounding of values around 0.5 is half a unit in the last place of 1, twice that after scaling back.
  @Test func roundTrip() {
    let csi = normalisedCSI(drops: 6)
    let back = CSIImages.csi(CSIImages.images(csi))
    #expect(back.shape == csi.shape)
    for (a, b) in zip(back.elements, csi.elements) {
      #expect(abs(a.real - b.real) <= 1.2e-7 && abs(a.imaginary - b.imaginary) <= 1.2e-7)
    }
    // From images the way back loses nothing above 1/4, where halving and doubling are exact.
    let images = CSIImages.images(back)
    #expect(CSIImages.images(CSIImages.csi(images)) == images)
  }
}

@Suite struct NeuralCodecTests {
  private static func linkContext(
    normaliser: String = "sample_max_modulus", taps: Int = 32, ports: Int = 32
  ) -> LinkContext {
    var context = context(taps: taps, angles: ports)
    context.normaliser = normaliser
    return context
  }

  private static func codec(
    _ network: String, _ compression: Int = 4, weights: String,
    in context: LinkContext = linkContext()
  ) throws -> NeuralCodec {
    let settings = try NeuralCodec.schema.settings([
      "network": .text(network), "compression": .integer(compression), "weights": .text(weights),
    ])
    return try NeuralCodec(settings, in: context)
  }

  /// The first reals are sent, and the decoder reads zeros for the others.
  @Test func shorterCodewords() throws {
    let path = networkFixture("clcsinet_cr8_eval")
    let vectors = try TensorFile(path: path)
    let csi = CSIImages.csi(RealArray(try vectors.values("input"), shape: [4, 2, 32, 32]))
    func codec(_ length: Int) throws -> NeuralCodec {
      let settings = try NeuralCodec.schema.settings([
        "network": .text("cl-csinet"), "compression": .integer(8), "weights": .text(path),
        "codeword_length": .integer(length),
      ])
      return try NeuralCodec(settings, in: Self.linkContext())
    }
    let whole = try Self.codec("cl-csinet", 8, weights: path)
    let short = try codec(100)
    #expect(short.codewordLength == 100)
    let all = try whole.encode(csi).values
    let sent = try short.encode(csi)
    #expect(sent.values.shape == [4, 100])
    var padded = RealArray(repeating: 0, shape: [4, 256])
    for drop in 0..<4 {
      for i in 0..<100 {
        #expect(sent.values[drop, i] == all[drop, i])
        padded[drop, i] = all[drop, i]
      }
    }
    #expect(try short.decode(sent) == whole.decode(Codeword(values: padded)))
    #expect(try codec(256).encode(csi).values == all)
    let error = #expect(throws: SettingsError.self) { try codec(257) }
    #expect(error?.key == "codeword_length")
  }

  /// Expected results of an independent implementation, through the codec: images to CSI, encoder, decoder, CSI to images.
  @Test(arguments: [
    ("clcsinet_cr8_eval", "cl-csinet", 8), ("cllwcsinet_cr8_eval", "cllwcsinet", 8),
    ("clnet_cr32_eval", "clnet", 32), ("csinet_widthbn_cr64_eval", "csinet-width", 64),
  ])
  func matchesTestVectors(file: String, network: String, compression: Int) throws {
    let path = networkFixture(file)
    let vectors = try TensorFile(path: path)
    let input = RealArray(try vectors.values("input"), shape: [4, 2, 32, 32])
    let codec = try Self.codec(network, compression, weights: path)
    #expect(codec.codewordLength == 2048 / compression)
    let codeword = try codec.encode(CSIImages.csi(input))
    #expect(codeword.values.shape == [4, 2048 / compression])
    try expectClose(codeword.values, vectors.values("codeword"), absolute: 2e-5, relative: 1e-4)
    let output =
      try vectors.tensors["output"] == nil
      ? vectors.values("output_noise_free") : vectors.values("output")
    let images = CSIImages.images(try codec.decode(codeword))
    try expectClose(images, output, absolute: 1e-5, relative: 0)
  }

  private func expectClose(
    _ values: RealArray, _ expected: [Float], absolute: Float, relative: Float
  ) throws {
    try #require(values.count == expected.count)
    // As for the test vectors, with room for the rounding of the input's way through CSI.
    let allowed = 1.2e-6 + absolute + relative * expected.reduce(0) { max($0, abs($1)) }
    let worst = zip(values.elements, expected).map { abs($0 - $1) }.max()!
    #expect(worst <= allowed)
  }

  /// The codec is the networks' own inference on the images, bit by bit, from a folder of weights.
  @Test(arguments: ["csinet", "crnet", "cllwcsinet", "transnet", "kd-crnet-se"])
  func isTheNetwork(_ network: String) throws {
    try withTemporaryFolder { folder in
      try writeDrawnWeights(network, compression: 16, in: folder)
      let codec = try Self.codec(network, 16, weights: folder)
      let csi = normalisedCSI(drops: 5)
      let autoencoder = try NetworkZoo.autoencoder(network, compression: 16)
      let weights = drawnWeights(autoencoder)
      let pool = WorkerPool(threadCount: 1)
      let codewords = try InferencePlan(autoencoder.encoder, weights: weights)
        .run([CSIImages.images(csi).elements], count: 5, pool: pool)[0]
      let outputs = try InferencePlan(autoencoder.decoder, weights: weights)
        .run([codewords], count: 5, pool: pool)[0]
      let codeword = try codec.encode(csi)
      #expect(codeword.values.elements == codewords)
      #expect(
        try codec.decode(codeword) == CSIImages.csi(RealArray(outputs, shape: [5, 2, 32, 32])))
      #expect(codec.sideBitCount == 0)
      #expect(codec.summary.hasPrefix("\(network) 1/16: encoder "))
      // Of statistics too.
      let values = [autoencoder.encoder, autoencoder.decoder].flatMap(\.parameters)
        .reduce(0) { $0 + $1.parameter.count }
      #expect(codec.memoryBytes.shared == 4 * values && values >= autoencoder.parameterCount)
    }
  }

  /// A drop's bits do not depend on its neighbours or its place in the block, and any codeword decodes.
  @Test(arguments: ["csinet", "clnet", "transnet"])
  func dropsAreIndependentOfTheirBlock(_ network: String) throws {
    try withTemporaryFolder { folder in
      try writeDrawnWeights(network, compression: 32, in: folder)
      let codec = try Self.codec(network, 32, weights: folder)
      let csi = normalisedCSI(drops: 75)
      let codewords = try codec.encode(csi)
      let decoded = try codec.decode(codewords)
      for part in [0..<1, 35..<37, 74..<75, 10..<60, 0..<0] {
        let alone = try codec.encode(csi.slice(part))
        #expect(alone.values == codewords.values.slice(part), "encode \(part)")
        #expect(try codec.decode(alone) == decoded.slice(part), "decode \(part)")
      }
      for value in [Float.zero, -1e30, 1e30] {
        let wild = try codec.decode(
          Codeword(values: RealArray(repeating: value, shape: [2, codec.codewordLength])))
        #expect(wild.shape == [2, 32, 32])
      }
    }
  }

  /// Codecs of one scenario have their weights in memory once.
  @Test func weightsAreShared() throws {
    try withTemporaryFolder { folder in
      let files = try writeDrawnWeights("crnet", compression: 64, in: folder)
      let context = Self.linkContext()
      let first = try Self.codec("crnet", 64, weights: folder, in: context)
      for file in files { try FileManager.default.removeItem(atPath: file) }
      let second = try Self.codec("crnet", 64, weights: folder, in: context)
      let csi = normalisedCSI(drops: 2)
      #expect(try first.encode(csi).values == second.encode(csi).values)
      #expect(throws: DataFileError.self) {
        try Self.codec("crnet", 64, weights: folder, in: Self.linkContext())
      }
    }
  }

  @Test func filesOfAFolderAndOfOneFile() throws {
    try withTemporaryFolder { folder in
      let written = try writeDrawnWeights("crnet", in: folder)
      var context = Self.linkContext()
      context.directory = folder
      func files(_ weights: Setting?) throws -> [String] {
        var given: [String: Setting] = ["network": .text("crnet")]
        given["weights"] = weights
        return NeuralCodec.files(try NeuralCodec.schema.settings(given), in: context)
      }
      #expect(try Set(files(.text(folder))) == Set(written))
      #expect(try files(.text("own.safetensors")) == ["\(folder)/own.safetensors"])
      #expect(try files(nil) == [])
    }
  }

  /// What a training program reads: no weights are needed.
  @Test func selectionWithoutWeights() throws {
    let settings = try NeuralCodec.schema.settings(["network": .text("acrnet-5x")])
    let network = try NeuralCodec.network(settings, in: Self.linkContext())
    #expect(network.name == "acrnet-5x")
    #expect(network.compression == 4)
    #expect(network.autoencoder.codewordLength == 512)
  }

  /// Every network that the schema offers runs, or says why it does not.
  @Test func everyNetworkIsOfferedOrRefusedWithAReason() throws {
    for variant in NetworkZoo.standard.variants {
      let settings = try NeuralCodec.schema.settings([
        "network": .text(variant.name), "compression": .integer(variant.compressions()[0]),
      ])
      let context = Self.linkContext()
      switch variant.name {
      case "cllwcsinet-clean", "transnet-cross-batch":
        let error = #expect(throws: SettingsError.self) {
          try NeuralCodec.network(settings, in: context)
        }
        #expect(error?.reason.hasPrefix("\(variant.name) cannot run in a link: ") == true)
        #expect(error?.hint == "write 'network: \(variant.name.prefix { $0 != "-" })'")
      default:
        #expect(
          try NeuralCodec.network(settings, in: context).autoencoder.decoder.graph.inputShapes.count
            == 1)
      }
    }
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    var network = "crnet"
    var compression = 4
    var normaliser = "sample_max_modulus"
    var trained = "sample_max_modulus"
    var taps = 32
    var ports = 32
    let key: String
    let reason: String
    var testDescription: String { reason }
  }

  @Test(arguments: [
    Refusal(compression: 7, key: "compression", reason: "of crnet must be one of 4, 8, 16, 32, 64"),
    Refusal(
      network: "cllwcsinet", compression: 32, key: "compression",
      reason: "of cllwcsinet must be one of 4, 8, 16, got 32"),
    Refusal(
      compression: 16, taps: 9, ports: 13, key: "compression",
      reason: "of crnet must be one of 6, 9, 13, 18, 26, 39 for 13 ports and 9 taps, got 16"),
    Refusal(
      network: "cllwcsinet", ports: 17, key: "network",
      reason:
        "cllwcsinet cannot compress CSI of 17 ports and 32 taps; it needs 2 · angles with a divisor"
    ),
    Refusal(
      network: "transnet", taps: 13, ports: 20, key: "network",
      reason:
        "transnet cannot compress CSI of 20 ports and 13 taps; it needs 2 · angles · taps a multiple of 64"
    ),
    Refusal(
      network: "acrnet {expansion: 0}", key: "network",
      reason: "is unfit: acrnet.expansion must be a whole number in 1...128, got 0"),
    Refusal(
      normaliser: "none", trained: "none", key: "network",
      reason: "crnet gives values in [0, 1] only, but CSI of normaliser none goes beyond"),
    Refusal(
      network: "kd-crnet", normaliser: "dataset", trained: "dataset", key: "network",
      reason: "kd-crnet gives values in [0, 1] only"),
    Refusal(
      trained: "sample_unit_power", key: "weights",
      reason: "was trained with normaliser sample_unit_power, but the link has sample_max_modulus"),
    Refusal(
      network: "transnet", normaliser: "none", key: "weights",
      reason: "was trained with normaliser sample_max_modulus, but the link has none"),
  ])
  func refuses(_ refusal: Refusal) throws {
    try withTemporaryFolder { folder in
      // Settings that are refused before weights are looked for have none.
      _ = try? writeDrawnWeights(
        refusal.network, compression: refusal.compression, normaliser: refusal.trained, in: folder)
      let error = #expect(throws: SettingsError.self) {
        try Self.codec(
          refusal.network, refusal.compression, weights: folder,
          in: Self.linkContext(
            normaliser: refusal.normaliser, taps: refusal.taps, ports: refusal.ports))
      }
      #expect(error?.key == refusal.key)
      #expect(error?.reason.hasPrefix(refusal.reason) == true, "\(String(describing: error))")
    }
  }

  /// CSI of other sizes runs with weights of its own, whose files are named by the size.
  @Test(
    arguments: ["csinet", "cllwcsinet", "transnet", "acrnet {expansion: 3}"], [(13, 32), (64, 32)])
  func imagesOfOtherSizes(_ network: String, size: (taps: Int, ports: Int)) throws {
    try withTemporaryFolder { folder in
      let image = Shape.image(angles: size.ports, taps: size.taps)
      let files = try writeDrawnWeights(network, image: image, in: folder)
      #expect(files[0].contains("-\(size.ports)x\(size.taps)-4-encoder"))
      let context = Self.linkContext(taps: size.taps, ports: size.ports)
      let codec = try Self.codec(network, weights: folder, in: context)
      #expect(codec.codewordLength == size.ports * size.taps / 2)
      let csi = gaussianCSI(drops: 3, taps: size.taps, angles: size.ports, decay: 0.1)
      let codeword = try codec.encode(csi)
      #expect(codeword.values.shape == [3, codec.codewordLength])
      #expect(try codec.decode(codeword).shape == csi.shape)
      #expect(throws: DataFileError.self, "weights of another size") {
        try Self.codec(network, weights: folder, in: Self.linkContext())
      }
      #expect(throws: DataFileError.self, "one file of another size") {
        try Self.codec(network, weights: files[0], in: Self.linkContext())
      }
    }
  }

  /// An output that is not confined can stand for CSI of any scale.
  @Test func anUnconfinedNetworkTakesEveryRule() throws {
    try withTemporaryFolder { folder in
      try writeDrawnWeights("transnet", normaliser: "dataset", in: folder)
      let codec = try Self.codec(
        "transnet", weights: folder, in: Self.linkContext(normaliser: "dataset"))
      #expect(codec.codewordLength == 512)
    }
  }

  /// Weights of another program name no rule and are used as they are.
  @Test func weightsOfOtherProgramsHaveNoRule() throws {
    let codec = try Self.codec("cl-csinet", 8, weights: networkFixture("clcsinet_cr8_eval"))
    #expect(codec.codewordLength == 256)
  }

  @Test func weightsAreNeededToRun() throws {
    let settings = try NeuralCodec.schema.settings(["network": .text("crnet")])
    let error = #expect(throws: SettingsError.self) {
      try NeuralCodec(settings, in: Self.linkContext())
    }
    #expect(error?.key == "weights")
    #expect(error?.hint?.contains("csilink train") == true)
  }

  /// Files that were damaged, belong elsewhere or to different trainings are refused.
  @Test func unfitFiles() throws {
    try withTemporaryFolder { folder in
      let files = try writeDrawnWeights("crnet", compression: 64, in: folder)
      let good = try files.map { try Data(contentsOf: URL(filePath: $0)) }
      func refused() -> String {
        do {
          _ = try Self.codec("crnet", 64, weights: folder)
          return "accepted"
        } catch let error as DataFileError {
          return error.description
        } catch {
          return "not a file error: \(error)"
        }
      }
      #expect(refused() == "accepted")
      try good[1].dropLast(100).write(to: URL(filePath: files[1]))
      #expect(refused().contains("the file is truncated or its header is damaged"))
      try Data().write(to: URL(filePath: files[1]))
      #expect(refused().contains("found an empty file"))
      try good[0].write(to: URL(filePath: files[1]))
      #expect(refused().contains("expected weights with side = decoder, found side = encoder"))
      var damaged = good[1]
      for byte in damaged.suffix(4).indices { damaged[byte] = 0xff }
      try damaged.write(to: URL(filePath: files[1]))
      #expect(refused().contains("expected finite values"))
      try good[1].write(to: URL(filePath: files[1]))
      #expect(refused() == "accepted")
      let others = try writeDrawnWeights("crnet", compression: 64, seed: 2, in: "\(folder)/other")
      try Data(contentsOf: URL(filePath: others[1])).write(to: URL(filePath: files[1]))
      #expect(refused().contains("expected weights of the same training as \(files[0])"))
      try FileManager.default.removeItem(atPath: files[1])
      #expect(refused().hasPrefix(files[1]))
    }
  }
}

/// CSI whose largest modulus is 1 in every drop.
private func normalisedCSI(drops: Int) -> ComplexArray {
  var csi = gaussianCSI(drops: drops, taps: 32, angles: 32, decay: 0.1)
  csi.withUnsafeMutableElements { csi in
    for drop in 0..<drops {
      let row = drop * 1024..<(drop + 1) * 1024
      let largest = csi[row].reduce(0) { max($0, $1.lengthSquared) }.squareRoot()
      for i in row { csi[i] = csi[i].divided(by: largest) }
    }
  }
  return csi
}
