import DataFiles
import Foundation
import Testing

/// Files as other programs write them, all of the same channels (`foreign_axes.py`).
struct ForeignFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The number (100 drop + 10 tone + port + 1) (1 - i / 2), drops first.
  static let channels: [Double] = (0..<30).flatMap { (index: Int) -> [Double] in
    let number = Double(index / 6 * 100 + index / 2 % 3 * 10 + index % 2 + 1)
    return [number, -number / 2]
  }

  /// (file, variable, places of drop, tone, port and then the others)
  static let arrays: [(file: String, variable: String?, axes: [Int])] = [
    ("foreign_last_v5.mat", nil, [2, 0, 1]),
    ("foreign_struct_v5.mat", "s.H", [2, 0, 1]),
    ("foreign_struct_v73.mat", "s.H", [2, 0, 1]),
    ("foreign_struct_v73.mat", "s.t.again.H", [2, 0, 1]),
    ("foreign_last.npy", nil, [2, 0, 1]),
    ("foreign_ones.npy", nil, [2, 3, 0, 1, 4]),
    ("foreign_parts.npy", nil, [0, 2, 3, 1]),
    ("foreign_parts_last.npy", nil, [2, 1, 0, 3]),
    ("foreign_record.npy", "H", [0, 1, 2]),
    ("foreign_h5py.h5", "H", [0, 1, 2]),
    ("foreign_h5py.h5", "link/down", [2, 0, 1]),
    ("foreign_h5py.h5", "link.down", [2, 0, 1]),
    ("foreign_h5py.h5", "packed", [2, 0, 1]),
    ("foreign_complex.csv", nil, [0, 1, 2]),
  ]

  @Test(arguments: arrays.indices)
  func axesAreBroughtInOrder(_ index: Int) throws {
    let (file, variable, axes) = Self.arrays[index]
    let reader = try ArrayFile.open(Fixture.path(file), variable: variable).reordered(axes)
    #expect(reader.info.rowCount == 5)
    #expect(try reader.read().doubles() == Self.channels)
    for range in [0..<1, 1..<3, 4..<5, 2..<2, 0..<4] {
      let part = try reader.rows(range).doubles()
      #expect(part == Array(Self.channels[range.lowerBound * 12..<range.upperBound * 12]))
    }
  }

  /// Every order of the axes of a whole and of its rows, against the definition, for each way that numbers lie in a file.
  @Test(arguments: ["numpy_le_i2.npy", "numpy_fortran.npy", "packed", "plain", "table"])
  func everyOrder(_ name: String) throws {
    let isTable = name == "table"
    let path = isTable ? folder.file("a.csv") : Fixture.path(name)
    if isTable {
      let numbers = FixtureTests.counted
      try ArrayFile.write([NumericArray(shape: [3, 8], doubles: numbers)], to: path)
    }
    let reader =
      name.hasSuffix(".npy") || isTable
      ? try ArrayFile.open(path)
      : try ArrayFile.open(Fixture.path("several_v73.mat"), variable: name)
    let lengths = isTable ? [3, 8] : [3, 4, 2]
    let strides = isTable ? [8, 1] : [8, 2, 1]
    let orders =
      isTable
      ? [[0, 1], [1, 0], [2, 1, 0], [1, 2, 0]]
      : [
        [0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0], [2, 3, 0, 1],
        [3, 1, 0, 2],
      ]
    for order in orders {
      let shape = order.map { $0 < lengths.count ? lengths[$0] : 1 }
      let steps = order.map { $0 < lengths.count ? strides[$0] : 0 }
      var places = [0]
      for (length, step) in zip(shape, steps) {
        places = places.flatMap { place in (0..<length).map { place + $0 * step } }
      }
      let expected = places.map { FixtureTests.counted[$0] }
      let arranged = reader.reordered(order)
      #expect(arranged.info.shape == shape)
      #expect(try arranged.read().doubles() == expected, "\(order)")
      for first in 0..<shape[0] {
        let size = expected.count / shape[0]
        let row = try arranged.rows(first..<first + 1).doubles()
        #expect(row == Array(expected[first * size..<(first + 1) * size]), "\(order), \(first)")
      }
      // An order of the reordered array is one of the first.
      let back = order.indices.sorted { order[$0] < order[$1] }
      #expect(try arranged.reordered(back).read().doubles() == FixtureTests.counted, "\(order)")
    }
  }

  @Test func pairsAreComplex() throws {
    let doubled = Self.channels.map { $0 * 2 }
    let pair = try ArrayFile.read(Fixture.path("foreign_pair.npy"))
    #expect(pair.isComplex && pair.elementType == .int16 && pair.doubles() == doubled)
    let counts = try ArrayFile.read(Fixture.path("foreign_h5py.h5"), variable: "link/deep/counts")
    #expect(counts.isComplex && counts.elementType == .int16 && counts.doubles() == doubled)
    let strange = try ArrayFile.read(Fixture.path("several_v73.mat"), variable: "strange_pair")
    #expect(strange.isComplex && strange.doubles() == [Double](repeating: 0, count: 8))
  }

  @Test func fieldsOfRecords() throws {
    let path = Fixture.path("foreign_record.npy")
    let list = try ArrayFile.list(path)
    #expect(
      list.map(\.description) == [
        "gain (5 float64)", "H (5 x 3 x 2 complex float32)", "count (5 complex int16)",
      ])
    #expect(try ArrayFile.read(path, variable: "gain").doubles() == [0, 0.5, 1, 1.5, 2])
    #expect(
      try ArrayFile.read(path, variable: "count").doubles() == [0, 0, 1, -1, 2, -2, 3, -3, 4, -4])
    #expect(throws: DataFileError.self) { try ArrayFile.read(path, variable: "name") }
    let bytes = try Fixture.bytes("foreign_record.npy")
    #expect(throws: DataFileError.self) {
      try ArrayFile.list(folder.file("cut.npy", bytes.dropLast(1)))
    }
  }

  @Test func truthIsNumbers() throws {
    let expected = (0..<30).map { Self.channels[2 * $0] > 200 ? 1.0 : 0 }
    #expect(try ArrayFile.read(Fixture.path("foreign_flags.npy")).doubles() == expected)
    let flags = try ArrayFile.read(Fixture.path("foreign_h5py.h5"), variable: "flags")
    #expect(flags.doubles() == expected)
  }

  /// What was never written reads as the fill value, and is told.
  @Test func chunksThatWereNeverWritten() throws {
    let begun = try ArrayFile.open(Fixture.path("foreign_h5py.h5"), variable: "begun")
    #expect(begun.note?.contains("4 chunks of 'begun' were never written") == true)
    #expect(
      try begun.read().doubles()
        == Array(Self.channels[..<24]) + [Double](repeating: 0, count: 36))
    let filled = try ArrayFile.open(Fixture.path("foreign_h5py.h5"), variable: "filled")
    let fill: [Double] = (0..<24).flatMap { (_: Int) -> [Double] in [-1, -2] }
    #expect(try filled.read().doubles() == fill + Array(Self.channels[48...]))
    let holes = try ArrayFile.read(Fixture.path("several_v73.mat"), variable: "holes")
    #expect(holes.doubles() == [1] + [Double](repeating: 0, count: 15))
  }

  /// Tables with an index, a header in quotes, one cell fewer in the header, and complex numbers in quotes.
  @Test(arguments: ["foreign_pandas.csv", "foreign_r.csv", "foreign_r.txt", "foreign_complex.csv"])
  func indicesOfTablesAreLeftOut(_ name: String) throws {
    let reader = try ArrayFile.open(Fixture.path(name))
    #expect(reader.note?.contains("the first column counts the rows and is left out") == true)
    #expect(try reader.read().doubles() == Self.channels)
    #expect(try reader.rows(3..<5).doubles() == Array(Self.channels[36...]))
  }

  /// (text, columns of numbers, whether something is told)
  static let tables: [(text: String, values: [Double], isTold: Bool)] = [
    ("drop,re,im\n0,5,6\n2,7,8\n", [0, 5, 6, 2, 7, 8], false),
    ("time,re,im\n0,5,6\n1,7,8\n", [0, 5, 6, 1, 7, 8], false),
    ("re,im\n0,5\n1,7\n", [0, 5, 1, 7], false),
    ("# drop,re\n0,5\n1,7\n", [0, 5, 1, 7], false),
    ("id;re;im\n1;5;6\n2;7;8\n", [5, 6, 7, 8], true),
    ("\"1.5\",\" 2\"\n\"3\",4\n", [1.5, 2, 3, 4], false),
    ("\"5\" \"2\"\n3  4\n", [5, 2, 3, 4], false),
  ]

  @Test(arguments: tables.indices)
  func onlyCountedColumnsAreIndices(_ index: Int) throws {
    let (text, values, isTold) = Self.tables[index]
    let reader = try ArrayFile.open(folder.file("a.csv", text.utf8))
    #expect(try reader.read().doubles() == values)
    #expect((reader.note != nil) == isTold)
  }

  @Test func decimalCommasInQuotesAreNamed() throws {
    let path = try folder.file("a.csv", "1;2\n\"1,5\";2\n".utf8)
    let error = #expect(throws: DataFileError.self) { try ArrayFile.read(path) }
    #expect(error?.hint == "write decimals with a point")
  }

  /// (file, variable, what the message must say of the way out)
  @Test(
    arguments: [
      ("foreign_record.npy", nil, "name the variable to read"),
      ("foreign_records.npz", nil, "np.save('h.npy', a['gain'])"),
      ("foreign_objects.npy", nil, "save np.stack(list(a))"),
      ("foreign_struct_v5.mat", "c", "H = cat(ndims(c{1}) + 1, c{:})"),
      ("foreign_struct_v5.mat", nil, "name the variable to read"),
      ("matlab_several.mat", "sparse", "H = full(H)"),
      ("foreign_h5py.h5", "words", "H.astype('complex64')"),
    ] as [(String, String?, String)])
  func whatIsRefusedNamesTheWayOut(_ file: String, _ variable: String?, _ hint: String) {
    let error = #expect(throws: DataFileError.self) {
      try ArrayFile.read(Fixture.path(file), variable: variable)
    }
    #expect(error?.hint?.contains(hint) == true, "\(String(describing: error))")
  }

  @Test func shardsAreInTheOrderOfTheirNumbers() throws {
    let files = try ArrayFile.shards(of: Fixture.path("foreign_shards"))
    #expect(files.map { ($0 as NSString).lastPathComponent } == ["h_1.npy", "h_2.npy", "h_10.npy"])
    let arranged = try files.map { try ArrayFile.open($0).reordered([2, 0, 1]) }
    let whole = try ArrayReader.joined(arranged, path: "all")
    #expect(try whole.read().doubles() == Self.channels)
    #expect(try whole.rows(1..<4).doubles() == Array(Self.channels[12..<48]))
    let error = #expect(throws: DataFileError.self) {
      try ArrayReader.joined(files.map { try ArrayFile.open($0) }, path: "all")
    }
    #expect(error?.file.hasSuffix("h_2.npy") == true)
    try Data().write(to: URL(filePath: folder.file("a.npy")))
    // What tells about the data is none of it.
    for name in ["README.txt", "license.txt"] {
      try Data().write(to: URL(filePath: folder.file(name)))
    }
    #expect(try ArrayFile.shards(of: folder.path).count == 1)
    try Data().write(to: URL(filePath: folder.file("b.mat")))
    #expect(throws: DataFileError.self) { try ArrayFile.shards(of: folder.path) }
  }
}
