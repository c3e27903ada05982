import Parts

/// Every quantiser a scenario can name.
public enum QuantizerRegistry {
  /// The quantisers, in the order in which `csilink list` shows them.
  public static let quantizers: [any (Quantizer & Part).Type] = [
    NoQuantizer.self, UniformQuantizer.self, LloydMaxQuantizer.self,
  ]
}
