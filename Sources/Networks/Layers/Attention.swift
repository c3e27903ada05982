/// The parameter-free core of multi-head attention on projected tokens.
///
/// Inputs are either one packed signal `[token, 3 d]` (query, key, value) or two, `[token, d]` and `[token, 2 d]`.
/// Each head computes `softmax(Q Kᵀ / sqrt(d / heads)) V`.
public struct AttentionProduct: Sendable {
  let heads: Int
  let dimension: Int
  /// Sequences run along the batch, one per token position, as the released TransNet code does.
  let acrossBatch: Bool
}

/// Multi-head attention with packed projections, Vaswani et al. 2017.
///
/// `in_proj_weight` `[3 d, d]` holds the query, key and value projections in this order.
public struct MultiHeadAttention: Module {
  let core: AttentionProduct
  let inputWeight: NetworkParameter
  let inputBias: NetworkParameter
  let output: Dense

  init(_ dimension: Int, heads: Int, acrossBatch: Bool) {
    precondition(dimension % heads == 0)
    core = AttentionProduct(heads: heads, dimension: dimension, acrossBatch: acrossBatch)
    inputWeight = NetworkParameter(
      [3 * dimension, dimension], .xavierUniform(fanIn: dimension, fanOut: 3 * dimension))
    inputBias = NetworkParameter([3 * dimension], .constant(0))
    output = Dense(dimension, dimension, zeroBias: true)
  }

  public var children: [Child] { [("out_proj", output)] }
  public var parameters: [(key: String, parameter: NetworkParameter)] {
    [("in_proj_weight", inputWeight), ("in_proj_bias", inputBias)]
  }
  public var summary: String {
    "MultiHeadAttention(\(core.dimension), heads \(core.heads)"
      + (core.acrossBatch ? ", across the batch)" : ")")
  }

  private func projection(_ first: Int, _ count: Int) -> DenseProduct {
    let d = core.dimension
    return DenseProduct(
      weight: inputWeight, bias: inputBias, inputs: d, outputs: count * d, firstRow: first * d,
      isTransposed: false)
  }

  /// Attention of `x`'s tokens to themselves.
  func callAsFunction(_ x: Signal) -> Signal {
    output(projection(0, 3).applied(to: x).applying(.attention(core), shape: x.shape))
  }

  /// Attention of `x`'s tokens to those of `memory`.
  func callAsFunction(_ x: Signal, memory: Signal) -> Signal {
    let query = projection(0, 1).applied(to: x)
    let pair = projection(1, 2).applied(to: memory)
    return output(query.applying(.attention(core), [pair], shape: x.shape))
  }
}
