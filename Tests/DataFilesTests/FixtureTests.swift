import DataFiles
import Testing

/// Files of other programs: same values in every format, and the sums their generator printed.
struct FixtureTests {
  @Test func umiSumAndFirstValues() throws {
    let whole = try ArrayFile.read(Fixture.path("umi_los_200_v73.mat"))
    #expect(whole.info.description == "HT (200 x 2048 float32)")
    let sum = whole.doubles().reduce(0, +)
    #expect(abs(sum - 204795.46653941274) < 1e-6)
    let centred = whole.doubles().reduce(0) { $0 + ($1 - 0.5) * ($1 - 0.5) }
    #expect(abs(centred - 54.66695339953088) < 1e-9)
    let first: [Float] = [0.4999502, 0.50668532, 0.51473677, 0.50130814, 0.49066404]
    #expect(Array(whole.floats().prefix(5)) == first)
    #expect(whole.firstNonFiniteIndex == nil)
  }

  @Test func indoorHasNullPaddedClassAndDoubles() throws {
    let whole = try ArrayFile.read(Fixture.path("indoor_los_200_v73.mat"), variable: "HT")
    #expect(whole.shape == [200, 2048])
    #expect(whole.elementType == .float64)
    #expect(abs(whole.doubles().reduce(0, +) - 204786.24046945572) < 1e-6)
    #expect(abs(whole.doubles()[0] - 0.5052451491355896) < 1e-15)
    let some = try ArrayFile.read(Fixture.path("indoor_los_20_v5.mat"))
    #expect(some.elementType == .float32)
    #expect(some.doubles() == Array(whole.doubles().prefix(20 * 2048)))
  }

  @Test(arguments: ["umi_los_20.npz", "umi_los_20_v5.mat"])
  func umiIsTheSameInEveryFormat(_ name: String) throws {
    let reference = try ArrayFile.open(Fixture.path("umi_los_200_v73.mat")).rows(0..<20)
    let array = try ArrayFile.read(Fixture.path(name))
    #expect(array == reference)
  }

  @Test func umiTextHasSevenDigits() throws {
    let reference = try ArrayFile.open(Fixture.path("umi_los_200_v73.mat")).rows(0..<4)
    let table = try ArrayFile.read(Fixture.path("umi_los_4.csv"))
    #expect(table.shape == [4, 2048])
    for (text, exact) in zip(table.doubles(), reference.doubles()) {
      #expect(abs(text - exact) <= 5.1e-8)
    }
  }

  @Test func complexTrack() throws {
    let whole = try ArrayFile.read(Fixture.path("track_complex_v73.mat"), variable: "H_track")
    #expect(whole.shape == [6, 10, 32, 32])
    #expect(whole.isComplex)
    #expect(whole.elementType == .float32)
    let energy = whole.doubles().reduce(0) { $0 + $1 * $1 }
    #expect(abs(energy - 1918401.2516445634) < 1e-3)
    let first: [Float] = [
      0.0819689929485321, 1.334717035293579, 0.12081305682659149, 1.6549593210220337,
      -0.1450757384300232, 2.166208505630493,
    ]
    #expect(Array(whole.floats().prefix(6)) == first)
    let one = try ArrayFile.read(Fixture.path("track_1_v5.mat"))
    #expect(one.shape == [1, 10, 32, 32])
    #expect(one.floats() == Array(whole.floats().prefix(2 * 10 * 1024)))
  }

  static let numberTypes: [(String, ElementType)] = [
    ("numpy_le_f4", .float32), ("numpy_be_f4", .float32), ("numpy_le_f8", .float64),
    ("numpy_be_f8", .float64), ("numpy_le_f2", .float16), ("numpy_le_i2", .int16),
    ("numpy_be_i4", .int32), ("numpy_le_i8", .int64), ("numpy_le_u8", .uint64),
    ("numpy_fortran", .float32), ("numpy_version2", .float32), ("numpy_version3", .float32),
  ]

  /// 100 row + 10 column + layer.
  static let counted: [Double] = (0..<24).map { (index: Int) -> Double in
    Double(index / 8 * 100 + index / 2 % 4 * 10 + index % 2)
  }

