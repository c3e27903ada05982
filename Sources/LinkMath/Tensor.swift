import ComplexModule
import RealModule

/// A single-precision complex number, re and im side by side in memory (the layout of FFTW).
public typealias ComplexFloat = Complex<Float>

/// Dense array of single-precision complex values, row-major.
public typealias ComplexArray = Tensor<ComplexFloat>

/// Dense array of single-precision real values, row-major.
public typealias RealArray = Tensor<Float>

/// A number without references, so that arrays may stay uninitialised and be copied as bytes.
public protocol TensorElement: Sendable {}
extension Float: TensorElement {}
extension Complex: TensorElement {}

/// A dense row-major array with value semantics: copies share memory until one of them is written.
///
/// Axes are named where an array is declared (`[drop, subcarrier, port]`); shapes are checked at the border of each
/// stage with ``requireShape(_:_:)``, not at every element.
public struct Tensor<Element: TensorElement>: Sendable {
  /// Sizes by axis, the slowest first; empty for a scalar.
  public private(set) var shape: [Int]
  /// Number of elements, the product of ``shape``.
  public let count: Int
  private var buffer: Buffer

  /// An array of undefined content, for results that are written completely.
  ///
  /// - Precondition: no negative dimension, and the byte count fits an `Int`.
  public init(uninitialized shape: [Int]) {
    precondition(shape.allSatisfy { $0 >= 0 }, "negative dimension in \(shape)")
    self.shape = shape
    count = shape.reduce(1, *)
    buffer = Buffer(byteCount: count * MemoryLayout<Element>.stride)
  }

  /// An array of one value.
  public init(repeating value: Element, shape: [Int]) {
    self.init(uninitialized: shape)
    withUnsafeMutableElements { for i in $0.indices { $0[i] = value } }
  }

  /// - Precondition: as many elements as the shape holds.
  public init(_ elements: some Collection<Element>, shape: [Int]) {
    self.init(uninitialized: shape)
    precondition(elements.count == count, "\(elements.count) elements for shape \(shape)")
    withUnsafeMutableElements { target in
      var i = 0
      for element in elements {
        target[i] = element
        i += 1
      }
    }
  }

  /// Whether both are views of one memory, so that they are equal if their shapes are. O(1).
  public func sharesMemory(with other: Tensor) -> Bool { buffer === other.buffer }

  /// Size of an axis, counted from zero.
  public subscript(dimension axis: Int) -> Int { shape[axis] }

  /// A copy of the elements, row-major.
  public var elements: [Element] { withUnsafeElements { Array($0) } }

  /// The same elements under another shape. O(1).
  public func reshaped(_ newShape: [Int]) -> Tensor {
    precondition(newShape.reduce(1, *) == count, "cannot see \(shape) as \(newShape)")
    var copy = self
    copy.shape = newShape
    return copy
  }

  /// The sub-arrays `range` of the first axis, copied.
  public func slice(_ range: Range<Int>) -> Tensor {
    let stride = rowStride
    var result = Tensor(uninitialized: [range.count] + shape.dropFirst())
    withUnsafeElements { source in
      result.withUnsafeMutableElements { target in
        let part = UnsafeBufferPointer(
          rebasing: source[range.lowerBound * stride..<range.upperBound * stride])
        _ = target.update(fromContentsOf: part)
      }
    }
    return result
  }

  /// Arrays of the same shape but for the first axis, one after the other along it.
  ///
  /// - Precondition: at least one array.
  public static func concatenated(_ parts: [Tensor]) -> Tensor {
    guard parts.count > 1 else { return parts[0] }
    let rows = parts.reduce(0) { $0 + $1.shape[0] }
    var result = Tensor(uninitialized: [rows] + parts[0].shape.dropFirst())
    result.withUnsafeMutableElements { target in
      var position = target.baseAddress!
      for part in parts {
        precondition(part.shape.dropFirst() == parts[0].shape.dropFirst())
        part.withUnsafeElements { position.update(from: $0.baseAddress!, count: $0.count) }
        position += part.count
      }
    }
    return result
  }

