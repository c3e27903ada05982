import CKernels

/// A dense layer of signs, computed from its bits.
struct TileSigns: TileStep {
  let product: DenseProduct
  let source, target: Place
  private let signs: IntegerMemory<UInt32>
  private let scale: Float
  private let bias: FloatMemory

  init(
    _ product: DenseProduct, _ tensor: SignTensor, bias: FloatMemory, source: Place, target: Place
  ) {
    self.product = product
    self.source = source
    self.target = target
    self.bias = bias
    scale = tensor.scale
    signs = IntegerMemory(csk_sign_words(product.inputs, product.outputs))
    csk_sign_pack(
      product.inputs, product.outputs, tensor.bytes, product.isTransposed ? 1 : 0, signs.pointer)
  }

  var scratchCount: Int { csk_sign_scratch(product.inputs) }

  func run(_ memory: SampleMemory, count: Int, _ kernels: Kernels) {
    let rows = source.shape.count / product.inputs
    withUnsafeTemporaryAllocation(of: Float.self, capacity: scratchCount) { scratch in
      for sample in 0..<count {
        let x = memory.pointer(source.buffer) + sample * memory.strides[source.buffer] + source.base
        let y = memory.pointer(target.buffer) + sample * memory.strides[target.buffer] + target.base
        csk_sign_product(
          rows, product.outputs, product.inputs, x, product.inputs, signs.pointer, scale,
          bias.pointer, y, product.outputs, scratch.baseAddress!)
      }
    }
  }
}
