extension Weights {
  /// The weight of a layer replaced by `alpha sign(W)`, `alpha = mean |W|`, sign(0) = 1
  /// (M. Rastegari et al., XNOR-Net: ImageNet Classification Using Binary Convolutional Neural Networks, 2016).
  public func binarizing(_ key: String) throws(NetworkError) -> (weights: Weights, alpha: Float) {
    guard let weight = values[key] else { throw .missingTensor(key) }
    let alpha = Float(weight.reduce(0.0) { $0 + Double(abs($1)) } / Double(weight.count))
    var result = self
    result[key] = weight.map { $0 < 0 ? -alpha : alpha }
    return (result, alpha)
  }
}
