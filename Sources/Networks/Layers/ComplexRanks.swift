import CKernels
import LinkMath

/// A complex map from rank-one terms, `S = sum over e of d_e a_eᴴ`, d on the rows and a on the columns.
///
/// Reads `[rank, 2 (rows + columns)]`, each rank as `[Re d, Im d, Re a, Im a]`; gives `[2, row, column]`, real and imaginary part.
public struct OuterProductSum: Layer, CustomOperation {
  /// The map, `[2, row, column]`.
  public let image: Shape

  /// Terms of a map `[2, row, column]`.
  public init(_ image: Shape) {
    precondition(image.channels == 2, "a complex map has two planes")
    self.image = image
  }

  public var summary: String { "sum of complex outer products" }
  public func callAsFunction(_ x: Signal) -> Signal { x.applying(self) }

  /// Values of one rank.
  var pitch: Int { 2 * (image.height + image.width) }

  public func outputShape(_ inputs: [Shape]) -> Shape {
    precondition(inputs.count == 1 && inputs[0].width == pitch, "\(inputs) for ranks of \(image)")
    return image
  }

  /// Four real products for each rank and place.
  public func costs(_ inputs: [Shape]) -> Costs {
    Costs(products: 4 * inputs[0].count / pitch * image.plane)
  }

  /// With D = [Re d, Im d] and D' = [Im d, -Re d] the planes are `Dᵀ Re a + D'ᵀ Im a`, both below each other.
  public func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let (ranks, rows) = (sample.inputs[0].count / pitch, image.height)
    let (x, y) = (sample.inputs[0].baseAddress!, output.baseAddress!)
    withScratch(ranks * 2 * rows) { turned in
      for e in 0..<ranks {
        let (d, target) = (x + e * pitch, turned + e * 2 * rows)
        for i in 0..<rows { (target[i], target[rows + i]) = (d[rows + i], -d[i]) }
      }
      multiplySmall(
        m: 2 * rows, n: image.width, k: ranks, x, lda: pitch, .transpose, x + 2 * rows, ldb: pitch,
        into: y, ldc: image.width)
      multiplySmall(
        m: 2 * rows, n: image.width, k: ranks, turned, lda: 2 * rows, .transpose,
        x + 2 * rows + image.width, ldb: pitch, into: y, ldc: image.width, adding: true)
    }
  }

  /// With G the gradient as a complex map, `∂d = G a` and `∂a = Gᴴ d`: real and imaginary parts side by side times
  /// `[[Re Gᵀ, Im Gᵀ], [-Im Gᵀ, Re Gᵀ]]` and `[[Re G, -Im G], [Im G, Re G]]`.
  public func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    let (ranks, plane) = (sample.inputs[0].count / pitch, image.plane)
    let (rows, columns) = (image.height, image.width)
    let (x, dx) = (sample.inputs[0].baseAddress!, inputs[0].baseAddress!)
    let (real, imaginary) = (gradient.baseAddress!, gradient.baseAddress! + plane)
    withScratch(8 * plane) { memory in
      let (forRows, forColumns) = (memory, memory + 4 * plane)
      for (map, place) in [(real, 0), (imaginary, rows)] {
        Kernels.best.table.transpose(map, columns, rows, columns, forRows + place, 2 * rows)
      }
      for j in 0..<columns {
        let (first, second) = (forRows + j * 2 * rows, forRows + (columns + j) * 2 * rows)
        for i in 0..<rows { (second[i], second[rows + i]) = (-first[rows + i], first[i]) }
      }
      for i in 0..<rows {
        let (first, second) = (
          forColumns + i * 2 * columns, forColumns + (rows + i) * 2 * columns
        )
        let (re, im) = (real + i * columns, imaginary + i * columns)
        for j in 0..<columns {
          (first[j], first[columns + j]) = (re[j], -im[j])
          (second[j], second[columns + j]) = (im[j], re[j])
        }
      }
      multiplySmall(
        m: ranks, n: 2 * rows, k: 2 * columns, x + 2 * rows, lda: pitch, .none, forRows,
        ldb: 2 * rows, into: dx, ldc: pitch)
      multiplySmall(
        m: ranks, n: 2 * columns, k: 2 * rows, x, lda: pitch, .none, forColumns,
        ldb: 2 * columns, into: dx + 2 * rows, ldc: pitch)
    }
  }
}

