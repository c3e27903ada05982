extension GoldenVector {
  /// How far a value may be from the expected one.
  enum Tolerance {
    case exact, sigmoidOutput, plainOutput, codeword, loss, gradient, statistics, adam
    /// Operators computed in double precision, and those computed in single precision.
    case double, single

    static func output(of network: String) -> Tolerance {
      ["TransNet", "CsiNetPlus"].contains(network) ? .plainOutput : .sigmoidOutput
    }

    /// Absolute and relative part.
    var parts: (absolute: Double, relative: Double) {
      switch self {
      case .exact: (0, 0)
      case .sigmoidOutput: (1e-5, 0)
      case .plainOutput: (5e-5, 1e-4)
      case .codeword: (2e-5, 1e-4)
      case .loss: (0, 1e-5)
      case .gradient: (1e-8, 2e-4)
      case .statistics: (1e-5, 1e-5)
      case .adam: (2e-5, 0)
      case .double: (1e-9, 1e-9)
      case .single: (1e-7, 1e-5)
      }
    }
  }

  /// Collects deviations from the tensors of a file.
  struct Comparison {
    let file: TensorFile
    private(set) var deviations: [Deviation] = []

    init(file: TensorFile) { self.file = file }

    /// Compares with the tensor of that name.
    mutating func compare(
      _ key: String, _ values: [Float], _ tolerance: Tolerance
    ) throws(NetworkError) {
      let expected = try file.values(key)
      guard values.count == expected.count else {
        throw .unexpectedShape(key, expected: [values.count], found: file.tensors[key]!.shape)
      }
      add(key, values.map { Double($0) }, expected.map { Double($0) }, tolerance)
    }

    /// Compares as many values as both have, which must be all.
    mutating func add(
      _ key: String, _ values: [Double], _ expected: [Double], _ tolerance: Tolerance
    ) {
      precondition(values.count == expected.count, "counts are checked before")
      let (absolute, relative) = tolerance.parts
      let peak = expected.reduce(0) { max($0, abs($1)) }
      var worst = Deviation(tensor: key, largest: 0, allowed: 0, ratio: -1)
      for (value, wanted) in zip(values, expected) {
        let distance = abs(value - wanted)
        // Gradients are compared against the largest entry of their tensor.
        let size = if case .gradient = tolerance { peak } else { abs(wanted) }
        let allowed = absolute + relative * size
        let ratio =
          !distance.isFinite || !allowed.isFinite
          ? .infinity : distance == 0 ? 0 : allowed > 0 ? distance / allowed : .infinity
        if ratio > worst.ratio {
          worst = Deviation(
            tensor: key, largest: distance.isNaN ? .infinity : distance, allowed: allowed,
            ratio: ratio)
        }
      }
      deviations.append(worst)
    }
  }
}
