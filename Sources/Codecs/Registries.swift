import Parts

/// Every codec a scenario can name: each a ``CodewordCodec`` or, if it makes reports of its own, ``Reporting``.
public enum CodecRegistry {
  /// The codecs, in the order in which `csilink list` shows them.
  public static let codecs: [any Part.Type] = [
    UncompressedCodec.self, PCACodec.self, CompressedSensingCodec.self, DFTSelectionCodec.self,
    NeuralCodec.self,
    ONNXCodec.self, ProcessCodec.self,
    TypeISinglePanel.self, DifferentialCodec.self, RandomCodebook.self,
  ]
}
