/// What is known of an array before its values are read.
public struct ArrayInfo: Sendable, Equatable, CustomStringConvertible {
  /// Name of the variable; nil in formats that hold one unnamed array (.npy, .csv).
  public var name: String?
  /// Length of every axis as MATLAB or NumPy shows it; empty for a scalar.
  public var shape: [Int]
  /// True when each element is a pair (real, imaginary).
  public var isComplex: Bool
  /// Type of the numbers in the file.
  public var elementType: ElementType

  /// Length of the first axis; 1 for a scalar.
  public var rowCount: Int { shape.first ?? 1 }

  /// The form of an array; the parameters are the properties.
  public init(name: String? = nil, shape: [Int], isComplex: Bool, elementType: ElementType) {
    self.name = name
    self.shape = shape
    self.isComplex = isComplex
    self.elementType = elementType
  }

  /// Numbers in one row: the product of the later axes, twice that if complex.
  public var valuesPerRow: Int { shape.dropFirst().reduce(isComplex ? 2 : 1, *) }

  /// Bytes of one element, both parts if complex.
  var bytesPerElement: Int { elementType.byteCount * (isComplex ? 2 : 1) }

  /// `HT (200 x 2048 float32)`.
  public var description: String {
    let type = (isComplex ? "complex " : "") + elementType.rawValue
    let shapeAndType = "\(ArrayShape.text(shape)) \(type)"
    return name.map { "\($0) (\(shapeAndType))" } ?? shapeAndType
  }
}

/// An array of numbers in row-major (C) order, as read from or written to a file.
///
/// Values of 8- and 16-bit integers, `float16`, `bfloat16` and `float32` are held as `Float`; all
/// others as `Double`. Both are exact: a 64-bit integer beyond 2^53 is refused when it is read.
/// Complex arrays are interleaved (real, imaginary).
public struct NumericArray: Sendable, Equatable {
  /// The numbers in the precision that the file has.
  public enum Values: Sendable, Equatable {
    /// Single precision.
    case float([Float])
    /// Double precision.
    case double([Double])

    /// Numbers held; a complex element counts twice.
    public var count: Int {
      switch self {
      case .float(let values): values.count
      case .double(let values): values.count
      }
    }
  }

  /// Name, shape and type.
  public private(set) var info: ArrayInfo
  /// Values, row-major.
  public let values: Values

  /// Name of the variable, if it has one.
  public var name: String? { info.name }
  /// Length of every axis; empty for a scalar.
  public var shape: [Int] { info.shape }
  /// True when each element is a pair (real, imaginary).
  public var isComplex: Bool { info.isComplex }
  /// Type of the numbers in the file.
  public var elementType: ElementType { info.elementType }

  /// An array of single-precision numbers.
  ///
  /// - Precondition: `floats` holds the product of `shape`, twice that if complex.
  public init(name: String? = nil, shape: [Int], isComplex: Bool = false, floats: [Float]) {
    let info = ArrayInfo(
      name: name, shape: shape, isComplex: isComplex, elementType: .float32)
    self.init(info: info, values: .float(floats))
  }

  /// An array of double-precision numbers.
  ///
  /// - Precondition: `doubles` holds the product of `shape`, twice that if complex.
  public init(name: String? = nil, shape: [Int], isComplex: Bool = false, doubles: [Double]) {
    let info = ArrayInfo(
      name: name, shape: shape, isComplex: isComplex, elementType: .float64)
    self.init(info: info, values: .double(doubles))
  }

  /// A real array of 8-bit integers.
  ///
  /// - Parameters:
  ///   - name: of the variable.
  ///   - shape: length of every axis.
  ///   - type: `.int8` or `.uint8`.
  ///   - integers: values of that type, row-major, as many as the product of `shape`.
  public init(name: String? = nil, shape: [Int], type: ElementType, integers: [Int]) {
    precondition(type == .int8 || type == .uint8, "integers of 8 bits")
    let range = type == .int8 ? -128...127 : 0...255
    precondition(integers.allSatisfy(range.contains), "values of the type")
    self.init(
      info: ArrayInfo(name: name, shape: shape, isComplex: false, elementType: type),
      values: .float(integers.map { Float($0) }))
  }

  init(info: ArrayInfo, values: Values) {
    precondition(info.shape.allSatisfy { $0 >= 0 }, "an axis has a negative length")
    let count = info.shape.reduce(info.isComplex ? 2 : 1, *)
    precondition(values.count == count, "\(values.count) values for shape \(info.shape)")
    self.info = info
    self.values = values
  }

  /// The same array under another name.
  public func named(_ name: String?) -> NumericArray {
    var copy = self
    copy.info.name = name
    return copy
  }

  /// The values as `Float`, rounded if they are held as `Double`.
  public func floats() -> [Float] { values.floats }

  /// The values as `Double`.
  public func doubles() -> [Double] { values.doubles }

  /// Index into `values` of the first NaN or infinity, or nil if all are finite.
  public var firstNonFiniteIndex: Int? {
    switch values {
    case .float(let values): values.firstIndex { !$0.isFinite }
    case .double(let values): values.firstIndex { !$0.isFinite }
    }
  }
}
