import ArgumentParser

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data", abstract: "Make, describe and convert files of channels.",
    subcommands: [DataGenerateCommand.self, DataDescribeCommand.self, DataConvertCommand.self])
}
