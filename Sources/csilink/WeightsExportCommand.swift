import ArgumentParser
import DataFiles
import Foundation
import Networks

struct WeightsExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write a network with its weights as ONNX files.",
    discussion: """
      Writes encoder.onnx, decoder.onnx and, for networks that were trained through a quantiser, quantizer.onnx, which gives \
      symbols and the codeword that the decoder gets. The batch is an open axis.
      """)

  @Argument(
    help: "Folder of weights, a file with both sides, or the encoder's and the decoder's file.")
  var files: [String]

  @Option(help: "Network, as 'csilink inspect' lists them.")
  var network: String?

  @Option(name: .shortAndLong, help: ArgumentHelp("Compression ratio 1/n.", valueName: "n"))
  var compression: Int?

  @Option(
    help: ArgumentHelp(
      "ONNX file of the encoder that was trained, in place of a network.", valueName: "file"))
  var encoder: String?

  @Option(help: ArgumentHelp("ONNX file of its decoder.", valueName: "file"))
  var decoder: String?

  @OptionGroup var image: ImageOption

  @Option(help: "Word in the names of the files, as 'training.label'.")
  var label: String?

  @Option(name: .shortAndLong, help: ArgumentHelp("Folder of the ONNX files.", valueName: "folder"))
  var output: String

  func validate() throws {
    let isListed = network != nil && compression != nil
    guard isListed != (encoder != nil && decoder != nil),
      isListed == (network != nil || compression != nil),
      isListed != (encoder != nil || decoder != nil)
    else {
      throw ValidationError("give --network and --compression, or --encoder and --decoder")
    }
    guard (1...2).contains(files.count) else {
      throw ValidationError("give a folder, a file, or two files, got \(files.count)")
    }
  }

  func run() throws {
    let choice = try choice()
    let (encoder, decoder) = try WeightsFile.both(files, choice, label: label)
    try ONNXFiles.write(choice, encoder: encoder, decoder: decoder, in: output)
  }
}

extension WeightsExportCommand {
  /// The network of the list, or that of two files.
  private func choice() throws -> NetworkChoice {
    if let network, let compression {
      return try namingNetworks {
        try NetworkChoice(network, compression: compression, image: image.image)
      }
    }
    let networks = try [encoder!, decoder!].mapAll { try ONNXNetwork(path: $0) }
    let (ue, bs) = (networks[0], networks[1])
    func require(_ path: String, _ what: String, _ count: Int, _ found: [Int]) throws {
      guard found.reduce(1, *) != count else { return }
      throw DataFileError(
        file: path, expected: "\(what) of \(count) values", found: "the axes \(found)",
        hint: what == "images" ? "name their angles and taps with --image" : nil)
    }
    try require(encoder!, "images", image.image.count, ue.inputShape)
    try require(decoder!, "codewords", ue.outputShape.reduce(1, *), bs.inputShape)
    try require(decoder!, "images", image.image.count, bs.outputShape)
    return ONNXAutoencoder(
      encoder: ue, decoder: bs, paths: (encoder!, decoder!), image: image.image
    ).choice
  }
}

/// The files of an autoencoder.
enum ONNXFiles {
  /// Writes all or, of a network without equivalent, none.
  static func write(
    _ choice: NetworkChoice, encoder: WeightsFile, decoder: WeightsFile, in folder: String
  ) throws {
    try decoder.requireTraining(of: encoder)
    let notes = encoder.metadata.filter { $0.key != "side" && $0.key != "format" }
      .merging(["network": choice.name, "image": choice.image.imageSize]) { $1 }
    var files = try namingNetworks {
      [
        (
          "encoder",
          try ONNXExport.bytes(
            .encoder, of: choice.autoencoder, weights: encoder.weights, notes: notes)
        ),
        (
          "decoder",
          try ONNXExport.bytes(
            .decoder, of: choice.autoencoder, weights: decoder.weights, notes: notes)
        ),
      ]
    }
    if !encoder.quantizer.isEmpty {
      let bytes = try namingNetworks {
        try ONNXExport.quantizer(
          encoder.quantizer, length: choice.autoencoder.codewordLength, notes: notes)
      }
      files.append(("quantizer", bytes))
    }
    try AtomicFile.createFolder(folder)
    for (name, bytes) in files {
      let path = "\(folder)/\(name).onnx"
      try AtomicFile.write(bytes, to: path)
      print("# \(name): \(path)")
    }
  }
}
