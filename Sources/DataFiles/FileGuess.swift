/// What a file is that was given where another kind is expected: for hints, never for reading it.
enum FileGuess {
  /// Weights of a network.
  case weights
  /// An ONNX network.
  case onnx
  /// A scenario.
  case scenario
  /// Arrays such as channels.
  case arrays

  /// By the first bytes where they tell it, by the names of members, else by the extension.
  init?(_ window: ByteWindow) {
    let start = (try? window.bytes(at: 0, count: min(128, window.count), of: "a start")) ?? []
    if TorchLegacyFile.hasMagicNumber(start) {
      self = .weights
    } else if start.starts(with: [0x50, 0x4B, 3, 4]), let directory = try? ZipDirectory(window) {
      let names = directory.members.map(\.name)
      if names.contains(where: { $0 == "data.pkl" || $0.hasSuffix("/data.pkl") }) {
        self = .weights
      } else if names.contains(where: { $0.hasSuffix(".npy") }) {
        self = .arrays
      } else {
        return nil
      }
    } else if start.starts(with: NPYHeader.magic) || MAT5File.hasHeader(start) {
      self = .arrays
    } else {
      self.init(extensionOf: window.path)
    }
  }

  private init?(extensionOf path: String) {
    switch ArrayFormat.suffix(of: path) ?? "" {
    case "pth", "pt", "tar", "ckpt": self = .weights
    case "onnx": self = .onnx
    case "yaml", "yml": self = .scenario
    case "npy", "npz", "mat", "csv", "tsv": self = .arrays
    default: return nil
    }
  }

  /// Whether names of arrays are those of parameters, as Keras and PyTorch give them.
  static func areParameters(_ names: [String]) -> Bool {
    let ends = [
      ".weight", ".bias", ".running_mean", ".running_var", "kernel:0", "bias:0", "gamma:0",
      "beta:0", "moving_mean:0", "moving_variance:0", "vars/0",
    ]
    return names.contains { name in ends.contains { name.hasSuffix($0) } }
  }

  /// Where to take the file, said to those who wanted arrays; nil for arrays.
  func hintForArrays(_ path: String) -> String? {
    switch self {
    case .weights:
      "these are weights: 'csilink inspect \(path)' shows them,"
        + " 'csilink weights import \(path) -o FOLDER' takes them over; a tensor of channels is saved with numpy.save(FILE, tensor.numpy())"
    case .onnx, .scenario: elsewhere(path)
    case .arrays: nil
    }
  }

  /// Where to take the file, said to those who wanted weights; nil for weights.
  func hintForWeights(_ path: String) -> String? {
    switch self {
    case .arrays:
      "these are arrays, not weights: 'csilink data describe \(path)' shows channels;"
        + " weights are .safetensors, .pth or .h5"
    case .onnx, .scenario: elsewhere(path)
    case .weights: nil
    }
  }

  private func elsewhere(_ path: String) -> String? {
    self == .onnx
      ? "this is a network: 'csilink inspect \(path)' shows it, 'codec: {type: onnx}' runs it"
      : "this is a scenario: 'csilink config \(path)' shows it, 'csilink run \(path)' runs it"
  }
}

extension DataFileError {
  /// The same with another hint; with its own for nil.
  func hinting(_ hint: String?) -> DataFileError {
    guard let hint else { return self }
    return DataFileError(
      file: file, variable: variable, place: place, expected: expected, found: found, hint: hint)
  }
}
