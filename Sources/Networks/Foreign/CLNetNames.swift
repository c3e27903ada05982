/// CLNet as published: the sides in files of their own, without the name of the side before the keys.
enum CLNetNames: ForeignNaming {
  static let family: String? = "clnet"
  static let origin = "the authors' checkpoints of one side"

  static func entries(
    _ choice: NetworkChoice, _ side: WeightsFile.Side, _ options: ForeignOptions
  ) -> [ForeignEntry]? {
    side.network(of: choice.autoencoder).parameters.map { key, _ in
      ForeignEntry([String(key.dropFirst("\(side.rawValue).".count))], key)
    }
  }
}
