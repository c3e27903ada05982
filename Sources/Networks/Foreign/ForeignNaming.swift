/// How another program orders and shapes the values of a parameter.
enum ForeignTransform: Sendable, Equatable {
  /// As here.
  case same
  /// A convolution `[row, column, input, output]`.
  case kernel
  /// A dense layer `[input, output]`.
  case dense
  /// A dense layer `[input, output]` on an image flattened as `[row, column, channel]`.
  case denseFromImage(Shape)
  /// A dense layer `[input, output]` whose output is an image flattened as `[row, column, channel]`.
  case denseToImage(Shape)
  /// A vector over an image flattened as `[row, column, channel]`.
  case image(Shape)

  /// The shape that the other program has for a parameter of `shape`.
  func foreignShape(_ shape: [Int]) -> [Int] {
    switch self {
    case .same, .image: shape
    case .kernel: [shape[2], shape[3], shape[1], shape[0]]
    case .dense, .denseFromImage, .denseToImage: shape.reversed()
    }
  }

  /// The values in the order of a parameter of `shape`.
  func applied(_ values: [Float], _ shape: [Int]) -> [Float] {
    switch self {
    case .same: values
    case .kernel:
      Self.transposed(values, rows: shape[2] * shape[3], columns: shape[1] * shape[0])
        .permuted(shape)
    case .dense: Self.transposed(values, rows: shape[1], columns: shape[0])
    case .denseFromImage(let image):
      Self.transposed(values, rows: shape[1], columns: shape[0]).pieces(of: image)
        .flatMap { Self.channelsFirst($0, image) }
    case .denseToImage(let image):
      Self.transposed(
        values.pieces(of: image).flatMap { Self.channelsFirst($0, image) }, rows: shape[1],
        columns: shape[0])
    case .image(let image): Self.channelsFirst(values[...], image)
    }
  }

  /// The words for it in a table; empty where nothing is done.
  var words: String {
    switch self {
    case .same: ""
    case .kernel: "HWIO to OIHW"
    case .dense: "transposed"
    case .denseFromImage, .denseToImage: "transposed, channels first"
    case .image: "channels first"
    }
  }

  private static func transposed(_ values: [Float], rows: Int, columns: Int) -> [Float] {
    var result: [Float] = []
    result.reserveCapacity(values.count)
    for column in 0..<columns {
      for row in 0..<rows { result.append(values[row * columns + column]) }
    }
    return result
  }

  /// `[row, column, channel]` to `[channel, row, column]`.
  private static func channelsFirst(_ values: ArraySlice<Float>, _ image: Shape) -> [Float] {
    (0..<image.count).map { index in
      let (channel, place) = (index / image.plane, index % image.plane)
      return values[values.startIndex + place * image.channels + channel]
    }
  }
}

extension [Float] {
  /// A kernel `[input, output, row, column]` as `[output, input, row, column]` of `shape`.
  fileprivate func permuted(_ shape: [Int]) -> [Float] {
    let area = shape[2] * shape[3]
    var result: [Float] = []
    result.reserveCapacity(count)
    for output in 0..<shape[0] {
      for input in 0..<shape[1] {
        let start = (input * shape[0] + output) * area
        result += self[start..<start + area]
      }
    }
    return result
  }

  fileprivate func pieces(of image: Shape) -> [ArraySlice<Float>] {
    stride(from: 0, to: count, by: image.count).map { self[$0..<$0 + image.count] }
  }
}

/// One parameter as another program names and stores it.
struct ForeignEntry: Sendable {
  /// Names that are known for it, the part without the levels above.
  let names: [String]
  /// Key here.
  let key: String
  let transform: ForeignTransform

  init(_ names: [String], _ key: String, _ transform: ForeignTransform = .same) {
    self.names = names
    self.key = key
    self.transform = transform
  }
}

/// The names that published weights of one family have.
///
/// Another table is one file with such a type and one line in ``ForeignNamings``.
protocol ForeignNaming: Sendable {
  /// Name of the family, or nil for a rule that fits every family.
  static var family: String? { get }
  /// Where such files come from, for messages.
  static var origin: String { get }
  /// Whether the file is one of Keras.
  static var isKeras: Bool { get }

  /// The parameters of one side; nil if there is no such file of the network.
  static func entries(
    _ choice: NetworkChoice, _ side: WeightsFile.Side, _ options: ForeignOptions
  ) -> [ForeignEntry]?

  /// Beginnings of names that the network has no use for although the file is one of its weights.
  static func leftOut(_ choice: NetworkChoice) -> [String]
}

extension ForeignNaming {
  static var isKeras: Bool { false }

  static func leftOut(_ choice: NetworkChoice) -> [String] { [] }
}

/// What cannot be seen in a file of weights.
public struct ForeignOptions: Sendable {
  /// Order in which an image was flattened.
  public enum Flattening: String, Sendable, CaseIterable {
    /// `[channel, row, column]`: Keras with `channels_first`, PyTorch.
    case channelsFirst = "channels-first"
    /// `[row, column, channel]`: Keras by default.
    case channelsLast = "channels-last"
  }

  /// Order of flattened images in Keras files; nil for the one that the file suggests.
  public var flattening: Flattening?
  /// The level whose names are taken, where several hold the network.
  public var level: String?
  /// Beginnings of names that are left out.
  public var ignored: [String] = []
  /// The epsilon of the batch normalisations that the weights were trained with; nil for that of the network's definition.
  public var normalizationEpsilon: Double?
  /// Whether tensors with unknown names may be matched by their order and shapes.
  public var allowsOrder = false

  /// What every file of a framework has by default; names must be known.
  public init() {}
}

/// Every table of names.
enum ForeignNamings {
  static let all: [any ForeignNaming.Type] = [
    PublicNames.self, CsiNetKerasNames.self, CLNetNames.self, BCsiNetNames.self,
    CLLWCsiNetNames.self,
  ]

  static func of(_ choice: NetworkChoice, isKeras: Bool) -> [any ForeignNaming.Type] {
    all.filter { ($0.family ?? choice.familyName) == choice.familyName && $0.isKeras == isKeras }
  }
}
