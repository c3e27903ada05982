import LinkMath
import Synchronization

/// A network laid out for inference: normalisation folded into convolutions, residuals and activations in their last
/// step, each sample taken through a whole convolution stack inside the cache, large dense layers over a tile of samples.
///
/// A sample's output has the same bits alone, in any batch and on any thread.
public final class InferencePlan: Sendable {
  /// Steps that run sample by sample, and one over the tile that follows them.
  struct Segment: Sendable {
    var steps: [any SampleStep] = []
    var last: (any TileStep)?
  }

  /// The network that is laid out.
  public let network: Network
  private let kernels: Kernels
  private let segments: [Segment]
  private let buffers: [BufferPlan]
  /// Offset of each per-sample buffer in a worker's arena.
  private let arenaOffsets: [Int]
  private let arenaCount: Int
  private let idle = Mutex<[WorkerMemory]>([])

  /// Samples of one tile: enough to use the weights of a dense layer many times once they are in the cache.
  static let tileSize = 50

  /// - Throws: ``NetworkError`` if a parameter is missing or of the wrong size, or if the network attends across
  ///   the batch.
  public convenience init(_ network: Network, weights: Weights) throws(NetworkError) {
    try self.init(network, weights: weights, kernels: .best)
  }

  init(_ network: Network, weights: Weights, kernels: Kernels) throws(NetworkError) {
    self.network = network
    self.kernels = kernels
    try weights.check(network)
    var builder = InferencePlanBuilder(network, weights, kernels)
    try builder.build()
    segments = builder.segments
    buffers = builder.buffers
    (arenaOffsets, arenaCount) = InferencePlan.arrange(builder.buffers, builder.segments)
  }

  /// Gives each per-sample buffer a place in the arena; buffers of one layout whose lives do not overlap share it.
  private static func arrange(_ buffers: [BufferPlan], _ segments: [Segment]) -> ([Int], Int) {
    var last = [Int](repeating: -1, count: buffers.count)
    let steps = segments.flatMap(\.steps)
    for (index, step) in steps.enumerated() { for buffer in step.buffers { last[buffer] = index } }
    var offsets = [Int](repeating: -1, count: buffers.count)
    var free: [BufferPlan.Layout: [Int]] = [:]
    var end = 0
    for (index, step) in steps.enumerated() {
      let used = Set(step.buffers).filter { buffers[$0].kind == .sample }.sorted()
      for buffer in used where offsets[buffer] < 0 {
        if let offset = free[buffers[buffer].layout]?.popLast() {
          offsets[buffer] = offset
        } else {
          offsets[buffer] = end
          end += (buffers[buffer].layout.count + 31) / 16 * 16
        }
      }
      for buffer in used where last[buffer] == index {
        free[buffers[buffer].layout, default: []].append(offsets[buffer])
      }
    }
    return (offsets, end)
  }

  /// Bytes of scratch memory of each thread that runs the plan.
  public var scratchBytes: Int {
    let tiles = buffers.filter { $0.kind == .tile }.reduce(0) { $0 + $1.tileStride }
    let hidden = segments.map { $0.last?.scratchCount ?? 0 }.max() ?? 0
    return MemoryLayout<Float>.stride * (arenaCount + tiles * InferencePlan.tileSize + hidden)
  }

  /// Scratch memory of one worker.
  private final class WorkerMemory: @unchecked Sendable {
    // Sendable: one worker uses it at a time.
    let arena: FloatMemory
    let tiles: [FloatMemory?]
    var bases: [UnsafeMutablePointer<Float>]
    var strides: [Int]

    init(_ plan: InferencePlan) {
      let arena = FloatMemory(plan.arenaCount)
      self.arena = arena
      tiles = plan.buffers.map {
        $0.kind == .tile ? FloatMemory($0.tileStride * InferencePlan.tileSize) : nil
      }
      bases = plan.buffers.indices.map { arena.pointer + max(plan.arenaOffsets[$0], 0) }
      strides = plan.buffers.map { $0.kind == .tile ? $0.tileStride : 0 }
      for (index, tile) in tiles.enumerated() { if let tile { bases[index] = tile.pointer } }
    }
  }

