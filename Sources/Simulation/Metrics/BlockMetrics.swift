/// What the numbers of a block are: which ones are kept of each user of each drop, at how many operating points.
public struct BlockLayout: Sendable, Hashable {
  /// Names of the numbers, in their order.
  public let numbers: [String]
  /// Users of each operating point.
  public let users: [Int]
  private let places: [String: Int]
  /// Users of the points before each one.
  private let usersBefore: [Int]
  /// Users of all points.
  private let userCount: Int

  /// A layout; the parameters are the properties.
  public init(numbers: [String], users: [Int]) {
    self.numbers = numbers
    self.users = users
    places = Dictionary(zip(numbers, numbers.indices)) { first, _ in first }
    usersBefore = users.indices.map { users[..<$0].reduce(0, +) }
    userCount = users.reduce(0, +)
  }

  /// Numbers of one drop, of all users and points.
  package var valuesPerDrop: Int { userCount * numbers.count }

  /// Where a number stands among those of a user; nil if it is not kept.
  func place(of number: DropNumber) -> Int? { places[number.name] }

  /// The first number of a row, which is a user of a drop: all drops of the first user come before the next one's.
  func offset(point: Int, row: Int, drops: Int) -> Int {
    (usersBefore[point] * drops + row) * numbers.count
  }
}

/// The numbers of a block: every operating point, every user, every drop, in that order.
public struct BlockMetrics: Sendable, Equatable {
  /// What the numbers are.
  public let layout: BlockLayout
  /// Drops of the block.
  public let dropCount: Int
  /// [point, user, drop, number]
  public fileprivate(set) var values: [Double]

  /// All zero.
  public init(layout: BlockLayout, dropCount: Int) {
    self.layout = layout
    self.dropCount = dropCount
    values = [Double](repeating: 0, count: dropCount * layout.valuesPerDrop)
  }

  /// All zero, of drops with one user.
  public init(pointCount: Int, dropCount: Int, numbers: [DropNumber] = DropNumber.standard) {
    let users = [Int](repeating: 1, count: pointCount)
    self.init(
      layout: BlockLayout(numbers: numbers.map(\.name), users: users), dropCount: dropCount)
  }

  /// - Returns: nil if the number of values does not fit.
  package init?(layout: BlockLayout, dropCount: Int, values: [Double]) {
    guard values.count == dropCount * layout.valuesPerDrop else { return nil }
    self.layout = layout
    self.dropCount = dropCount
    self.values = values
  }

  /// Operating points.
  public var pointCount: Int { layout.users.count }

  /// A number of one user of a drop at one point, the drop counted within the block.
  ///
  /// - Precondition: the number is one of the layout's.
  public subscript(point: Int, drop: Int, user user: Int = 0, number: DropNumber) -> Double {
    get { values[offset(point, drop, user, number)] }
    set { values[offset(point, drop, user, number)] = newValue }
  }

  private func offset(_ point: Int, _ drop: Int, _ user: Int, _ number: DropNumber) -> Int {
    layout.offset(point: point, row: user * dropCount + drop, drops: dropCount)
      + layout.place(of: number)!
  }
}

/// The sums of a metric of some drops, while they pass the link.
public struct DropSums: Sendable {
  package private(set) var block: BlockMetrics
  private let stride: Int
  private var first = 0

  package init(_ block: BlockMetrics) {
    self.block = block
    stride = block.layout.numbers.count
  }

  /// The sum of one of the metric's numbers, by its place in ``Metric/numbers``, of a drop of the slot at hand.
  public subscript(drop: Int, number: Int) -> Double {
    get { block.values[first + drop * stride + number] }
    _modify { yield &block.values[first + drop * stride + number] }
  }

  /// Turns to the numbers, from `place` on, of a point and of rows from `row` on.
  package mutating func turn(toPoint point: Int, row: Int, place: Int) {
    first = block.layout.offset(point: point, row: row, drops: block.dropCount) + place
  }
}