/// Rank-one terms from short codes: rank e multiplies its code of q values by four matrices of its own, `Re d = g_e w_e W_e`, likewise
/// `Im d`, `Re a = w_e W_e` and `Im a`, the gate g on the rows only.
///
/// Reads codes `[rank, q]` and gates `[rank]`, gives what ``OuterProductSum`` reads. Matrices `[rank, q, rows or columns]`.
struct RankExpansion: Layer, CustomOperation {
  let image: Shape
  let ranks, size: Int
  /// Re d, Im d, Re a, Im a.
  let matrices: [NetworkParameter]

  /// - Parameters:
  ///   - image: `[2, row, column]`.
  ///   - ranks: number of terms.
  ///   - size: values q of a code.
  init(_ image: Shape, ranks: Int, size: Int) {
    self.image = image
    self.ranks = ranks
    self.size = size
    matrices = [image.height, image.height, image.width, image.width].map {
      NetworkParameter(
        [ranks, size, $0], .normal(standardDeviation: 1 / Double(size).squareRoot()))
    }
  }

  var summary: String { "\(ranks) ranks of codes of \(size)" }
  var parameters: [(key: String, parameter: NetworkParameter)] {
    Array(zip(["W_d_re", "W_d_im", "W_a_re", "W_a_im"], matrices)).map { ($0.0, $0.1) }
  }
  var reads: [NetworkParameter] { matrices }

  /// Codes, all gates being 1.
  func callAsFunction(_ x: Signal) -> Signal { preconditionFailure("ranks have gates") }

  /// The terms of codes with their gates.
  func callAsFunction(_ codes: Signal, gates: Signal) -> Signal { codes.applying(self, [gates]) }

  private var pitch: Int { 2 * (image.height + image.width) }
  /// First value and length of the parts of a rank.
  private var parts: [(start: Int, count: Int)] {
    let (rows, columns) = (image.height, image.width)
    return [(0, rows), (rows, rows), (2 * rows, columns), (2 * rows + columns, columns)]
  }

  func outputShape(_ inputs: [Shape]) -> Shape {
    precondition(
      inputs == [Shape(1, ranks, size), .vector(ranks)], "codes and gates, not \(inputs)")
    return Shape(1, ranks, pitch)
  }

  func costs(_ inputs: [Shape]) -> Costs { Costs(products: ranks * size * pitch) }

  func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    for rank in 0..<ranks {
      let target = output.baseAddress! + rank * pitch
      let code = sample.inputs[0].baseAddress! + rank * size
      for (index, (start, count)) in parts.enumerated() {
        csk_product_few_rows(
          1, count, size, code, size,
          sample.parameters[index].baseAddress! + rank * size * count, count, target + start,
          count, 0)
      }
      let gate = sample.inputs[1][rank]
      for i in 0..<2 * image.height { target[i] *= gate }
    }
  }

  /// With r and c what the rows and the columns of a rank give back to its code w without the gate g: `∂w = g r + c` and `∂g = wᵀ r`.
  func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    let (table, parts) = (Kernels.best.table, parts)
    withScratch(2 * size) { memory in
      let (fromRows, gated) = (memory, memory + size)
      for rank in 0..<ranks {
        let source = gradient.baseAddress! + rank * pitch
        let code = sample.inputs[0].baseAddress! + rank * size
        let codeGradient = inputs[0].baseAddress! + rank * size
        let gate = sample.inputs[1][rank]
        for q in 0..<size { (fromRows[q], codeGradient[q], gated[q]) = (0, 0, gate * code[q]) }
        for (index, (start, count)) in parts.enumerated() {
          let (isRows, offset) = (start < 2 * image.height, rank * size * count)
          table.dot_rows(
            source + start, sample.parameters[index].baseAddress! + offset, count, size, count,
            isRows ? fromRows : codeGradient)
          csk_product_few_rows(
            size, count, 1, isRows ? UnsafePointer(gated) : code, 1, source + start, count,
            parameters[index].baseAddress! + offset, count, 1)
        }
        inputs[1][rank] = table.dot(code, fromRows, size)
        table.axpy(gate, fromRows, codeGradient, size)
      }
    }
  }
}
