/// BCsiNet trained in floating point, whose dense layer at the UE has the name that it has in CRNet.
enum BCsiNetNames: ForeignNaming {
  static let family: String? = "bcsinet"
  static let origin = "checkpoints without a binary layer"

  static func entries(
    _ choice: NetworkChoice, _ side: WeightsFile.Side, _ options: ForeignOptions
  ) -> [ForeignEntry]? {
    side.network(of: choice.autoencoder).parameters.map { key, _ in
      ForeignEntry([key.replacing("encoder_binary_fc.", with: "encoder_fc.")], key)
    }
  }
}
