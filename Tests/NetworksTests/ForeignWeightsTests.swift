import DataFiles
import Foundation
import LinkMath
import Networks
import TestSupport
import Testing

/// Weights of other frameworks: what was read runs as the framework ran it, and what does not fit is told name by name.
@Suite struct ForeignWeightsTests {
  static let image = Shape.image(angles: 8, taps: 8)

  static func path(_ name: String) -> String {
    fixtures.appending(path: "foreign/\(name)").path
  }

  /// A network with the file or files of its weights and the start of the names of its results.
  struct Case: Sendable, CustomStringConvertible {
    let network: String
    let compression: Int
    let files: [String]
    let name: String
    var output = "output"
    /// Whether names and shapes alone tell network and ratio.
    var isFound = true

    var description: String { "\(network) \(files[0])" }
    var paths: [String] { files.map(path) }
  }

  static let cases = [
    Case(network: "crnet", compression: 16, files: ["crnet_16_zip.pth"], name: "crnet"),
    Case(network: "crnet", compression: 16, files: ["crnet_16_legacy.pth"], name: "crnet"),
    Case(
      network: "clnet", compression: 16,
      files: ["clnet_16_encoder.pth.tar", "clnet_16_decoder.pth.tar"], name: "clnet"),
    Case(network: "cllwcsinet", compression: 4, files: ["cllwcsinet_4.pth"], name: "cllwcsinet_4"),
    Case(network: "cllwcsinet", compression: 8, files: ["cllwcsinet_8.pth"], name: "cllwcsinet_8"),
    Case(
      network: "cllwcsinet {noise_wiring: none}", compression: 4, files: ["cllwcsinet_4.pth"],
      name: "cllwcsinet_4", output: "output_without_denoiser", isFound: false),
    Case(
      network: "cllwcsinet {noise_wiring: none}", compression: 8, files: ["cllwcsinet_8.pth"],
      name: "cllwcsinet_8", output: "output_without_denoiser", isFound: false),
    Case(
      network: "csinet-width", compression: 16, files: ["csinet_width_16.h5"],
      name: "csinet_width_16"),
    Case(network: "csinet", compression: 16, files: ["csinet_last_16.h5"], name: "csinet_last_16"),
  ]

  /// Codeword and output of the imported network for the input of the fixture.
  private static func run(
    _ weights: ForeignWeights, _ input: [Float]
  ) throws -> (codeword: [Float], output: [Float]) {
    let autoencoder = weights.choice.autoencoder
    let encoder = try InferencePlan(autoencoder.encoder, weights: weights.weights)
    let decoder = try InferencePlan(autoencoder.decoder, weights: weights.weights)
    let count = input.count / image.count
    var codeword = [Float](repeating: 0, count: count * autoencoder.codewordLength)
    var output = [Float](repeating: 0, count: input.count)
    input.withUnsafeBufferPointer { input in
      codeword.withUnsafeMutableBufferPointer {
        encoder.run([input.baseAddress!], count: count, into: [$0.baseAddress!])
      }
    }
    codeword.withUnsafeBufferPointer { codeword in
      output.withUnsafeMutableBufferPointer {
        decoder.run([codeword.baseAddress!], count: count, into: [$0.baseAddress!])
      }
    }
    return (codeword, output)
  }

  private static func distance(_ a: [Float], _ b: [Float]) -> Float {
    zip(a, b).map { abs($0 - $1) }.max() ?? .infinity
  }

