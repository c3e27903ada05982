import LinkMath
import Networks
import Parts

/// The keys of methods that learn from a trained network.
enum TeacherKeys {
  static let weights = Parameter<FilePaths?>.optional(
    "method.teacher.weights", FilePaths.oneOrTwo,
    """
    Folder, file or two files of the trained network that distillation, encoder_distillation, vendor_distillation and sequential \
    learn from.
    """
  )
  static let network = Parameter<String?>.optional(
    "method.teacher.network", .text,
    "Its name, a family with settings or not; the network that is trained if left out.")
  static let label = Parameter<String?>.optional(
    "method.teacher.label", .text, "Its training.label, for weights in a folder.")
  static let compression = Parameter<Int?>.optional(
    "method.teacher.compression", .integer(1...Int.max),
    "Its compression n; that of the network that is trained if left out.")

  static let all = [
    weights.declaration, network.declaration, label.declaration, compression.declaration,
  ]

  /// What the settings say of the teacher.
  ///
  /// - Throws: `SettingsError` if they do not name its weights.
  static func source(_ settings: Settings) throws(SettingsError) -> TeacherSource {
    guard let weights = settings[weights] else {
      throw SettingsError(
        part: settings.part, key: Self.weights.key,
        reason: "is needed: the folder or file with the teacher's weights",
        hint: "write 'method: {type: distillation, teacher: {network: kd-crnet, weights: FOLDER}}'"
      )
    }
    return TeacherSource(
      weights: weights, network: settings[network], label: settings[label],
      compression: settings[compression])
  }
}

/// Where a trained network to learn from lies.
public struct TeacherSource: Sendable, Hashable {
  /// Folder or files of weights, relative to the scenario.
  public let weights: FilePaths
  /// Its name; nil for that of the network that is trained.
  public let network: String?
  /// Word of its training.
  public let label: String?
  /// Its n; nil for that of the network that is trained.
  public let compression: Int?

  /// The same with its paths changed.
  public func moved(_ transform: (String) throws -> String) rethrows -> TeacherSource {
    TeacherSource(
      weights: try weights.map(transform), network: network, label: label, compression: compression)
  }
}

/// A trained network that another one learns from.
public struct TrainedTeacher: Sendable {
  /// Name, ratio and image.
  public let network: NetworkChoice
  /// Of both sides.
  public let weights: Weights
  /// Of what was read, for the recipe.
  public let digest: String
  /// Laid out for inference.
  public let plan: Teacher

  /// Reads a teacher.
  ///
  /// - Parameters:
  ///   - source: where it lies, its paths made absolute.
  ///   - student: the network that is trained.
  ///   - normaliser: rule of the student's data.
  ///   - zoo: where its name is looked up.
  /// - Throws: `SettingsError` for a network that does not exist at the ratio, that cannot teach or was trained on
  ///   data of
  ///   another rule; `DataFileError` for its files.
  public init(
    _ source: TeacherSource, of student: NetworkChoice, normaliser: String,
    zoo: NetworkZoo = .standard
  ) throws {
    let part = TrainingSettings.schema.name
    func unfit(_ key: String, _ reason: String, hint: String? = nil) -> SettingsError {
      SettingsError(part: part, key: key, reason: reason, hint: hint)
    }
    do {
      network = try NetworkChoice(
        source.network ?? student.name, compression: source.compression ?? student.compression,
        image: student.image, zoo: zoo)
    } catch {
      let key = source.compression == nil ? TeacherKeys.network.key : TeacherKeys.compression.key
      throw unfit(key, "is unfit: \(error)", hint: "'csilink inspect' lists the networks")
    }
    guard network.autoencoder.decoder.graph.inputShapes.count == 1 else {
      throw unfit(
        TeacherKeys.network.key,
        "cannot be \(network.name): its decoder needs the codeword as it was before the feedback link"
      )
    }
    let files = try WeightsFile.both(source.weights.paths, network, label: source.label)
    let sides = [files.encoder, files.decoder]
    try files.decoder.requireTraining(of: files.encoder)
    for side in sides {
      guard let rule = side.normaliser, rule != normaliser else { continue }
      throw unfit(
        TeacherKeys.weights.key,
        "was trained with normaliser \(rule), but the student's data has \(normaliser)",
        hint: "write 'normaliser: \(rule)', or train the teacher with normaliser \(normaliser)")
    }
    weights = sides[0].weights.merging(sides[1].weights)
    digest = weights.digest
    do {
      plan = try Teacher(network.autoencoder, weights: weights)
    } catch {
      throw unfit(TeacherKeys.network.key, "cannot be \(network.name): \(error)")
    }
  }

  /// The teacher's decoder as that of a network.
  ///
  /// - Throws: `SettingsError` if the network's decoder has other parameters, or the codewords another length.
  func decoder(for student: NetworkChoice) throws(SettingsError) -> Weights {
    try requireLength(of: student)
    let own = student.autoencoder.decoder.parameters
    let theirs = network.autoencoder.decoder.parameters
    let same =
      own.count == theirs.count
      && zip(own, theirs).allSatisfy {
        $0.key == $1.key && $0.parameter.shape == $1.parameter.shape
      }
    guard same else {
      throw SettingsError(
        part: TrainingSettings.schema.name, key: TeacherKeys.network.key,
        reason: "\(network.title) has another decoder than \(student.title), which takes it over",
        hint: "train 'network: \"pair {encoder: \(student.name), decoder: \(network.name)}\"'")
    }
    var decoder = Weights()
    for (key, _) in own { decoder[key] = weights[key] }
    return decoder
  }

  private func requireLength(of student: NetworkChoice) throws(SettingsError) {
    let (own, theirs) = (student.autoencoder.codewordLength, network.autoencoder.codewordLength)
    guard own == theirs else {
      throw SettingsError(
        part: TrainingSettings.schema.name, key: TeacherKeys.compression.key,
        reason: "gives codewords of \(theirs) reals, but \(student.title) has \(own)")
    }
  }
}

extension Weights {
  /// SHA-256 of keys and values in the order of the keys.
  package var digest: String {
    var digest = Digest()
    for key in (Array(values.keys) + Array(packed.keys)).sorted() {
      Array(key.utf8).withUnsafeBytes { digest.update($0) }
      self[key]!.withUnsafeBytes { digest.update($0) }
    }
    return digest.finish()
  }
}
