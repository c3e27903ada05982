import Parts

/// Families of autoencoders and their variants by name; a value that other programs add their own families to.
public struct NetworkZoo: Sendable {
  /// The families of this package.
  public static let standard = NetworkZoo([
    CsiNet.self, CRNet.self, ACRNet.self, BCsiNet.self, CsiNetPlus.self, CsiNetPro.self,
    CLLWCsiNet.self, TransNet.self, CLNet.self, DistillationCRNet.self, DCRNet.self, DCRNetV2.self,
    LowRankPrior.self, DNNet.self, PairedNetworks.self,
  ])

  /// Every family, in the order of the list.
  public let families: [any NetworkFamily.Type]

  /// Every variant that has a name of its own; a family stands together, its default first.
  public let variants: [NetworkVariant]

  /// The words that a text for a network can begin with: families and short forms.
  public let words: [String]

  private init(_ families: [any NetworkFamily.Type]) {
    self.families = families
    variants = families.flatMap { family in
      let all = family.shortForms.map { Self.named(family, $0.settings, $0.name) }
      let plain = Self.named(family, [:], nil)
      return all.contains { $0.settings == plain.settings } ? all : [plain] + all
    }
    words = families.flatMap { [$0.schema.name] + $0.shortForms.map(\.name) }
    precondition(
      words.allSatisfy { $0 == $0.lowercased() }, "names of networks are in lower case: \(words)")
    precondition(Set(words).count == words.count, "two networks share a name")
  }

  /// The same with more families.
  ///
  /// - Precondition: no name is that of another family or short form, and no key of a family is `codeword`.
  public func adding(_ families: any NetworkFamily.Type...) -> NetworkZoo {
    NetworkZoo(self.families + families)
  }

  private static func named(
    _ family: any NetworkFamily.Type, _ given: [String: Setting], _ shortForm: String?
  ) -> NetworkVariant {
    guard let settings = try? family.fullSchema.settings(given) else {
      preconditionFailure("the short forms of \(family.schema.name) fit its parameters")
    }
    return NetworkVariant(family, settings, shortForm: shortForm)
  }

  /// The variant that a text names, case ignored: a short form (`acrnet-10x`), a family (`transnet`), or a family with
  /// settings (`acrnet {expansion: 4}`).
  ///
  /// - Throws: ``NetworkError/unknownNetwork(_:known:)``, ``NetworkError/unfitSettings(_:)``.
  public func variant(_ text: String) throws(NetworkError) -> NetworkVariant {
    var variant = try found(text)
    variant.zoo = self
    return variant
  }

  private func found(_ text: String) throws(NetworkError) -> NetworkVariant {
    let call = try NetworkText(text)
    if let variant = variants.first(where: { $0.shortForm == call.name }), call.given.isEmpty {
      return variant
    }
    guard let family = families.first(where: { $0.schema.name == call.name }) else {
      if words.contains(call.name) {
        throw .unfitSettings(
          SettingsError(
            part: call.name, key: call.given[0].key,
            reason: "cannot be given: \(call.name) stands for a family with settings"))
      }
      throw .unknownNetwork(call.name, known: words)
    }
    let schema = family.fullSchema
    var given: [String: Setting] = [:]
    for (key, value) in call.given { given[key] = call.setting(value, of: schema.parameter(key)) }
    do {
      let settings = try schema.settings(given)
      // The shortest name that the settings have.
      return variants.first { $0.settings == settings && $0.family.schema.name == schema.name }
        ?? NetworkVariant(family, settings, shortForm: nil)
    } catch {
      throw .unfitSettings(error)
    }
  }

  /// The autoencoder that a text names in the standard zoo.
  ///
  /// - Throws: ``NetworkError`` as ``NetworkChoice``.
  public static func autoencoder(
    _ text: String, compression: Int, image: Shape = .publicImage
  ) throws(NetworkError) -> Autoencoder {
    try NetworkChoice(text, compression: compression, image: image).autoencoder
  }
}