  @Test(arguments: numberTypes)
  func numpyTypes(_ name: String, _ type: ElementType) throws {
    let array = try ArrayFile.read(Fixture.path("\(name).npy"))
    #expect(array.shape == [3, 4, 2])
    #expect(array.elementType == type)
    #expect(array.doubles() == Self.counted)
  }

  @Test func numpyBytes() throws {
    let array = try ArrayFile.read(Fixture.path("numpy_i1.npy"))
    #expect(array.elementType == .int8)
    #expect(array.doubles() == Self.counted.map { $0.truncatingRemainder(dividingBy: 100) })
  }

  @Test(arguments: ["numpy_complex64", "numpy_complex128_fortran"])
  func numpyComplex(_ name: String) throws {
    let array = try ArrayFile.read(Fixture.path("\(name).npy"))
    #expect(array.isComplex)
    #expect(array.shape == [3, 4, 2])
    #expect(array.doubles() == Self.counted.flatMap { [$0, -$0] })
  }

  @Test func severalNumPyArrays() throws {
    let path = Fixture.path("numpy_several.npz")
    #expect(try ArrayFile.list(path).map(\.name) == ["first", "second"])
    #expect(try ArrayFile.read(path, variable: "first").doubles() == Self.counted)
    #expect(try ArrayFile.read(path, variable: "second").doubles() == [0, 1, 2, 3, 4])
    #expect(try ArrayFile.readAll(path).map(\.shape) == [[3, 4, 2], [5]])
  }

  @Test func severalMATLABVariables() throws {
    let path = Fixture.path("matlab_several.mat")
    let list = try ArrayFile.list(path)
    #expect(
      list.map(\.description) == [
        "first (3 x 4 x 2 float32)", "second (1 x 5 float64)", "record.field (1 x 3 float64)",
        "flags (1 x 2 uint8)", "whole (2 x 3 int16)",
      ])
    #expect(try ArrayFile.read(path, variable: "first").doubles() == Self.counted)
    #expect(try ArrayFile.read(path, variable: "whole").doubles() == [0, 1, 2, 3, 4, 5])
  }

  static let files = [
    "umi_los_200_v73.mat", "indoor_los_200_v73.mat", "track_complex_v73.mat", "umi_los_20.npz",
    "umi_los_20_v5.mat", "umi_los_4.csv", "indoor_los_20_v5.mat", "track_1_v5.mat",
    "numpy_fortran.npy", "numpy_complex128_fortran.npy", "numpy_complex64.npy", "numpy_be_f8.npy",
  ]

  /// Rows read a few at a time are the rows of the whole array.
  @Test(arguments: files)
  func rowsAreRowsOfTheWhole(_ name: String) throws {
    let reader = try ArrayFile.open(Fixture.path(name))
    let whole = try reader.read().doubles()
    let perRow = whole.count / reader.info.rowCount
    let count = reader.info.rowCount
    for range in [0..<1, 0..<0, count - 1..<count, count / 3..<(count / 3 + 1), 1..<count] {
      let part = try reader.rows(
        min(range.lowerBound, count)..<max(range.lowerBound, range.upperBound))
      #expect(part.shape == [part.shape[0]] + reader.info.shape.dropFirst())
      let expected = whole[
        (range.lowerBound * perRow)..<(range.lowerBound * perRow + part.values.count)]
      #expect(part.doubles() == Array(expected), "\(range)")
    }
  }

  /// libhdf5 is not safe to use from several threads; the reader is.
  @Test func readersWorkFromSeveralTasks() async throws {
    let reader = try ArrayFile.open(Fixture.path("track_complex_v73.mat"))
    let whole = try reader.read()
    let perRow = whole.values.count / 6
    try await withThrowingTaskGroup(of: (Int, NumericArray).self) { group in
      for row in 0..<24 {
        group.addTask {
          let other = try ArrayFile.open(Fixture.path("track_complex_v73.mat"))
          return (row % 6, try (row < 12 ? reader : other).rows(row % 6..<row % 6 + 1))
        }
      }
      for try await (row, array) in group {
        #expect(array.floats() == Array(whole.floats()[row * perRow..<(row + 1) * perRow]))
      }
    }
  }
}
