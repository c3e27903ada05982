import DataFiles
import Datasets
import LinkMath
import Parts

extension DatasetGeneration {
  /// Name, shape and type of the arrays of a shard of so many drops.
  func arrays(_ drops: Int) -> [ArrayInfo] {
    descriptions.map { array in
      ArrayInfo(
        name: array.name, shape: [drops] + array.dropShape,
        isComplex: array.type == "complex64", elementType: .float32)
    }
  }

  /// The manifest before anything is written.
  func plan() throws -> DatasetManifest {
    let description = [
      "csilink dataset 2", ProgramIdentity.text, "seed \(source.seed)",
      "\(request.domain) from \(request.first)",
      "\(request.layout) slots \(request.slots ?? 0)", "\(request.format) by \(shardSize)",
      source.key,
    ].joined(separator: "\n")
    return DatasetManifest(
      recipe: Digest.sha256(description), name: source.scenario.name,
      version: ProgramIdentity.version,
      kernel: ProgramIdentity.kernel, seed: source.seed, domain: "\(request.domain)",
      first: request.first,
      drops: request.drops, layout: request.layout.rawValue, fileFormat: request.format.rawValue,
      shardSize: shardSize, arrays: descriptions, grid: source.grid, conventions: conventions,
      scenario: try source.scenario.resolvedYAML())
  }

  private var descriptions: [DatasetManifest.Array] {
    let grid = source.grid
    let slotAxis = request.slots == nil ? [] : ["slot"]
    let slotShape = request.slots.map { [$0] } ?? []
    let gain = DatasetManifest.Array(
      name: "gain_db", type: "float32", axes: ["drop"] + slotAxis, dropShape: slotShape,
      meaning: "level in dB that 'normalise' of the channel took out; 0 if it is none")
    switch request.layout {
    case .csinet:
      let images = DatasetManifest.Array(
        name: "HT", type: "float32", axes: ["drop", "part", "angle", "delay"],
        dropShape: [2, grid.ports, grid.taps],
        meaning: "real and imaginary part of the normalised CSI h, each as 0.5 + 0.5 h")
      let level = DatasetManifest.Array(
        name: "normaliser_db", type: "float32", axes: ["drop"], dropShape: [],
        meaning: "level in dB that the normaliser took out of the angular-delay CSI")
      return [images, gain, level]
    case .frequency:
      let responses = DatasetManifest.Array(
        name: "H", type: "complex64", axes: ["drop"] + slotAxis + ["tone", "port"],
        dropShape: slotShape + [grid.tones, grid.ports], meaning: "frequency response")
      return [responses, gain]
    case .delay:
      let csi = DatasetManifest.Array(
        name: "H", type: "complex64", axes: ["drop"] + slotAxis + ["delay", "angle"],
        dropShape: slotShape + [grid.taps, grid.ports],
        meaning: "truncated angular-delay CSI before the normaliser")
      return [csi, gain]
    }
  }

  private var conventions: [String: String] {
    let grid = source.grid
    var texts = [
      "tones": "tone n at n times the spacing above the lowest, never shifted",
      "delay":
        "row d of D = Nc^(-1/2) sum_n H[n] exp(+j 2 pi n k / Nc), k = d - guard rows; a path of delay tau at k = tau Nc spacing",
      "angle":
        "column (q + shift) mod Nt of the unitary \(grid.angleDft) DFT over ports",
      "delay_reference": source.channelText("delay_reference") ?? "as recorded",
      "normalise": source.channelText("normalise") ?? "none",
      "normaliser": request.layout == .csinet ? source.context.normaliser : "none",
      "channel": source.channelName,
    ]
    if request.slots != nil {
      texts["slots"] = "slot s at s times \(source.context.slotSeconds) s"
    }
    return texts
  }
}
