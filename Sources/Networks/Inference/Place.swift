/// Where the values of a node lie for one sample: rows of a buffer, possibly surrounded by a halo of zeros.
///
/// Channel c, row r starts at `base + (k / rowsPerPlane) planeStride + (k % rowsPerPlane) pitch`, `k = c height + r`,
/// so that a map `[2, 32, 32]` and its view `[64, 1, 32]` share memory.
struct Place: Sendable {
  let buffer: Int
  let base: Int
  let rowsPerPlane: Int
  let planeStride: Int
  let pitch: Int
  let shape: Shape

  func rowOffset(_ channel: Int, _ row: Int = 0) -> Int {
    let k = channel * shape.height + row
    return base + k / rowsPerPlane * planeStride + k % rowsPerPlane * pitch
  }

  var channelOffsets: [Int] { (0..<shape.channels).map { rowOffset($0) } }

  /// No gaps between rows.
  var isContiguous: Bool { pitch == shape.width && planeStride == rowsPerPlane * pitch }

  /// Whether planes of so many rows each lie without gaps within.
  func holdsPlanes(_ height: Int) -> Bool {
    rowsPerPlane % height == 0 || planeStride == rowsPerPlane * pitch
  }

  /// Length and number of the pieces that element-wise passes handle.
  var runs: (length: Int, count: Int) {
    isContiguous
      ? (shape.count, 1) : (shape.width, shape.channels * shape.height)
  }

  func runOffset(_ index: Int) -> Int {
    isContiguous
      ? base : base + index / rowsPerPlane * planeStride + index % rowsPerPlane * pitch
  }

  /// The same rows with other channel and height axes.
  func viewed(as shape: Shape) -> Place {
    precondition(shape.width == self.shape.width || isContiguous)
    if shape.width == self.shape.width {
      return Place(
        buffer: buffer, base: base, rowsPerPlane: rowsPerPlane, planeStride: planeStride,
        pitch: pitch, shape: shape)
    }
    return Place(
      buffer: buffer, base: base, rowsPerPlane: shape.height,
      planeStride: shape.plane, pitch: shape.width, shape: shape)
  }

  /// Channels `first..<first + shape.channels` of this map.
  func channels(from first: Int, shape: Shape) -> Place {
    Place(
      buffer: buffer, base: rowOffset(first), rowsPerPlane: rowsPerPlane,
      planeStride: planeStride, pitch: pitch, shape: shape)
  }
}

/// Memory of an inference plan.
struct BufferPlan: Sendable {
  enum Kind: Sendable, Equatable {
    /// One sample at a time, reused for the next.
    case sample
    /// One slot for each sample of a tile.
    case tile
    case input(Int)
    case output(Int)
  }

  /// Layout class: buffers of one layout can take each other's memory, their halos being in the same places.
  struct Layout: Hashable, Sendable {
    let planes, rows, width, haloRows, haloColumns: Int

    var pitch: Int { width + 2 * haloColumns }
    var planeStride: Int { (rows + 2 * haloRows) * pitch }
    var count: Int { planes * planeStride }
  }

  let kind: Kind
  let layout: Layout
  /// Samples of a tile follow one another without a gap, so that their rows are those of one matrix.
  var isDense = false

  /// Floats between samples of a tile; padded, unless dense, so that samples do not share cache sets.
  var tileStride: Int { isDense ? layout.count : (layout.count + 15) / 16 * 16 + 16 }
}

/// Memory of one worker: a base and a stride between samples for every buffer.
struct SampleMemory {
  let bases: UnsafePointer<UnsafeMutablePointer<Float>>
  let strides: UnsafePointer<Int>
  var sample: Int

  func pointer(_ buffer: Int) -> UnsafeMutablePointer<Float> {
    bases[buffer] + sample * strides[buffer]
  }
}