  /// Runs `count` samples on the calling thread.
  ///
  /// - Parameters:
  ///   - inputs: one pointer per input of the network, `[sample, ...]` row-major.
  ///   - count: number of samples.
  ///   - outputs: one pointer per output, written.
  public func run(
    _ inputs: [UnsafePointer<Float>], count: Int, into outputs: [UnsafeMutablePointer<Float>]
  ) {
    precondition(inputs.count == network.graph.inputs.count)
    precondition(outputs.count == network.graph.outputs.count)
    let memory = idle.withLock { $0.popLast() } ?? WorkerMemory(self)
    for start in stride(from: 0, to: count, by: InferencePlan.tileSize) {
      runTile(memory, inputs, start..<min(start + InferencePlan.tileSize, count), outputs)
    }
    idle.withLock { $0.append(memory) }
  }

  private func runTile(
    _ worker: WorkerMemory, _ inputs: [UnsafePointer<Float>], _ samples: Range<Int>,
    _ outputs: [UnsafeMutablePointer<Float>]
  ) {
    for (index, buffer) in buffers.enumerated() {
      switch buffer.kind {
      case .input(let number):
        let size = network.graph.inputShapes[number].count
        worker.bases[index] = UnsafeMutablePointer(
          mutating: inputs[number] + samples.lowerBound * size)
        worker.strides[index] = size
      case .output(let number):
        let size = network.graph.outputShapes[number].count
        worker.bases[index] = outputs[number] + samples.lowerBound * size
        worker.strides[index] = size
      case .sample, .tile: break
      }
    }
    worker.bases.withUnsafeBufferPointer { bases in
      worker.strides.withUnsafeBufferPointer { strides in
        var memory = SampleMemory(
          bases: bases.baseAddress!, strides: strides.baseAddress!, sample: 0)
        for segment in segments {
          for sample in 0..<samples.count {
            memory.sample = sample
            for step in segment.steps { step.run(memory, kernels) }
          }
          memory.sample = 0
          segment.last?.run(memory, count: samples.count, kernels)
        }
      }
    }
  }

  /// Runs `count` samples, divided over a pool.
  public func run(_ inputs: [[Float]], count: Int, pool: WorkerPool) -> [[Float]] {
    for (values, shape) in zip(inputs, network.graph.inputShapes) {
      precondition(values.count == count * shape.count, "inputs hold `count` samples")
    }
    let perWorker = (count + pool.threadCount - 1) / pool.threadCount
    let parts = max(1, (perWorker + InferencePlan.tileSize - 1) / InferencePlan.tileSize)
    let tasks = parts * pool.threadCount
    return InferencePlan.withMemory(inputs, network.graph.outputShapes.map { count * $0.count }) {
      memory in
      pool.forEach(tasks) { task, _ in
        let range = count * task / tasks..<count * (task + 1) / tasks
        guard !range.isEmpty else { return }
        self.run(
          zip(memory.inputs, self.network.graph.inputShapes).map {
            $0 + range.lowerBound * $1.count
          }, count: range.count,
          into: zip(memory.outputs, self.network.graph.outputShapes).map {
            $0 + range.lowerBound * $1.count
          })
      }
    }
  }

  /// Memory of the caller's inputs and of the outputs.
  private struct BatchMemory: @unchecked Sendable {
    // Sendable: tasks write disjoint samples.
    var inputs: [UnsafePointer<Float>] = []
    var outputs: [UnsafeMutablePointer<Float>] = []
  }

  /// Arrays of the given sizes that `body` fills.
  private static func withMemory(
    _ inputs: [[Float]], _ sizes: [Int], _ memory: BatchMemory = BatchMemory(),
    _ body: (BatchMemory) -> Void
  ) -> [[Float]] {
    var memory = memory
    if memory.inputs.count < inputs.count {
      return inputs[memory.inputs.count].withUnsafeBufferPointer {
        memory.inputs.append($0.baseAddress ?? UnsafePointer(bitPattern: 64)!)
        return withMemory(inputs, sizes, memory, body)
      }
    }
    guard let size = sizes.dropFirst(memory.outputs.count).first else {
      body(memory)
      return []
    }
    var rest: [[Float]] = []
    let first = [Float](unsafeUninitializedCapacity: max(size, 1)) { buffer, count in
      memory.outputs.append(buffer.baseAddress!)
      rest = withMemory(inputs, sizes, memory, body)
      count = size
    }
    return [first] + rest
  }
}
