import ArgumentParser
import LinkMath
import Reports

struct ChooseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "choose",
    abstract: "List measured networks that UE, BS and feedback can afford, best first.",
    discussion: """
      Reads result folders of 'run' and lists every point with a network whose sizes are within the limits that are given, by its \
      measured NMSE. Memory is that of the trainable values in units of 32 bits, a binary weight being one bit; operations are \
      multiply-accumulates with all matrix products (MAC+), as 'inspect' counts them. Points without bits do not fit a limit of bits.
      """)

  @Argument(help: "Result folders.", completion: .directory)
  var results: [String]

  @Option(help: "Most memory of the encoder, in values of 32 bits.")
  var ueMemory: Int?

  @Option(help: "Most multiply-accumulates of the encoder.")
  var ueOperations: Int?

  @Option(help: "Most memory of the decoder, in values of 32 bits.")
  var bsMemory: Int?

  @Option(help: "Most multiply-accumulates of the decoder.")
  var bsOperations: Int?

  @Option(help: "Most bits of a report.")
  var bits: Int?

  func validate() throws {
    let limits = [ueMemory, ueOperations, bsMemory, bsOperations, bits].compactMap { $0 }
    if limits.contains(where: { $0 < 1 }) { throw ValidationError("limits are at least 1") }
  }

  func run() throws {
    let choice = try ElasticChoice(results, pool: WorkerPool(threadCount: 1))
    guard !choice.candidates.isEmpty else {
      throw ValidationError("the results have no point with a network")
    }
    var budget = ElasticBudget()
    (budget.ueMemory, budget.ueOperations) = (ueMemory, ueOperations)
    (budget.bsMemory, budget.bsOperations) = (bsMemory, bsOperations)
    budget.bits = bits
    let feasible = choice.feasible(budget)
    guard !feasible.isEmpty else {
      printError(
        "# none of the \(choice.candidates.count) measured points is within the limits; without limits:"
      )
      print(ElasticChoice.text(choice.candidates))
      throw ExitCode(1)
    }
    print(ElasticChoice.text(feasible))
  }
}
