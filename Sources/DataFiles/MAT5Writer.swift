import CMatIO
import Synchronization

/// The one lock around matio, which keeps its logging state in globals.
private let matioLock = Mutex(())

/// Writes MATLAB v5 files through matio.
struct MAT5Writer {
  /// The format's 32-bit sizes; MATLAB's own limit for a variable.
  private static let largestVariable = 0x7FFF_FFFF
  /// Fixed, where matio would put the date, so that equal arrays give equal bytes.
  private static let header = "MATLAB 5.0 MAT-file, written by csilink"

  let path: String

  /// Writes the arrays as uncompressed full matrices; one axis becomes a column.
  func write(_ arrays: [NumericArray]) throws(DataFileError) {
    for array in arrays { try check(array) }
    try AtomicFile.replace(path) { temporary throws(DataFileError) in
      try matioLock.withLock { _ throws(DataFileError) in
        guard let file = Mat_CreateVer(temporary, Self.header, MAT_FT_MAT5) else {
          throw failure("a file that matio can create", "a failure")
        }
        var failed: NumericArray?
        for array in arrays where failed == nil {
          if !write(array, to: file) { failed = array }
        }
        let isClosed = Mat_Close(file) == 0
        guard failed == nil, isClosed else {
          throw failure("room to write", "a failure of matio", failed)
        }
      }
      try verify(temporary, arrays)
    }
  }

  private func check(_ array: NumericArray) throws(DataFileError) {
    let name = array.name ?? ""
    let isLetter = { (byte: UInt8) in (0x41...0x5A).contains(byte & 0xDF) }
    let isIdentifier =
      name.utf8.first.map(isLetter) == true && name.utf8.count <= 63
      && name.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
    guard isIdentifier else {
      throw failure(
        "a MATLAB name: a letter, then letters, digits and _, at most 63", "'\(printable(name))'",
        array)
    }
    guard array.encodedByteCount + 1024 <= Self.largestVariable,
      array.shape.allSatisfy({ $0 <= Self.largestVariable })
    else {
      throw failure("less than 2 GiB in a variable", "\(array.encodedByteCount) bytes", array)
    }
    guard array.values.count > 0 else {
      throw failure("an array with elements", ArrayShape.text(array.shape), array)
    }
  }

  /// matio does not report every failed write, so what it wrote is looked at before it counts.
  private func verify(_ temporary: String, _ arrays: [NumericArray]) throws(DataFileError) {
    let file: MAT5File
    do throws(DataFileError) {
      file = try MAT5File(ByteWindow(path: temporary, file: OpenFile(temporary)))
    } catch {
      throw failure("a completely written file", error.found)
    }
    let shapes = file.entries.map { $0.info?.shape }
    guard shapes == arrays.map({ Self.matlabShape($0.shape) }) else {
      throw failure("a completely written file", "an incomplete one")
    }
  }

  private func write(_ array: NumericArray, to file: OpaquePointer) -> Bool {
    let (matlabClass, type) = Self.types(array.writtenType)
    var planes = array.columnMajorPlanes().map(\.encodedBytes)
    var imaginary = planes.count == 2 ? planes.removeLast() : []
    var real = planes.removeLast()
    var shape = Self.matlabShape(array.shape)
    return real.withUnsafeMutableBytes { real in
      imaginary.withUnsafeMutableBytes { imaginary in
        var parts = mat_complex_split_t(Re: real.baseAddress, Im: imaginary.baseAddress)
        return withUnsafeMutablePointer(to: &parts) { parts in
          let data = array.isComplex ? UnsafeMutableRawPointer(parts) : real.baseAddress
          let flags = MAT_F_DONT_COPY_DATA.rawValue | (array.isComplex ? MAT_F_COMPLEX.rawValue : 0)
          guard
            let variable = Mat_VarCreate(
              array.name, matlabClass, type, Int32(shape.count), &shape, data, Int32(flags))
          else { return false }
          defer { Mat_VarFree(variable) }
          return Mat_VarWrite(file, variable, MAT_COMPRESSION_NONE) == 0
        }
      }
    }
  }

  /// MATLAB arrays have at least two axes.
  private static func matlabShape(_ shape: [Int]) -> [Int] {
    shape + Array(repeating: 1, count: max(0, 2 - shape.count))
  }

  private static func types(_ type: ElementType) -> (matio_classes, matio_types) {
    switch type {
    case .int8: (MAT_C_INT8, MAT_T_INT8)
    case .uint8: (MAT_C_UINT8, MAT_T_UINT8)
    case .int16: (MAT_C_INT16, MAT_T_INT16)
    case .uint16: (MAT_C_UINT16, MAT_T_UINT16)
    case .int32: (MAT_C_INT32, MAT_T_INT32)
    case .uint32: (MAT_C_UINT32, MAT_T_UINT32)
    case .int64: (MAT_C_INT64, MAT_T_INT64)
    case .uint64: (MAT_C_UINT64, MAT_T_UINT64)
    case .float64: (MAT_C_DOUBLE, MAT_T_DOUBLE)
    case .float32, .float16, .bfloat16: (MAT_C_SINGLE, MAT_T_SINGLE)
    }
  }

  private func failure(
    _ expected: String, _ found: String, _ array: NumericArray? = nil
  ) -> DataFileError {
    DataFileError(file: path, variable: array?.name, expected: expected, found: found)
  }
}

extension NumericArray {
  /// The array in column-major order: one plane, or two for the real and imaginary parts.
  fileprivate func columnMajorPlanes() -> [NumericArray] {
    let planes: [Values] =
      switch values {
      case .float(let values): columnMajorPlanes(values).map { .float($0) }
      case .double(let values): columnMajorPlanes(values).map { .double($0) }
      }
    return planes.map { plane in
      var info = info
      info.isComplex = false
      info.elementType = writtenType
      return NumericArray(info: info, values: plane)
    }
  }

  private func columnMajorPlanes<Number: BinaryFloatingPoint>(_ values: [Number]) -> [[Number]] {
    let components = isComplex ? 2 : 1
    let count = values.count / components
    var strides: [Int] = []
    var next = 1
    for length in shape {
      strides.append(next)
      next *= length
    }
    var planes = [[Number]](repeating: Array(repeating: 0, count: count), count: components)
    for component in 0..<components {
      var index = [Int](repeating: 0, count: shape.count)
      var target = 0
      for element in 0..<count {
        planes[component][target] = values[element * components + component]
        for axis in shape.indices.reversed() {
          index[axis] += 1
          target += strides[axis]
          if index[axis] < shape[axis] { break }
          target -= strides[axis] * shape[axis]
          index[axis] = 0
        }
      }
    }
    return planes
  }
}