  @Test(arguments: cases) func outputIsThatOfTheFramework(_ fixture: Case) throws {
    let expected = try TensorFile(path: Self.path("expected.safetensors"))
    let weights = try ForeignWeights(
      fixture.paths,
      NetworkChoice(fixture.network, compression: fixture.compression, image: Self.image))
    let found = try Self.run(weights, expected.values("\(fixture.name).input"))
    #expect(Self.distance(found.codeword, try expected.values("\(fixture.name).codeword")) < 2e-5)
    #expect(
      Self.distance(found.output, try expected.values("\(fixture.name).\(fixture.output)")) < 1e-5)
  }

  @Test(arguments: cases) func networkAndRatioAreFound(_ fixture: Case) throws {
    let network = fixture.isFound ? nil : fixture.network
    let weights = try ForeignWeights(
      fixture.paths, network: network, compression: nil, image: Self.image)
    #expect(weights.choice.name == fixture.network)
    #expect(weights.choice.compression == fixture.compression)
    let direct = try ForeignWeights(
      fixture.paths,
      NetworkChoice(fixture.network, compression: fixture.compression, image: Self.image))
    #expect(weights.weights == direct.weights)
  }

  /// Both containers hold the same weights, and what was written is read back.
  @Test func containersAgree() throws {
    let choice = try NetworkChoice("crnet", compression: 16, image: Self.image)
    let zip = try ForeignWeights([Self.path("crnet_16_zip.pth")], choice)
    let legacy = try ForeignWeights([Self.path("crnet_16_legacy.pth")], choice)
    #expect(zip.weights == legacy.weights)
    try withTemporaryFolder { folder in
      let files = try zip.write(in: folder, label: "public", normaliser: "sample_max_modulus")
      #expect(
        files.map { ($0 as NSString).lastPathComponent }
          == ["crnet-8x8-16-public-encoder.safetensors", "crnet-8x8-16-public-decoder.safetensors"])
      for side in WeightsFile.Side.allCases {
        let file = try WeightsFile(folder, choice, label: "public", side)
        #expect(file.normaliser == "sample_max_modulus")
        for (key, _) in side.network(of: choice.autoencoder).parameters {
          #expect(file.weights[key] == zip.weights[key])
        }
        // And the checkpoint itself is a file of weights.
        let direct = try WeightsFile(Self.path("crnet_16_zip.pth"), choice, side)
        #expect(direct.weights == file.weights)
        #expect(direct.normaliser == nil)
      }
    }
  }

  /// A file with the tensors of a network under changed names and, if asked, in changed shapes.
  private static func write(
    _ choice: NetworkChoice, to path: String, name: (String) -> String?,
    shape: (String, [Int]) -> [Int] = { $1 }
  ) throws -> Weights {
    let weights = drawnWeights(choice.autoencoder)
    let parameters =
      choice.autoencoder.encoder.parameters + choice.autoencoder.decoder.parameters
    let arrays = parameters.compactMap { key, parameter in
      name(key).map {
        NumericArray(name: $0, shape: shape(key, parameter.shape), floats: weights[key]!)
      }
    }
    try ArrayFile.write(arrays, metadata: [:], to: path)
    return weights
  }

  static let wrapped = [
    "crnet", "acrnet-1x", "bcsinet-b3", "transnet", "csinetplus", "csinet",
  ]

  /// Names below `module.`, levels, and a prefix of its own for each side.
  @Test(arguments: wrapped) func prefixesDoNotMatter(_ network: String) throws {
    let choice = try NetworkChoice(network, compression: 64, image: Self.image)
    try withTemporaryFolder { folder in
      let encoderKeys = Set(choice.autoencoder.encoder.parameters.map(\.key))
      for (index, prefixes) in [
        ("module.", "module."), ("model.encoder.", "model.decoder.module."),
        ("_orig_mod.state_dict.", "_orig_mod.state_dict."),
      ].enumerated() {
        let path = "\(folder)/\(index).safetensors"
        let weights = try Self.write(choice, to: path) {
          (encoderKeys.contains($0) ? prefixes.0 : prefixes.1) + $0
        }
        #expect(try ForeignWeights([path], choice).weights == weights)
        #expect(try WeightsFile(path, choice, .decoder).weights.values.count > 0)
      }
    }
  }

  /// BCsiNet without a binary layer calls it as CRNet does; scalars may be vectors, points kernels.
  @Test func knownRenamingsAreFollowed() throws {
    let choice = try NetworkChoice("bcsinet-a2", compression: 16, image: Self.image)
    try withTemporaryFolder { folder in
      let path = "\(folder)/b.safetensors"
      let weights = try Self.write(choice, to: path) {
        $0.replacing("encoder_binary_fc", with: "encoder_fc")
      } shape: { key, shape in
        key == "encoder_binary_fc.weight" ? shape + [1] : shape
      }
      #expect(try ForeignWeights([path], choice).weights == weights)
    }
  }

  /// Unknown names are matched by order on request only, and it is said.
  @Test func orderIsAFallback() throws {
    let choice = try NetworkChoice("crnet", compression: 16, image: Self.image)
    try withTemporaryFolder { folder in
      let path = "\(folder)/o.safetensors"
      var number = 0
      var options = ForeignOptions()
      let weights = try Self.write(choice, to: path) {
        number += 1
        return String(format: "layer%03d.", number) + $0.split(separator: ".").last!
      }
      #expect(throws: ForeignWeightsError.self) { try ForeignWeights([path], choice) }
      #expect(throws: (any Error).self) { try WeightsFile(path, choice, .encoder) }
      options.allowsOrder = true
      let found = try ForeignWeights([path], choice, options: options)
      #expect(found.weights == weights)
      #expect(found.notes.contains { $0.contains("by their order") })
      // Another order of the same tensors is not taken.
      var arrays = try ArrayFile.readAll(path)
      arrays.swapAt(0, 5)
      try ArrayFile.write(arrays, metadata: [:], to: path)
      #expect(throws: ForeignWeightsError.self) {
        try ForeignWeights([path], choice, options: options)
      }
    }
  }

  @Test func everyDifferenceIsListed() throws {
    let choice = try NetworkChoice("crnet", compression: 16, image: Self.image)
    try withTemporaryFolder { folder in
      let path = "\(folder)/w.safetensors"
      _ = try Self.write(choice, to: path) {
        switch $0 {
        case "encoder2.bn.bias": "encoder2.bm.bias"
        case "decoder_fc.bias": nil
        default: $0
        }
      } shape: { key, shape in
        key == "encoder_fc.weight" ? shape.reversed() : shape
      }
      let error = #expect(throws: ForeignWeightsError.self) { try ForeignWeights([path], choice) }
      let text = "\(try #require(error))"
      for line in [
        "missing 'encoder2.bn.bias' (2); nearest 'encoder2.bm.bias'",
        "missing 'decoder_fc.bias' (128)",
        "not used 'encoder2.bm.bias' (2); nearest 'encoder2.bn.bias'",
        "'encoder_fc.weight' has shape 128x8, expected 8x128",
        "hint: 'csilink inspect crnet -c 16 --image 8x8'",
      ] { #expect(text.contains(line), "\(text)") }
      #expect(text.contains(path))
    }
  }

  /// A tensor without use is an error unless it is named; a level that is there twice has to be chosen.
  @Test func whatIsLeftMustBeNamed() throws {
    let choice = try NetworkChoice("crnet", compression: 16, image: Self.image)
    try withTemporaryFolder { folder in
      let path = "\(folder)/e.safetensors"
      let weights = try Self.write(choice, to: path) { "state_dict.\($0)" }
      let extra = NumericArray(name: "state_dict.encoder2.conv.bias", shape: [2], floats: [1, 2])
      let all = try ArrayFile.readAll(path)
      try ArrayFile.write(all + [extra], metadata: [:], to: path)
      #expect(throws: ForeignWeightsError.self) { try ForeignWeights([path], choice) }
      var options = ForeignOptions()
      options.ignored = ["encoder2.conv.bias"]
      #expect(try ForeignWeights([path], choice, options: options).weights == weights)

      let second = all.map { array in
        NumericArray(
          name: array.name!.replacing("state_dict", with: "ema"), shape: array.shape,
          floats: array.floats().map { $0 + 1 })
      }
      try ArrayFile.write(all + second, metadata: [:], to: path)
      let error = #expect(throws: ForeignWeightsError.self) { try ForeignWeights([path], choice) }
      #expect("\(try #require(error))".contains("--level"))
      options = ForeignOptions()
      options.level = "state_dict"
      #expect(try ForeignWeights([path], choice, options: options).weights == weights)
      options.level = "state_dic"
      for network in ["crnet", nil] {
        let unknown = #expect(throws: ForeignWeightsError.self) {
          try ForeignWeights(
            [path], network: network, compression: 16, image: Self.image, options: options)
        }
        let text = "\(try #require(unknown))"
        #expect(text.contains("did you mean 'state_dict'?"), "\(text)")
        #expect(
          text.contains("levels of the files: ema, state_dict, ")
            || text.contains("state_dict, ema, "), "\(text)")
      }
    }
  }

  /// Most tensors of a network tell which one was meant, and what is wrong with the others.
  @Test func oneRenamedTensor() throws {
    let choice = try NetworkChoice("crnet", compression: 16, image: Self.image)
    try withTemporaryFolder { folder in
      let path = "\(folder)/r.safetensors"
      _ = try Self.write(choice, to: path) { $0 == "decoder_fc.bias" ? "decoder_fc.shift" : $0 }
      let unknown = #expect(throws: ForeignWeightsError.self) {
        try ForeignWeights([path], network: nil, compression: nil, image: Self.image)
      }
      let text = "\(try #require(unknown))"
      #expect(
        text.contains(
          "nearest is \(choice.title): missing 'decoder_fc.bias' (128); unknown 'decoder_fc.shift' (128)"
        ), "\(text)")
      let other = #expect(throws: ForeignWeightsError.self) {
        try ForeignWeights([path], NetworkChoice("csinet", compression: 16, image: Self.image))
      }
      #expect("\(try #require(other))".contains("mostly tensors of \(choice.title)"), "\(other!)")
      let same = #expect(throws: ForeignWeightsError.self) { try ForeignWeights([path], choice) }
      #expect(!"\(try #require(same))".contains("mostly"), "\(same!)")
    }
  }

  @Test func unknownNetworksAreRefused() throws {
    let error = #expect(throws: ForeignWeightsError.self) {
      try ForeignWeights(
        [Self.path("whole.pt")], network: nil, compression: nil, image: Self.image)
    }
    #expect("\(try #require(error))".contains("expected the weights of a known network"))
    #expect(throws: ForeignWeightsError.self) {
      try ForeignWeights(
        [Self.path("crnet_16_zip.pth")], NetworkChoice("csinet", compression: 16, image: Self.image)
      )
    }
    // Trained weights are finite.
    try withTemporaryFolder { folder in
      let choice = try NetworkChoice("crnet", compression: 16, image: Self.image)
      let path = "\(folder)/n.safetensors"
      _ = try Self.write(choice, to: path) { "module.\($0)" }
      let broken = try ArrayFile.readAll(path).map { array in
        array.name == "module.decoder_fc.bias"
          ? NumericArray(
            name: array.name, shape: array.shape, floats: array.shape[0].floats(last: .nan)) : array
      }
      try ArrayFile.write(broken, metadata: [:], to: path)
      let error = #expect(throws: DataFileError.self) { try ForeignWeights([path], choice) }
      #expect(try #require(error).variable == "module.decoder_fc.bias")
    }
  }
}