/// A family with its settings.
public struct NetworkVariant: Sendable {
  let family: any NetworkFamily.Type
  let settings: Settings
  let shortForm: String?
  /// Where a family finds other networks; nil for the standard one.
  fileprivate var zoo: NetworkZoo?

  init(_ family: any NetworkFamily.Type, _ settings: Settings, shortForm: String?) {
    self.family = family
    self.settings = settings
    self.shortForm = shortForm
  }

  /// The one text that stands for these settings: the short form, or the family with the settings that are not its
  /// defaults.
  public var name: String {
    if let shortForm { return shortForm }
    let given = own.map { "\($0.key): \($0.value)" }
    return family.schema.name + (given.isEmpty ? "" : " {\(given.joined(separator: ", "))}")
  }

  /// ``name`` as part of a file's name.
  var stem: String {
    if let shortForm { return shortForm }
    let words = ([family.schema.name] + own.flatMap { [$0.key, $0.value] }).joined(separator: "-")
    return words.split { !($0.isLetter || $0.isNumber || "._".contains($0)) }
      .joined(separator: "-")
  }

  /// The variant with some settings at their defaults.
  func leavingOut(_ keys: Set<String>) throws(NetworkError) -> NetworkVariant {
    do {
      let schema = family.fullSchema
      let rest = try schema.settings(settings.values.filter { !keys.contains($0.key) })
      let same = family.shortForms.first { (try? schema.settings($0.settings)) == rest }
      var variant = NetworkVariant(family, rest, shortForm: same?.name)
      variant.zoo = zoo
      return variant
    } catch {
      throw .unfitSettings(error)
    }
  }

  /// Settings that are not the defaults, as texts.
  private var own: [(key: String, value: String)] {
    family.fullSchema.parameters.compactMap { parameter in
      guard let value = settings.values[parameter.key], parameter.absence != .value(value) else {
        return nil
      }
      return (parameter.key, parameter.kind.format(value))
    }
  }

  /// The n of the ratios 1/n at which it is defined for an image.
  ///
  /// - Throws: ``NetworkError/unsupportedImage(network:image:images:)`` if there is none.
  public func compressions(image: Shape = .publicImage) throws(NetworkError) -> [Int] {
    let defined =
      if let family = family as? any ComposedFamily.Type {
        try family.compressions(settings, image: image, in: zoo ?? .standard)
      } else {
        try family.compressions(settings, image: image)
      }
    guard !defined.isEmpty else {
      throw .unsupportedImage(network: name, image: image, images: family.images)
    }
    return defined
  }

  /// Its networks for an image and a ratio at which it is defined.
  func autoencoder(image: Shape, compression: Int) throws(NetworkError) -> Autoencoder {
    if let family = family as? any ComposedFamily.Type {
      return try family.autoencoder(
        settings, image: image, compression: compression, in: zoo ?? .standard)
    }
    return try family.autoencoder(settings, image: image, compression: compression)
  }

  /// Its networks for an image, one for each ratio.
  func choices(image: Shape) throws(NetworkError) -> [NetworkChoice] {
    var choices: [NetworkChoice] = []
    for compression in try compressions(image: image) {
      choices.append(try NetworkChoice(self, compression: compression, image: image))
    }
    return choices
  }
}

/// A network of the zoo with its ratio and its image: everything that its definition depends on.
public struct NetworkChoice: Sendable {
  /// ``NetworkVariant/name``.
  public let name: String
  /// The n of ratio 1/n.
  public let compression: Int
  /// `[2, angle, delay]`.
  public let image: Shape
  /// Both sides, traced.
  public let autoencoder: Autoencoder
  /// Name of its family.
  public let familyName: String
  /// Nil for a network that is not of a zoo.
  private let variant: NetworkVariant?
  /// Start of the names of its files, and what tells it from others of its name, if it is not of a zoo.
  private let own: (stem: String, identity: String, digest: String)?

  /// - Parameters:
  ///   - text: as for ``NetworkZoo/variant(_:)``.
  ///   - compression: n of the ratio 1/n.
  ///   - image: `[2, angle, delay]`.
  ///   - zoo: where the text names a network.
  /// - Throws: ``NetworkError`` for a network that does not exist or is not defined at the ratio or for the image.
  public init(
    _ text: String, compression: Int, image: Shape = .publicImage, zoo: NetworkZoo = .standard
  ) throws(NetworkError) {
    try self.init(zoo.variant(text), compression: compression, image: image)
  }

