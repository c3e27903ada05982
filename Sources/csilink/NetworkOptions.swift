import ArgumentParser
import Foundation
import Networks
import Parts
import Simulation

extension Shape: ExpressibleByArgument {
  /// Reads an image such as `32x64`.
  public init?(argument: String) { self.init(image: argument) }

  /// Angles and taps, as the option reads them.
  public var defaultValueDescription: String { imageSize }
}

/// Size of the CSI that a network compresses.
struct ImageOption: ParsableArguments {
  @Option(help: ArgumentHelp("Angles and delay taps of the CSI.", valueName: "AxT"))
  var image = Shape.publicImage
}

/// Runs the body; a network or ratio that does not exist is wrong usage.
func namingNetworks<Result>(_ body: () throws -> Result) throws -> Result {
  do {
    return try body()
  } catch NetworkError.unknownNetwork(let name, let known) {
    let catalogue = PartRegistry.standard
    let isPart =
      Section(rawValue: name).map(catalogue.sections.contains) == true
      || catalogue.listing(ofParts: name) != nil
    let isFile = FileManager.default.fileExists(atPath: name)
    let hint =
      isFile
      ? "it is a file: name the network, and the file with --weights ('csilink weights import' makes weights of foreign files); "
      : isPart
        ? "it belongs to the link: 'csilink list \(name)' shows it; "
        : nearestWord(to: name, among: known).map { "did you mean '\($0)'? " } ?? ""
    throw ValidationError("no network '\(name)'; \(hint)'csilink inspect' lists all")
  } catch let error as NetworkError {
    throw ValidationError("\(error)")
  }
}
