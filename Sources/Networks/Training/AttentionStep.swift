import LinkMath

/// Scaled dot-product attention on projected tokens.
final class AttentionStep: Step, @unchecked Sendable {
  // Sendable: a task writes one sequence, scratch memory is per worker.
  private let core: AttentionProduct
  private let query: Consumer
  /// Keys and values, the query's own view if packed.
  private let memory: Consumer?
  private let output: View
  private let tokens: Int
  /// Attention weights of every sequence and head, kept for the backward pass.
  private let weights: FloatMemory
  private let scratch: [FloatMemory]

  init(
    _ core: AttentionProduct, _ query: View, memory: View?, _ output: View, batch: Int,
    workers: Int
  ) {
    self.core = core
    self.query = Consumer(query)
    self.memory = memory.map { Consumer($0) }
    self.output = output
    tokens = query.shape.height
    let length = core.acrossBatch ? batch : tokens
    let sequences = core.acrossBatch ? tokens : batch
    weights = FloatMemory(sequences * core.heads * length * length)
    scratch = (0..<workers).map { _ in FloatMemory(length * length) }
  }

  private func length(_ run: Run) -> Int { core.acrossBatch ? run.count : tokens }
  private func sequences(_ run: Run) -> Int { core.acrossBatch ? tokens : run.count }

  func forwardTasks(_ run: Run) -> Int? { sequences(run) }
  func backwardTasks(_ run: Run) -> Int? { sequences(run) }

  /// Start and pitch of the rows of one sequence in an array of `width` values per token.
  private func rows(
    _ base: UnsafeMutablePointer<Float>, _ sequence: Int, width: Int
  ) -> (start: UnsafeMutablePointer<Float>, pitch: Int) {
    core.acrossBatch
      ? (base + sequence * width, tokens * width) : (base + sequence * tokens * width, width)
  }

  private struct Rows {
    let query, key, value: UnsafeMutablePointer<Float>
    let queryPitch, memoryPitch: Int
  }

  private func projections(
    _ sequence: Int, _ select: (View) -> UnsafeMutablePointer<Float>
  ) -> Rows {
    let d = core.dimension
    let q = rows(select(query.view), sequence, width: query.view.shape.width)
    guard let memory else {
      return Rows(
        query: q.start, key: q.start + d, value: q.start + 2 * d, queryPitch: q.pitch,
        memoryPitch: q.pitch)
    }
    let m = rows(select(memory.view), sequence, width: 2 * d)
    return Rows(
      query: q.start, key: m.start, value: m.start + d, queryPitch: q.pitch, memoryPitch: m.pitch)
  }

  func forward(_ run: Run, block sequence: Int, worker: Int) {
    let n = length(run)
    let size = core.dimension / core.heads
    let parts = projections(sequence) { $0.data(0) }
    let target = rows(output.data(0), sequence, width: core.dimension)
    for head in 0..<core.heads {
      let p = weights.pointer + (sequence * core.heads + head) * n * n
      MatrixProduct.multiply(
        m: n, n: n, k: size, parts.query + head * size, lda: parts.queryPitch, .none,
        parts.key + head * size, ldb: parts.memoryPitch, .transpose, into: p, ldc: n)
      for row in 0..<n {
        softmax(run.kernels, p + row * n, n, scale: 1 / Float(size).squareRoot())
      }
      MatrixProduct.multiply(
        m: n, n: size, k: n, p, lda: n, .none, parts.value + head * size, ldb: parts.memoryPitch,
        into: target.start + head * size, ldc: target.pitch)
    }
  }

  func prepareBackward(_ run: Run) {
    // Heads write their own columns of gradients that are not accumulated elsewhere.
    precondition(
      query.isFirstInBackward && (memory?.isFirstInBackward ?? true),
      "projections feed one attention only")
  }

  func backward(_ run: Run, block sequence: Int, worker: Int) {
    guard output.wantsGradient else { return }
    let n = length(run)
    let size = core.dimension / core.heads
    let scale = 1 / Float(size).squareRoot()
    let parts = projections(sequence) { $0.data(0) }
    let gradients = projections(sequence) { $0.gradient(0) }
    let dy = rows(output.gradient(0), sequence, width: core.dimension)
    let ds = scratch[worker].pointer
    for head in 0..<core.heads {
      let p = weights.pointer + (sequence * core.heads + head) * n * n
      let shift = head * size
      MatrixProduct.multiply(
        m: n, n: size, k: n, p, lda: n, .transpose, dy.start + shift, ldb: dy.pitch,
        into: gradients.value + shift, ldc: gradients.memoryPitch)
      MatrixProduct.multiply(
        m: n, n: n, k: size, dy.start + shift, lda: dy.pitch, .none, parts.value + shift,
        ldb: parts.memoryPitch, .transpose, into: ds, ldc: n)
      for row in 0..<n {
        let (weight, gradient) = (p + row * n, ds + row * n)
        let mean = run.kernels.table.dot(weight, gradient, n)
        for i in 0..<n { gradient[i] = scale * weight[i] * (gradient[i] - mean) }
      }
      MatrixProduct.multiply(
        m: n, n: size, k: n, ds, lda: n, .none, parts.key + shift, ldb: parts.memoryPitch,
        into: gradients.query + shift, ldc: gradients.queryPitch)
      MatrixProduct.multiply(
        m: n, n: size, k: n, ds, lda: n, .transpose, parts.query + shift, ldb: parts.queryPitch,
        into: gradients.key + shift, ldc: gradients.memoryPitch)
    }
  }
}

/// x <- softmax(scale x).
func softmax(_ kernels: Kernels, _ x: UnsafeMutablePointer<Float>, _ count: Int, scale: Float) {
  var largest = -Float.infinity
  for i in 0..<count {
    x[i] *= scale
    largest = max(largest, x[i])
  }
  let factor = 1 / kernels.table.exp_sum(x, x, count, largest)
  for i in 0..<count { x[i] *= factor }
}