  init(_ variant: NetworkVariant, compression: Int, image: Shape) throws(NetworkError) {
    let defined = try variant.compressions(image: image)
    guard defined.contains(compression) else {
      throw .unsupportedCompression(
        network: variant.name, compression: compression, image: image, supported: defined)
    }
    name = variant.name
    self.compression = compression
    self.image = image
    self.variant = variant
    own = nil
    familyName = variant.family.schema.name
    let plain = try LowPrecision.applied(
      variant.settings,
      to: variant.autoencoder(image: image, compression: compression))
    autoencoder = variant.settings[CodewordRange.parameter].bounding(plain)
  }

  /// A network that is not of a zoo.
  ///
  /// - Parameters:
  ///   - name: for people.
  ///   - stem: start of the names of its files.
  ///   - identity: what tells it from others of that name.
  ///   - digest: of the files that define it.
  ///   - image: `[2, angle, delay]`.
  ///   - autoencoder: both sides.
  init(
    name: String, stem: String, identity: String, digest: String, image: Shape,
    autoencoder: Autoencoder
  ) {
    self.name = name
    compression = autoencoder.compression
    self.image = image
    self.autoencoder = autoencoder
    familyName = String(name.prefix { $0 != " " })
    variant = nil
    own = (stem, identity, digest)
  }

  /// Whether files of another program define it.
  public var isImported: Bool { variant == nil }

  /// The network whose 8-bit layers, if it has any, are real ones.
  package var unquantised: NetworkChoice {
    get throws(NetworkError) {
      guard let variant else { return self }
      let real = try variant.leavingOut(Set(LowPrecision.integers.map(\.key)))
      return try NetworkChoice(real, compression: compression, image: image)
    }
  }

  /// Start of the names of its files: `crnet-4`, for images other than the public one `crnet-13x32-4`.
  public var stem: String { stem(label: nil) }

  /// ``stem`` with the label of a training behind it.
  public func stem(label: String?) -> String {
    let size = image == .publicImage ? "" : "-\(image.imageSize)"
    let word = own.map { $0.stem } ?? "\(variant!.stem)\(size)-\(compression)"
    return word + (label.map { "-\($0)" } ?? "")
  }

  /// `1/4`, for images other than the public one `1/4 of 13x32`; `300 reals` where no n is whole.
  public var ratio: String {
    let length = autoencoder.codewordLength
    let isWhole = own == nil || image.count == compression * length
    return (isWhole ? "1/\(compression)" : "\(length) reals")
      + (image == .publicImage ? "" : " of \(image.imageSize)")
  }

  /// Name and ratio: `crnet 1/4`.
  public var title: String { "\(name) \(ratio)" }

  /// Key of ``metadata`` for the files that define a network which is not of a zoo.
  static let definitionKey = "definition"

  /// What a file of its weights says of it: `network`, `cr`, `image` unless it is the public one, and the digest of the files that define a
  /// network which is not of a zoo.
  var metadata: [String: String] {
    var texts = ["network": name, "cr": String(compression)]
    texts[Self.definitionKey] = own?.digest
    if image != .publicImage { texts["image"] = image.imageSize }
    return texts
  }

  /// Arguments of `csilink inspect`.
  var arguments: String {
    (name.contains(" ") ? "'\(name)'" : name) + " -c \(compression)"
      + (image == .publicImage ? "" : " --image \(image.imageSize)")
  }
}

extension NetworkChoice: Hashable {
  /// The same name, ratio and image, of the same files.
  public static func == (a: NetworkChoice, b: NetworkChoice) -> Bool {
    (a.name, a.compression, a.image, a.own?.identity)
      == (b.name, b.compression, b.image, b.own?.identity)
  }

  /// Hashes name, ratio and image.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(name)
    hasher.combine(compression)
    hasher.combine(image)
  }
}
