import ArgumentParser
import Link
import Networks
import Parts

extension ForeignOptions.Flattening: ExpressibleByArgument {}

struct WeightsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "weights",
    abstract: "Bring weights of other frameworks, or take networks to them.",
    subcommands: [WeightsImportCommand.self, WeightsExportCommand.self])
}

struct WeightsImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Read PyTorch checkpoints, Keras .h5 or other safetensors, and write weights files.",
    discussion: """
      Nothing in a file is run. Names are matched with those of the published weights of CsiNet, CRNet, CLNet, ACRNet, BCsiNet, \
      TransNet, CLLWCsiNet and others, below whatever level has them ('state_dict', 'model_state_dict', 'module.'); counters \
      are left out. Every missing and every unused tensor is listed, with the nearest. The table goes to standard output.
      """)

  @Argument(help: "Files that together hold both sides.")
  var files: [String]

  @Option(help: "Network, as 'csilink inspect' lists them; found by names and shapes if left out.")
  var network: String?

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Compression ratio 1/n; found by shapes if left out.", valueName: "n"))
  var compression: Int?

  @OptionGroup var image: ImageOption

  @Option(name: .shortAndLong, help: ArgumentHelp("Folder of the weights.", valueName: "folder"))
  var output: String

  @Option(help: "Word in the names of the files, as 'training.label'.")
  var label: String?

  @Option(help: "Rule of the data that the network was trained on, as 'link.normaliser'.")
  var normaliser = "sample_max_modulus"

  @Option(help: "Order of flattened images in Keras files; told by the normalisations if left out.")
  var flatten: ForeignOptions.Flattening?

  @Option(help: "Level of a file whose names are taken, where several hold the network.")
  var level: String?

  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Beginning of names to leave out; may be repeated.", valueName: "name"))
  var ignore: [String] = []

  @Option(
    help: ArgumentHelp(
      "Epsilon of the batch normalisations that the weights were trained with (PyTorch: 1e-5); that of the network's definition if left out.",
      valueName: "epsilon"))
  var bnEpsilon: Double?

  func validate() throws {
    if let bnEpsilon, !(bnEpsilon > 0 && bnEpsilon < 1) {
      throw ValidationError("--bn-epsilon must be above 0 and below 1, got \(bnEpsilon)")
    }
    if let label, label.isEmpty || !label.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) {
      throw ValidationError("--label must be a word of letters, digits and '_', got '\(label)'")
    }
    let rules = NormaliserRegistry.normalisers.map { $0.schema.name }
    guard rules.contains(normaliser) else {
      let hint = nearestWord(to: normaliser, among: rules).map { "; did you mean '\($0)'?" } ?? ""
      throw ValidationError(
        "--normaliser must be one of \(rules.joined(separator: ", ")), got '\(normaliser)'\(hint)")
    }
  }

  func run() throws {
    var options = ForeignOptions()
    options.flattening = flatten
    options.level = level
    options.ignored = ignore
    options.allowsOrder = true
    options.normalizationEpsilon = bnEpsilon
    let weights = try namingNetworks {
      try ForeignWeights(
        files, network: network, compression: compression, image: image.image, options: options)
    }
    let paths = try weights.write(in: output, label: label, normaliser: normaliser)
    print(weights.text)
    print("# normaliser: \(normaliser)")
    for path in paths { print("# weights: \(path)") }
  }
}
