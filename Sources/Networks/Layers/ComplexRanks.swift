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

  public func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let ranks = sample.inputs[0].count / pitch
    let (x, y) = (Ranks(sample.inputs[0].baseAddress!, image), output.baseAddress!)
    withScratch(ranks * image.width) { negative in
      for e in 0..<ranks {
        for j in 0..<image.width {
          negative[e * image.width + j] = -x.columnImaginary[e * pitch + j]
        }
      }
      func add(
        _ d: UnsafePointer<Float>, _ a: UnsafePointer<Float>, _ step: Int, to channel: Int,
        adding: Bool
      ) {
        multiplySmall(
          m: image.height, n: image.width, k: ranks, d, lda: pitch, .transpose, a, ldb: step,
          into: y + channel * image.plane, ldc: image.width, adding: adding)
      }
      add(x.rowReal, x.columnReal, pitch, to: 0, adding: false)
      add(x.rowImaginary, x.columnImaginary, pitch, to: 0, adding: true)
      add(x.rowImaginary, x.columnReal, pitch, to: 1, adding: false)
      add(x.rowReal, negative, image.width, to: 1, adding: true)
    }
  }

  /// With G the gradient as a complex map, `∂d = G a` and `∂a = Gᴴ d`.
  public func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    let (ranks, plane) = (sample.inputs[0].count / pitch, image.plane)
    let (rows, columns) = (image.height, image.width)
    let x = Ranks(sample.inputs[0].baseAddress!, image)
    let dx = Ranks(inputs[0].baseAddress!, image)
    withScratch(4 * plane) { memory in
      let g = gradient.baseAddress!
      let (real, imaginary) = (memory, memory + plane)
      let (negative, flipped) = (memory + 2 * plane, memory + 3 * plane)
      Kernels.best.table.transpose(g, columns, rows, columns, real, rows)
      Kernels.best.table.transpose(g + plane, columns, rows, columns, imaginary, rows)
      for i in 0..<plane {
        negative[i] = -imaginary[i]
        flipped[i] = -g[plane + i]
      }
      func add(
        _ factor: UnsafePointer<Float>, _ map: UnsafePointer<Float>, _ sizes: (Int, Int),
        to target: UnsafePointer<Float>, adding: Bool
      ) {
        multiplySmall(
          m: ranks, n: sizes.1, k: sizes.0, factor, lda: pitch, .none, map, ldb: sizes.1,
          into: UnsafeMutablePointer(mutating: target), ldc: pitch, adding: adding)
      }
      let (toRows, toColumns) = ((columns, rows), (rows, columns))
      add(x.columnReal, real, toRows, to: dx.rowReal, adding: false)
      add(x.columnImaginary, negative, toRows, to: dx.rowReal, adding: true)
      add(x.columnImaginary, real, toRows, to: dx.rowImaginary, adding: false)
      add(x.columnReal, imaginary, toRows, to: dx.rowImaginary, adding: true)
      add(x.rowReal, g, toColumns, to: dx.columnReal, adding: false)
      add(x.rowImaginary, g + plane, toColumns, to: dx.columnReal, adding: true)
      add(x.rowImaginary, g, toColumns, to: dx.columnImaginary, adding: false)
      add(x.rowReal, flipped, toColumns, to: dx.columnImaginary, adding: true)
    }
  }

  /// Where the parts of the first rank start.
  private struct Ranks {
    let rowReal, rowImaginary, columnReal, columnImaginary: UnsafePointer<Float>

    init(_ start: UnsafePointer<Float>, _ image: Shape) {
      rowReal = start
      rowImaginary = start + image.height
      columnReal = start + 2 * image.height
      columnImaginary = start + 2 * image.height + image.width
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

  /// One rank without its gate.
  private func expand(
    _ sample: CustomSample, _ rank: Int, _ parts: ArraySlice<(start: Int, count: Int)>,
    into target: UnsafeMutablePointer<Float>
  ) {
    let code = sample.inputs[0].baseAddress! + rank * size
    for index in parts.indices {
      let (start, count) = parts[index]
      csk_product_few_rows(
        1, count, size, code, size,
        sample.parameters[index].baseAddress! + rank * size * count, count, target + start, count,
        0)
    }
  }

  func forward(_ sample: CustomSample, into output: UnsafeMutableBufferPointer<Float>) {
    let parts = parts[...]
    for rank in 0..<ranks {
      let target = output.baseAddress! + rank * pitch
      expand(sample, rank, parts, into: target)
      let gate = sample.inputs[1][rank]
      for i in 0..<2 * image.height { target[i] *= gate }
    }
  }

  func backward(
    _ sample: CustomSample, gradient: UnsafeBufferPointer<Float>,
    inputs: [UnsafeMutableBufferPointer<Float>], parameters: [UnsafeMutableBufferPointer<Float>]
  ) {
    let table = Kernels.best.table
    let (rows, parts) = (2 * image.height, parts)
    withScratch(2 * pitch) { memory in
      let (values, scaled) = (memory, memory + pitch)
      for rank in 0..<ranks {
        let source = gradient.baseAddress! + rank * pitch
        expand(sample, rank, parts[..<2], into: values)
        inputs[1][rank] = table.dot(source, values, rows)
        let gate = sample.inputs[1][rank]
        for i in 0..<rows { scaled[i] = gate * source[i] }
        for i in rows..<pitch { scaled[i] = source[i] }
        for q in 0..<size {
          let code = sample.inputs[0][rank * size + q]
          var sum: Float = 0
          for (index, (start, count)) in parts.enumerated() {
            let offset = (rank * size + q) * count
            sum += table.dot(
              sample.parameters[index].baseAddress! + offset, scaled + start, count)
            table.axpy(
              code, scaled + start, parameters[index].baseAddress! + offset, count)
          }
          inputs[0][rank * size + q] = sum
        }
      }
    }
  }
}
