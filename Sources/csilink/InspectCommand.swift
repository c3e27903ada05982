import ArgumentParser
import DataFiles
import Foundation
import Networks

struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show a network: layers, shapes, parameters, operations; or a file of weights.",
    discussion: """
      Without a network: the list of all; without a ratio: one row for each. Several are shown one after the other, in \
      JSON as a list.
      """)

  @Argument(
    help:
      "Networks of the list, 'family {key: value}', files of weights (.safetensors, .pth, .h5) or ONNX networks."
  )
  var networks: [String] = []

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Compression ratio 1/n: print the layers too.", valueName: "n"))
  var compression: Int?

  @OptionGroup var image: ImageOption

  @Flag(help: "Print JSON.")
  var json = false

  func validate() throws {
    if compression != nil && (networks.isEmpty || networks.contains(where: Self.isFile)) {
      throw ValidationError("--compression needs a network of the list")
    }
  }

  private static func isFile(_ name: String) -> Bool {
    let suffixes = [
      ".safetensors", ".pth", ".pt", ".tar", ".ckpt", ".h5", ".onnx", ".npy", ".npz", ".mat",
      ".csv",
      ".yaml",
    ]
    return name.contains("/") || suffixes.contains(where: name.hasSuffix)
  }

  func run() throws {
    if networks.isEmpty { return try show([Description(NetworkList(), text: \.text)]) }
    // What can be shown is, whatever is wrong with others.
    var descriptions: [Description] = []
    var errors: [any Error] = []
    for network in networks {
      do {
        descriptions.append(try description(of: network))
      } catch {
        errors.append(error)
      }
    }
    if !descriptions.isEmpty { try show(descriptions) }
    if let error = errors.first(where: { $0 is ValidationError }) ?? SeveralErrors.joined(errors) {
      throw error
    }
  }

  private func description(of network: String) throws -> Description {
    if network.hasSuffix(".onnx") { return Description(try ONNXDescription(network), text: \.text) }
    if Self.isFile(network) { return Description(try WeightsDescription(network), text: \.text) }
    return try namingNetworks {
      guard let compression else {
        return Description(try RatioTable(network, image: image.image), text: \.text)
      }
      let choice = try NetworkChoice(network, compression: compression, image: image.image)
      return Description(NetworkDescription(choice), text: \.text)
    }
  }

  private func show(_ descriptions: [Description]) throws {
    guard json else { return print(descriptions.map(\.text).joined(separator: "\n\n")) }
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let data =
      networks.count > 1 ? try encoder.encode(descriptions) : try encoder.encode(descriptions[0])
    print(String(decoding: data, as: UTF8.self))
  }
}

/// What is shown of a network or a file.
private struct Description: Encodable {
  let value: any Encodable
  let text: String

  init<Value: Encodable>(_ value: Value, text: (Value) -> String) {
    (self.value, self.text) = (value, text(value))
  }

  func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
}