/// What files do not say: the epsilon of batch normalisations, and which of a folder's files was meant.
extension ForeignWeightsTests {
  /// `gamma (x - m) / sqrt(v + 1e-5) + beta` comes out of a normalisation of 1e-3; small variances, where it matters.
  @Test func epsilonOfTheirs() throws {
    let choice = try NetworkChoice("csinet", compression: 16, image: Self.image)
    try withTemporaryFolder { folder in
      let path = "\(folder)/net.safetensors"
      var given = try Self.write(choice, to: path) { "module.\($0)" }
      let arrays = try ArrayFile.readAll(path).map { array -> NumericArray in
        guard let name = array.name, name.hasSuffix("running_var") else { return array }
        let values = (0..<array.shape[0]).map { 1e-4 * Float($0 + 1) }
        given[String(name.dropFirst("module.".count))] = values
        return NumericArray(name: name, shape: array.shape, floats: values)
      }
      try ArrayFile.write(arrays, metadata: [:], to: path)
      let plain = try ForeignWeights([path], choice)
      #expect(plain.weights == given)
      let notes = plain.notes.joined(separator: "; ")
      #expect(notes.contains("epsilon 0.001") && notes.contains("--bn-epsilon 1e-05"), "\(notes)")
      var options = ForeignOptions()
      options.normalizationEpsilon = 1e-5
      let moved = try ForeignWeights([path], choice, options: options)
      #expect(!moved.notes.contains { $0.contains("--bn-epsilon") })
      var scales = 0
      for (key, values) in given.values {
        guard key.hasSuffix("bn.weight") || key.contains("bn") && key.hasSuffix(".weight") else {
          #expect(moved.weights[key] == values, "\(key)")
          continue
        }
        let variances = given[key.dropLast("weight".count) + "running_var"]!
        for i in values.indices {
          let theirs = Double(values[i]) / (Double(variances[i]) + 1e-5).squareRoot()
          let ours = Double(moved.weights[key]![i]) / (Double(variances[i]) + 1e-3).squareRoot()
          #expect(abs(ours / theirs - 1) < 1e-6, "\(key)")
          scales += 1
        }
      }
      #expect(scales == 2 + 2 * (8 + 16 + 2))
      // A network of PyTorch's own epsilon has nothing to say.
      let other = try NetworkChoice("crnet", compression: 16, image: Self.image)
      _ = try Self.write(other, to: path) { "module.\($0)" }
      #expect(!(try ForeignWeights([path], other)).text.contains("epsilon"))
    }
  }

