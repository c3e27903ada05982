import DataFiles

/// Names of Keras layers by their kind and their order: `conv2d_3/kernel:0` becomes `conv2d.2.kernel` if two convolutions have lower numbers.
///
/// Keras numbers layers of a kind in the order in which they are made, from any number that the program has reached.
enum KerasNames {
  /// Variables of a layer that has only numbers for them, as files of Keras 3 do.
  private static let numbered: [String: [String]] = [
    "batch_normalization": ["gamma", "beta", "moving_mean", "moving_variance"],
    "conv2d": ["kernel", "bias"], "dense": ["kernel", "bias"],
  ]

  /// The canonical name of each tensor, in its order; levels above the layer stay before it, tensors of other kinds keep their names.
  static func canonical(_ tensors: [SavedTensor]) -> [String] {
    let places = tensors.map { Place($0.path) }
    var numbers: [String: Set<Int>] = [:]
    for case let place? in places { numbers[place.group, default: []].insert(place.number) }
    let orders = numbers.mapValues { $0.sorted() }
    return zip(tensors, places).map { tensor, place in
      guard let place, let order = orders[place.group]?.firstIndex(of: place.number) else {
        return tensor.name
      }
      return "\(place.group).\(order).\(place.variable)"
    }
  }

  /// Where a tensor belongs: levels and kind, number of the layer, variable.
  private struct Place {
    let group: String
    let number: Int
    let variable: String

    init?(_ path: [String]) {
      guard var variable = path.last, path.count >= 2 else { return nil }
      if variable.hasSuffix(":0") { variable.removeLast(2) }
      var levels = path.dropLast()
      let isNumbered = levels.last == "vars"
      if isNumbered { levels.removeLast() }
      guard let layer = levels.popLast() else { return nil }
      // The layer's group holds one of the same name.
      while levels.last == layer { levels.removeLast() }
      let parts = layer.split(separator: "_", omittingEmptySubsequences: false)
      let number = parts.count > 1 ? parts.last.flatMap { Int($0) } : nil
      let kind = number == nil ? layer : parts.dropLast().joined(separator: "_")
      if isNumbered, let names = KerasNames.numbered[kind], let index = Int(variable),
        names.indices.contains(index)
      {
        variable = names[index]
      }
      group = (levels + [kind]).joined(separator: ".")
      self.number = number ?? 0
      self.variable = variable
    }
  }
}
