import DataFiles
import LinkMath
import Parts

/// One drop of one operating point, run again with the data of every stage.
///
/// Random numbers belong to the drop, and no stage looks at other drops of a block, so all values have the bits that the run saw.
public struct Replay: Sendable {
  /// The data of the stages under the names of ``TappedStage``, then the numbers that the metrics keep of the drop, `[user]`, under
  /// their names. The axes `slot` (or `report`) and `user` are left out where they have length one.
  public let arrays: [NumericArray]
  /// Means over the users of the drop's numbers, as the journal's reader takes them; NaN where there is none.
  public let numbers: [String: Double]

  /// Runs the drop.
  ///
  /// - Parameters:
  ///   - run: the scenario with its parts.
  ///   - point: operating point, from 0.
  ///   - drop: number of the drop, from 0.
  /// - Throws: `ReplayError` for a point or drop that the run does not have; errors of the stages.
  public init(_ run: PreparedRun, point: Int, drop: Int) throws {
    try Self.require(run, point: point, drop: drop)
    let tap = StageTap(
      points: [point], stages: Set(TappedStage.allCases), deepest: Section.passed.last!)
    let block = DropBlock(drop..<drop + 1, seed: run.settings.seed)
    let metrics = try BlockWalk.run(run.tree, block, into: tap, point: point)
    let users = run.tree.layout.users[point]
    var arrays = TappedStage.allCases.compactMap { stage in
      tap.node(stage, point: point).map { node in
        Replay.array(stage, tap.data[stage]![node]!, users: users)
      }
    }
    var numbers: [String: Double] = [:]
    for (place, name) in run.tree.layout.numbers.enumerated() {
      let values = (0..<users).map { user in
        metrics.values[metrics.layout.offset(point: point, row: user, drops: 1) + place]
      }
      arrays.append(NumericArray(name: name, shape: [users], doubles: values))
      let own = values.filter { !$0.isNaN }
      numbers[name] = own.isEmpty ? .nan : own.reduce(0, +) / Double(own.count)
    }
    self.arrays = arrays
    self.numbers = numbers
  }

  /// Whether a run has a drop, which one with placeholders for fitted parts tells too.
  ///
  /// - Throws: `ReplayError` for a point or drop that the run does not have.
  public static func require(_ run: PreparedRun, point: Int, drop: Int) throws(ReplayError) {
    guard (0..<run.pointCount).contains(point) else {
      throw ReplayError(
        message: "the run has \(run.pointCount) operating points, there is no number \(point)",
        hint: "points are counted from 0")
    }
    guard (0..<run.settings.maximumDrops).contains(drop) else {
      throw ReplayError(
        message: "the run has drops 0 to \(run.settings.maximumDrops - 1), got \(drop)",
        hint: "worst.csv of a run with 'run: {worst: 20}' names drops to look at")
    }
  }

  private static func array(_ stage: TappedStage, _ slots: [Int: TappedRows], users: Int)
    -> NumericArray
  {
    let ordered = slots.sorted { $0.key < $1.key }.map(\.value)
    let rows = ordered.flatMap { $0.rows.prefix(users) }
    let axes = [ordered.count, users].filter { $0 > 1 }
    if let shape = ordered[0].shape {
      return NumericArray(
        name: stage.rawValue, shape: axes + shape, isComplex: ordered[0].isComplex,
        floats: rows.flatMap { $0 })
    }
    let length = rows.map(\.count).max() ?? 0
    if ordered.contains(where: \.isBits) {
      let bits = rows.flatMap { row in
        row.map { Int($0) } + [Int](repeating: -1, count: length - row.count)
      }
      return NumericArray(
        name: stage.rawValue, shape: axes + [length], type: .int8, integers: bits)
    }
    return NumericArray(
      name: stage.rawValue, shape: axes + [length],
      floats: rows.flatMap { $0 + [Float](repeating: .nan, count: length - $0.count) })
  }

  /// Writes the arrays to a .npz, .mat or .safetensors file, as a whole or not at all.
  ///
  /// - Throws: `DataFileError` for a file that cannot be written.
  public func write(to path: String) throws {
    let writer = try ArrayFileWriter(path, arrays.map(\.info))
    for array in arrays where array.values.count > 0 { try writer.append(array.values) }
    try writer.finish()
  }
}

/// Why a drop cannot be run again, and a way out.
public struct ReplayError: Error, Sendable, CustomStringConvertible {
  /// What was expected and found.
  public let message: String
  /// A way out, if one is known.
  public let hint: String?
  /// Message and hint as a terminal shows them.
  public var description: String { "error: \(message)" + (hint.map { "\n  hint: \($0)" } ?? "") }

  /// A complaint.
  public init(message: String, hint: String? = nil) {
    self.message = message
    self.hint = hint
  }
}