  /// Two files of halves are weights as one file of both is, in either order; half of them is told as such.
  @Test func halvesAreNamedTogether() throws {
    let choice = try NetworkChoice("clnet", compression: 16, image: Self.image)
    let paths = ["clnet_16_encoder.pth.tar", "clnet_16_decoder.pth.tar"].map(Self.path)
    let joined = try ForeignWeights(paths, choice)
    for side in WeightsFile.Side.allCases {
      for order in [paths, paths.reversed()] {
        let file = try WeightsFile(order, choice, side)
        let keys = side.network(of: choice.autoencoder).parameters.map(\.key)
        #expect(keys.allSatisfy { file.weights[$0] == joined.weights[$0] })
        #expect(file.path == paths[side == .encoder ? 0 : 1])
      }
    }
    #expect(try WeightsFile(paths[0], choice, .encoder).weights.values.count > 0)
    let missing = #expect(throws: ForeignWeightsError.self) {
      try WeightsFile(paths[0], choice, .decoder)
    }
    let half = #expect(throws: ForeignWeightsError.self) {
      try ForeignWeights([paths[1]], network: nil, compression: nil, image: Self.image)
    }
    #expect("\(try #require(missing))".contains("found those of its encoder alone"))
    #expect("\(try #require(half))".contains("clnet 1/16 of 8x8, found those of its decoder alone"))
  }

  /// Files of another network or ratio tell which one they are of.
  @Test(arguments: [
    ("csinet", 16, "csinet_width_16.h5", "csinet-width 1/16"),
    ("clnet", 16, "crnet_16_zip.pth", "crnet 1/16"),
    ("crnet", 8, "crnet_16_legacy.pth", "crnet 1/16"),
  ]) func otherNetworksAreNamed(network: String, ratio: Int, file: String, found: String) throws {
    let choice = try NetworkChoice(network, compression: ratio, image: Self.image)
    for side in WeightsFile.Side.allCases {
      let error = #expect(throws: ForeignWeightsError.self) {
        try WeightsFile(Self.path(file), choice, side)
      }
      #expect(
        "\(try #require(error))".contains("these are the tensors of \(found) of 8x8: 'network: "))
    }
  }

  /// Our own files of two folders or files are taken side by side.
  @Test func ownHalvesAreNamedTogether() throws {
    let choice = try NetworkChoice("csinet", compression: 16, image: Self.image)
    try withTemporaryFolder { folder in
      try writeDrawnWeights("csinet", compression: 16, image: Self.image, in: folder)
      let files = WeightsFile.files(at: [folder], choice)
      #expect(files.count == 2)
      for side in WeightsFile.Side.allCases {
        let file = try WeightsFile(files, choice, side)
        #expect(file.path == WeightsFile.path(in: folder, choice, side))
      }
      #expect(throws: DataFileError.self) {
        try WeightsFile([files[0], files[0]], choice, .encoder)
      }
    }
  }

  @Test func hintsNameTheWayOut() throws {
    let choice = try NetworkChoice("csinet", compression: 16, image: Self.image)
    try withTemporaryFolder { folder in
      let path = "\(folder)/net.safetensors"
      _ = try Self.write(choice, to: path) { String($0.reversed()) }
      let error = #expect(throws: ForeignWeightsError.self) { try ForeignWeights([path], choice) }
      #expect(
        "\(try #require(error))".contains(
          "weights import FILE... --network 'csinet' -c 16' matches them by order"))
      // Named as weights, a file tells as much; matched by order in vain, it is not sent there again.
      let direct = #expect(throws: ForeignWeightsError.self) {
        try WeightsFile(path, choice, .encoder)
      }
      #expect("\(try #require(direct))".contains("  missing '"))
      try ArrayFile.write(Array(ArrayFile.readAll(path).reversed()), metadata: [:], to: path)
      var options = ForeignOptions()
      options.allowsOrder = true
      let ordered = #expect(throws: ForeignWeightsError.self) {
        try ForeignWeights([path], choice, options: options)
      }
      #expect("\(try #require(ordered))".contains("do not have the order and shapes"))
      let foreign = #expect(throws: DataFileError.self) {
        try WeightsFile(folder, choice, .encoder)
      }
      #expect(try #require(foreign).hint?.hasPrefix("the folder has net.safetensors: name") == true)
      try writeDrawnWeights("csinet", compression: 32, image: Self.image, in: folder)
      let missing = #expect(throws: DataFileError.self) {
        try WeightsFile(folder, choice, .encoder)
      }
      #expect(
        try #require(missing).hint?.hasPrefix("the folder has csinet-8x8-32-encoder.safetensors; ")
          == true)
    }
  }
}

extension Int {
  fileprivate func floats(last: Float) -> [Float] {
    [Float](repeating: 0, count: self - 1) + [last]
  }
}
