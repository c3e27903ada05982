import LinkMath
import Parts

/// How long the fits of a run will take, from a few drops of each kind.
///
/// What a part sees is computed for some blocks of drops and timed; its fitter takes them in again and again, up to the number of
/// drops that it asks for, and finishes. Fits of one part with equal settings are timed once; what several fits on the
/// same drops share is counted once.
struct FittingEstimate {
  /// How many parts will be fitted, by section and part in the order of the link.
  private(set) var counts: [(name: String, count: Int)] = []
  /// Seconds of all together.
  private(set) var seconds = 0.0

  /// Longest time that drops are computed, and taken in, for one kind of fit.
  private static let budget = 0.5
  /// Different drops that a fitter sees at most.
  private static let mostBlocks = 8

  /// - Parameters:
  ///   - fits: what is to be fitted.
  ///   - pool: the threads that will do it.
  init(_ fits: [FittingStore.Pending], pool: WorkerPool) throws {
    var known: [String: (seen: Double, rest: Double)] = [:]
    var seen: Set<String> = []
    for fit in fits {
      count("\(fit.part.section) \(fit.part.part)")
      let kind = "\(fit.part.section) \(fit.fitting.signature) \(fit.fitting.dropCount)"
      let cost = try known[kind] ?? Self.cost(fit, pool)
      known[kind] = cost
      let drops = "\(fit.fitting.dropCount) " + fit.front.keyOfSeen(fit.fitting.source)
      seconds += cost.rest + (seen.insert(drops).inserted ? cost.seen : 0)
    }
  }

  /// Adds one of a name.
  private mutating func count(_ name: String) {
    if let place = counts.firstIndex(where: { $0.name == name }) {
      counts[place].count += 1
    } else {
      counts.append((name, 1))
    }
  }

  /// `13 (codec pca 4, quantizer uniform 9)`.
  var text: String {
    let total = counts.reduce(0) { $0 + $1.count }
    return "\(total) (\(counts.map { "\($0.name) \($0.count)" }.joined(separator: ", ")))"
  }

  /// Seconds for what reaches the codec, and for the rest.
  private static func cost(
    _ fit: FittingStore.Pending, _ pool: WorkerPool
  ) throws -> (seen: Double, rest: Double) {
    let (fitting, front) = (fit.fitting, fit.front)
    let clock = ContinuousClock()
    let block = FittingStore.block
    let blocks = (fitting.dropCount + block - 1) / block
    var inputs: [StageInput] = []
    var (seen, made) = (0.0, 0.0)
    var done = 0
    while done < min(blocks, mostBlocks), done == 0 || seen + made < budget {
      let start = clock.now
      let drops = done * block..<min((done + 1) * block, fitting.dropCount)
      let rows = try front.seen(fitting.source, DropBlock(drops, domain: .fit, seed: front.seed))
      let middle = clock.now
      if let rows { inputs.append(try front.input(rows)) }
      // First use makes plans and touches memory.
      let isFirst = done == 0 && blocks > 1
      seen = isFirst ? 0 : seen + (middle - start).seconds
      made = isFirst ? 0 : made + (clock.now - middle).seconds
      done += 1
    }
    let timed = Double(blocks > 1 ? max(done - 1, 1) : 1)
    let share = Double(blocks) / timed / Double(pool.threadCount)
    return (seen * share, made * share + (try finishing(fitting, inputs, blocks: blocks, pool)))
  }

  /// Seconds to take in inputs and finish.
  private static func finishing(
    _ fitting: Fitting, _ inputs: [StageInput], blocks: Int, _ pool: WorkerPool
  ) throws -> Double {
    guard !inputs.isEmpty else { return 0 }
    let clock = ContinuousClock()
    var fitter = fitting.makeFitter()
    let start = clock.now
    var added = 0
    while added < blocks, added == 0 || (clock.now - start).seconds < budget {
      fitter.add(inputs[added % inputs.count])
      added += 1
    }
    let adding = (clock.now - start).seconds * Double(blocks) / Double(added)
    let end = clock.now
    // Drops that repeat, or too few of them, may not determine the part: then only the drops are counted.
    let isFinished = (try? fitter.finish(on: pool)) != nil
    return adding + (isFinished ? (clock.now - end).seconds : 0)
  }
}
