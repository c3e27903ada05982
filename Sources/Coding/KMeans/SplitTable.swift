import CKernels

/// Running sums at the vertices that boundaries may lie at.
struct Vertices {
  /// Of weight times distance from the mean, before each vertex.
  let sums: UnsafeBufferPointer<Double>
  /// Of weight.
  let weights: UnsafeBufferPointer<Double>
}

/// The layers of the dynamic programme: `F_k(v) = min over u of F_{k-1}(u) - (S_v - S_u)² / (W_v - W_u)`, the least error of
/// k runs up to vertex v less the energy of all points before it, for v in the k-th window.
///
/// Vertex costs are allowed: a boundary at v earns `penalties[v]`, which leaves the minimisers monotone. Runs may be
/// empty. Windows ascend: neither their lower nor their upper ends ever go down.
struct SplitTable {
  private let windows: [ClosedRange<Int>]
  /// Where the layer of each window starts below.
  private var offsets: [Int] = []
  private var values: [Double]
  /// The minimiser of each vertex.
  private var choices: [Int32]

  /// - Parameters:
  ///   - windows: K + 1 of them; the first holds the first vertex only.
  ///   - penalties: what a boundary at each vertex earns; the last layer has none.
  init(_ vertices: Vertices, windows: [ClosedRange<Int>], penalties: [Double]?) {
    self.windows = windows
    var size = 0
    for window in windows {
      offsets.append(size)
      size += window.count
    }
    values = [Double](repeating: 0, count: size)
    choices = [Int32](repeating: 0, count: size)
    values.withUnsafeMutableBufferPointer { values in
      choices.withUnsafeMutableBufferPointer { choices in
        for k in 1..<windows.count {
          let (columns, rows) = (windows[k - 1], windows[k])
          let layer = Layer(
            sums: vertices.sums.baseAddress!, weights: vertices.weights.baseAddress!,
            previous: values.baseAddress! + offsets[k - 1] - columns.lowerBound,
            values: values.baseAddress! + offsets[k] - rows.lowerBound,
            choices: choices.baseAddress! + offsets[k] - rows.lowerBound, isForward: true)
          layer.solve(rows.lowerBound, rows.upperBound, columns.lowerBound, columns.upperBound)
          guard let penalties, k < windows.count - 1 else { continue }
          for row in rows { values[offsets[k] + row - rows.lowerBound] -= penalties[row] }
        }
      }
    }
  }

  /// The least value of a layer at a vertex of its window.
  func value(layer: Int, vertex: Int) -> Double {
    values[offsets[layer] + vertex - windows[layer].lowerBound]
  }

  /// The vertices of the best path to the end of the last window, from the first vertex.
  func boundaries() -> [Int] {
    var path = [windows[windows.count - 1].upperBound]
    for k in stride(from: windows.count - 1, to: 0, by: -1) {
      path.append(Int(choices[offsets[k] + path[path.count - 1] - windows[k].lowerBound]))
    }
    return path.reversed()
  }

  /// The same from the other end: the best way from each vertex of a window to the last one, in the layers' order.
  static func backward(
    _ vertices: Vertices, windows: [ClosedRange<Int>], penalties: [Double]
  ) -> [[Double]] {
    var layers = [[Double]](repeating: [0], count: windows.count)
    for k in stride(from: windows.count - 2, to: 0, by: -1) {
      let (columns, rows) = (windows[k + 1], windows[k])
      var values = [Double](repeating: 0, count: rows.count)
      var choices = [Int32](repeating: 0, count: rows.count)
      layers[k + 1].withUnsafeMutableBufferPointer { previous in
        values.withUnsafeMutableBufferPointer { values in
          choices.withUnsafeMutableBufferPointer { choices in
            Layer(
              sums: vertices.sums.baseAddress!, weights: vertices.weights.baseAddress!,
              previous: previous.baseAddress! - columns.lowerBound,
              values: values.baseAddress! - rows.lowerBound,
              choices: choices.baseAddress! - rows.lowerBound, isForward: false
            ).solve(rows.lowerBound, rows.upperBound, columns.lowerBound, columns.upperBound)
          }
        }
      }
      for row in rows { values[row - rows.lowerBound] -= penalties[row] }
      layers[k] = values
    }
    return layers
  }
}

/// One layer: the minima of the rows of a totally monotone matrix. Pointers are shifted so that vertices index them.
private struct Layer {
  let sums, weights: UnsafePointer<Double>
  let previous: UnsafePointer<Double>
  let values: UnsafeMutablePointer<Double>
  let choices: UnsafeMutablePointer<Int32>
  /// Whether columns lie before their rows.
  let isForward: Bool

  /// The middle row first; the rows on either side then need the columns on either side of its minimiser only.
  func solve(_ firstRow: Int, _ lastRow: Int, _ firstColumn: Int, _ lastColumn: Int) {
    guard firstRow <= lastRow else { return }
    let row = (firstRow + lastRow) / 2
    let first = isForward ? firstColumn : max(firstColumn, row)
    let last = isForward ? min(lastColumn, row) : lastColumn
    var (least, place) = (0.0, 0)
    csk_least_split(
      previous + first, sums + first, weights + first, last - first + 1, sums[row], weights[row],
      &least, &place)
    values[row] = least
    choices[row] = Int32(truncatingIfNeeded: first + place)
    solve(firstRow, row - 1, firstColumn, first + place)
    solve(row + 1, lastRow, first + place, lastColumn)
  }
}