  /// Elements in one entry of the first axis.
  public var rowStride: Int { shape.dropFirst().reduce(1, *) }

  /// Lends the elements, row-major, for the duration of the call.
  public func withUnsafeElements<R>(_ body: (UnsafeBufferPointer<Element>) throws -> R) rethrows
    -> R
  {
    let typed = buffer.pointer.assumingMemoryBound(to: Element.self)
    return try body(UnsafeBufferPointer(start: typed, count: count))
  }

  /// Lends the elements for writing; memory that other arrays share is copied first.
  public mutating func withUnsafeMutableElements<R>(
    _ body: (UnsafeMutableBufferPointer<Element>) throws -> R
  ) rethrows -> R {
    if !isKnownUniquelyReferenced(&buffer) {
      let fresh = Buffer(byteCount: count * MemoryLayout<Element>.stride)
      fresh.pointer.copyMemory(
        from: buffer.pointer, byteCount: count * MemoryLayout<Element>.stride)
      buffer = fresh
    }
    let typed = buffer.pointer.assumingMemoryBound(to: Element.self)
    return try body(UnsafeMutableBufferPointer(start: typed, count: count))
  }

  /// Traps with the expected axes if the shape differs.
  ///
  /// - Parameters:
  ///   - expected: sizes by axis; nil accepts any size.
  ///   - axes: the axis names, for the message.
  public func requireShape(_ expected: [Int?], _ axes: String) {
    let fits =
      shape.count == expected.count
      && zip(shape, expected).allSatisfy { $1 == nil || $0 == $1 }
    precondition(
      fits, "expected \(axes) \(expected.map { $0.map(String.init) ?? "any" }), got \(shape)")
  }
}

extension Tensor {
  /// Element by index along each axis; for tests and small arrays, kernels use pointers.
  public subscript(indices: Int...) -> Element {
    get { withUnsafeElements { $0[offset(indices)] } }
    set {
      let position = offset(indices)
      withUnsafeMutableElements { $0[position] = newValue }
    }
  }

  private func offset(_ indices: [Int]) -> Int {
    precondition(indices.count == shape.count, "\(indices.count) indices for shape \(shape)")
    return zip(indices, shape).reduce(0) { sum, pair in
      precondition(pair.0 >= 0 && pair.0 < pair.1, "index \(indices) outside \(shape)")
      return sum * pair.1 + pair.0
    }
  }
}

extension Tensor: Equatable where Element: Equatable {
  /// Equal shapes and equal elements, compared as numbers: NaN differs from itself, and 0 equals -0.
  public static func == (a: Tensor, b: Tensor) -> Bool {
    a.shape == b.shape
      && a.withUnsafeElements { x in b.withUnsafeElements { y in x.elementsEqual(y) } }
  }
}

extension Tensor where Element == ComplexFloat {
  /// The values as `2 · count` floats, for kernels that work on interleaved re and im.
  public func withUnsafeFloats<R>(_ body: (UnsafePointer<Float>) throws -> R) rethrows -> R {
    try withUnsafeElements {
      try $0.baseAddress!.withMemoryRebound(to: Float.self, capacity: 2 * count, body)
    }
  }

  /// The values as `2 · count` floats for writing; memory that other arrays share is copied first.
  public mutating func withUnsafeMutableFloats<R>(
    _ body: (UnsafeMutablePointer<Float>) throws -> R
  ) rethrows -> R {
    let floats = 2 * count
    return try withUnsafeMutableElements {
      try $0.baseAddress!.withMemoryRebound(to: Float.self, capacity: floats, body)
    }
  }

  /// Sum of |x|² in double precision.
  public var energy: Double {
    withUnsafeElements { $0.reduce(0) { $0 + Double($1.lengthSquared) } }
  }
}
