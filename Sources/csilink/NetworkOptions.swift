import ArgumentParser
import Foundation
import Networks
import Parts

/// Runs the body; a network or ratio that does not exist is wrong usage.
func namingNetworks(_ body: () throws -> Void) throws {
  do {
    try body()
  } catch NetworkError.unknownNetwork(let name, let known) {
    let hint = nearestWord(to: name, among: known).map { "; did you mean '\($0)'?" } ?? ""
    throw ValidationError("no network '\(name)'\(hint) 'csilink inspect' lists all")
  } catch let error as NetworkError {
    throw ValidationError("\(error)")
  }
}

/// The worker threads of a command that has no scenario.
struct ThreadOption: ParsableArguments {
  @Option(help: "Worker threads; the processor's cores if left out. Results do not depend on it.")
  var threads: Int?

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be in 1...1024, got \(threads)")
    }
  }

  var count: Int { threads ?? ProcessInfo.processInfo.activeProcessorCount }
}
