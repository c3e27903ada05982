import LinkMath

/// Principal components of complex maps between r directions over the delays, the largest eigenvectors U of what all angles have in
/// common: `Z = H U`, `[component of the map, angle, r]`, has the eigenvectors E, and the map `Z Uᵀ` is made of them.
struct RankComponents {
  private let image: Shape
  /// Rows U, `[r, delay]`.
  let delays: [[Float]]
  /// Rows E, `[component, 2 angles r]`.
  private let vectors: [[Double]]
  private let values: [Double]

  /// Directions r.
  var ranks: Int { delays.count }
  var count: Int { vectors.count }
  /// Energy of the components, `E ‖c‖²`.
  var energy: Float { Float(values.reduce(0) { $0 + max($1, 0) }) }

  /// - Parameters:
  ///   - image: `[2, angle, delay]`.
  ///   - moment: second moment of its values, row-major, of which the lower triangle is read.
  ///   - ranks: directions, of which there are no more than delays.
  ///   - count: components, of which there are no more than values between the directions.
  /// - Complexity: O(n² r) for n values of an image, and that of the eigenvectors.
  init(_ image: Shape, _ moment: [Double], ranks: Int, count: Int) throws {
    self.image = image
    let (rows, columns, size) = (image.channels * image.height, image.width, image.count)
    func entry(_ a: Int, _ b: Int) -> Double { moment[max(a, b) * size + min(a, b)] }

    var common = [Double](repeating: 0, count: columns * columns)
    for j in 0..<columns {
      for k in 0...j {
        for row in 0..<rows {
          common[j * columns + k] += entry(row * columns + j, row * columns + k)
        }
      }
    }
    let ranks = min(ranks, columns)
    let basis = try Eigen.symmetric(common, order: columns, largest: ranks).vectors
    delays = basis.map { $0.map(Float.init) }

    // Uᵀ on one side, then on the other.
    let order = rows * ranks
    var half = [Double](repeating: 0, count: size * order)
    for value in 0..<size {
      for row in 0..<rows {
        for rank in 0..<ranks {
          var sum = 0.0
          for k in 0..<columns { sum += entry(value, row * columns + k) * basis[rank][k] }
          half[value * order + row * ranks + rank] = sum
        }
      }
    }
    var between = [Double](repeating: 0, count: order * order)
    for row in 0..<rows {
      for rank in 0..<ranks {
        let target = (row * ranks + rank) * order
        for k in 0..<columns {
          let (factor, source) = (basis[rank][k], (row * columns + k) * order)
          for i in 0..<order { between[target + i] += factor * half[source + i] }
        }
      }
    }
    (values, vectors) = try Eigen.symmetric(between, order: order, largest: min(count, order))
  }

  /// What a component adds to a place of a direction: `[component of the map, angle]` as one index.
  func value(_ component: Int, _ place: Int, _ rank: Int) -> Float {
    Float(vectors[component][place * ranks + rank])
  }

  /// The row that reads a component from an image.
  func reading(_ component: Int) -> [Float] {
    (0..<image.count).map { index in
      let (place, column) = index.quotientAndRemainder(dividingBy: image.width)
      return (0..<ranks).reduce(0) { $0 + value(component, place, $1) * delays[$1][column] }
    }
  }

  /// Mean variance of the values of a component of the map that is made of the components.
  func variance(_ component: Int) -> Float {
    let part = image.height * ranks
    let energy = zip(values, vectors).reduce(0.0) { sum, pair in
      let (value, vector) = pair
      return sum + max(value, 0)
        * vector[component * part..<(component + 1) * part].reduce(0) { $0 + $1 * $1 }
    }
    return Float(energy / Double(image.plane))
  }
}
