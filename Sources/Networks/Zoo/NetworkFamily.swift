import Parts

/// A family of autoencoders: one definition with parameters, for CSI images of any size that it can compress.
///
/// A new family is one file with such a type and one word in ``NetworkZoo/standard``, or in another program one call of ``NetworkZoo/adding(_:)``.
public protocol NetworkFamily: Sendable {
  /// Name, paper and parameters; the section is that of the codec.
  static var schema: PartSchema { get }

  /// Names of variants of the literature with the settings that they stand for.
  static var shortForms: [(name: String, settings: [String: Setting])] { get }

  /// The images that the family can compress, for error messages.
  static var images: String { get }

  /// The n of the ratios 1/n at which the family is defined for an image `[2, angle, delay]`, ascending; empty for an image
  /// that it cannot compress.
  static func compressions(_ settings: Settings, image: Shape) throws(NetworkError) -> [Int]

  /// The autoencoder of an image.
  ///
  /// - Throws: ``NetworkError`` for settings that do not go together.
  /// - Precondition: `compression` is one of `compressions(_:image:)`.
  static func autoencoder(_ settings: Settings, image: Shape, compression: Int)
    throws(NetworkError) -> Autoencoder
}

extension NetworkFamily {
  /// None.
  public static var shortForms: [(name: String, settings: [String: Setting])] { [] }

  /// Those of ``Shape/ratios``.
  public static var images: String {
    "a product 2 · angles · taps with a divisor from 4 to 64, which the ratio is"
  }

  /// Those of ``Shape/ratios``.
  public static func compressions(_ settings: Settings, image: Shape) throws(NetworkError) -> [Int]
  {
    image.ratios
  }
}

/// A family whose networks are composed of others, which it finds in the zoo that named it.
public protocol ComposedFamily: NetworkFamily {
  /// As ``NetworkFamily/compressions(_:image:)``.
  static func compressions(_ settings: Settings, image: Shape, in zoo: NetworkZoo)
    throws(NetworkError) -> [Int]

  /// As ``NetworkFamily/autoencoder(_:image:compression:)``.
  static func autoencoder(
    _ settings: Settings, image: Shape, compression: Int, in zoo: NetworkZoo
  ) throws(NetworkError) -> Autoencoder
}

extension ComposedFamily {
  /// With the networks of this package.
  public static func compressions(_ settings: Settings, image: Shape) throws(NetworkError) -> [Int]
  {
    try compressions(settings, image: image, in: .standard)
  }

  /// With the networks of this package.
  public static func autoencoder(_ settings: Settings, image: Shape, compression: Int)
    throws(NetworkError) -> Autoencoder
  {
    try autoencoder(settings, image: image, compression: compression, in: .standard)
  }
}

extension Shape {
  /// The image of the field's public data: real and imaginary part, 32 angles, 32 delay taps.
  public static let publicImage = Shape(2, 32, 32)

  /// Real and imaginary part of angular-delay CSI, `[2, angle, delay]`.
  public static func image(angles: Int, taps: Int) -> Shape { Shape(2, angles, taps) }

  /// An image from its angles and taps, as in `32x64`; nil for another text.
  public init?(image text: String) {
    let sizes = text.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard sizes.count == 2, let angles = sizes[0], let taps = sizes[1],
      (1...4096).contains(angles), (1...4096).contains(taps)
    else { return nil }
    self = .image(angles: angles, taps: taps)
  }

  /// Angles and taps of an image, as in `32x64`.
  public var imageSize: String { "\(height)x\(width)" }

  /// Divisors n of the number of values from 4 to 64, so that a codeword has M = 2 · angles · taps / n values; the ratios of
  /// the papers for the public image.
  var ratios: [Int] { (4...64).filter { count % $0 == 0 } }

  /// The image with channel and angle merged, `[2 · angle, 1, delay]`: kernels 1×k then run along the delay.
  var latent: Shape { Shape(channels * height, 1, width) }

  /// Divisors n of the channels of ``latent`` from 4 to a limit, so that a codeword has whole channels.
  func latentRatios(upTo limit: Int) -> [Int] { (4...limit).filter { latent.channels % $0 == 0 } }
}

/// How the feature map becomes the codeword.
public enum Bottleneck: String, Choice {
  /// Fully connected, M = 2 · angles · taps / n.
  case dense
  /// 1×7 convolutions on the view `[2 · angle, 1, delay]`, K = 2 · angles / n channels (CLLWCsiNet's table III).
  case convolutional

  static let parameter = Parameter<Bottleneck>.choice(
    "bottleneck", default: .dense,
    "Fully connected layers to and from the codeword, or 1x7 convolutions along the delay.")

  func compressions(_ image: Shape) -> [Int] {
    self == .dense ? image.ratios : image.latentRatios(upTo: 64)
  }

  /// Convolution, normalisation and activation from the map to `[K, 1, delay]`.
  static func latentEncoder(_ image: Shape, _ compression: Int, key: String)
    -> [(key: String, layer: any Layer)]
  {
    let latent = image.latent
    return [
      ("view", Reshape(latent)),
      (key, ConvBN(latent.channels, latent.channels / compression, KernelSize(1, 7))),
      ("latent_activation", LeakyReLU()),
    ]
  }

  static func latentDecoder(_ image: Shape, _ compression: Int, key: String)
    -> [(key: String, layer: any Layer)]
  {
    let channels = image.latent.channels
    return [
      (key, ConvBN(channels / compression, channels, KernelSize(1, 7))),
      ("latent_activation", LeakyReLU()), ("view", Reshape(image)),
    ]
  }

  static func denseEncoder(_ fc: Dense, key: String) -> [(key: String, layer: any Layer)] {
    [("flatten", Reshape(.vector(fc.product.inputs))), (key, fc)]
  }

  static func denseDecoder(_ image: Shape, _ fc: Dense, key: String)
    -> [(key: String, layer: any Layer)]
  {
    [(key, fc), ("map", Reshape(image))]
  }
}
