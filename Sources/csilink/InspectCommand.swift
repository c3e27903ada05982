import ArgumentParser
import Foundation
import Networks

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show a network: layers, shapes, parameters, operations; or a file of weights.",
    discussion: "Without a network: the list of all; without a ratio: one row for each.")

  @Argument(
    help:
      "Network of the list, 'family {key: value}', a file of weights (.safetensors, .pth, .h5) or an ONNX network."
  )
  var network: String?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Compression ratio 1/n: print the layers too.", valueName: "n"))
  var compression: Int?

  @OptionGroup var image: ImageOption

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if compression != nil && (network == nil || isFile) {
      throw ValidationError("--compression needs a network of the list")
    }
  }

  private var isFile: Bool {
    let suffixes = [
      ".safetensors", ".pth", ".pt", ".tar", ".ckpt", ".h5", ".onnx", ".npy", ".npz", ".mat",
      ".csv",
      ".yaml",
    ]
    return network.map { name in name.contains("/") || suffixes.contains(where: name.hasSuffix) }
      ?? false
  }

  func run() throws {
    guard let network else { return try show(NetworkList(), text: \.text) }
    if network.hasSuffix(".onnx") { return try show(ONNXDescription(network), text: \.text) }
    if isFile { return try show(WeightsDescription(network), text: \.text) }
    try namingNetworks {
      if let compression {
        let choice = try NetworkChoice(network, compression: compression, image: image.image)
        try show(NetworkDescription(choice), text: \.text)
      } else {
        try show(RatioTable(network, image: image.image), text: \.text)
      }
    }
  }

  private func show<Value: Encodable>(_ value: Value, text: (Value) -> String) throws {
    guard json else { return print(text(value)) }
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
  }
}
