/// The keys of this program, which are those of the published checkpoints: CRNet, ACRNet, BCsiNet, TransNet, DCRNetV2.
enum PublicNames: ForeignNaming {
  static let family: String? = nil
  static let origin = "its published code"

  static func entries(
    _ choice: NetworkChoice, _ side: WeightsFile.Side, _ options: ForeignOptions
  ) -> [ForeignEntry]? {
    side.network(of: choice.autoencoder).parameters.map { ForeignEntry([$0.key], $0.key) }
  }
}
