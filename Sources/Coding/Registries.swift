import Parts

/// Every quantiser a scenario can name.
public enum QuantizerRegistry {
  /// The quantisers, in the order in which `csilink list` shows them.
  public static let quantizers: [any (Quantizer & Part).Type] = [
    NoQuantizer.self, UniformQuantizer.self, LloydMaxQuantizer.self, MuLawQuantizer.self,
    RoundQuantizer.self, KMeansQuantizer.self, PrefixQuantizer.self, VectorQuantizer.self,
    TrainedQuantizer.self,
  ]
}

/// Every symbol coder a scenario can name.
public enum CoderRegistry {
  /// The coders, in the order in which `csilink list` shows them.
  public static let coders: [any (SymbolCoder & Part).Type] = [
    FixedWidthCoder.self, RangeCoder.self,
  ]
}
