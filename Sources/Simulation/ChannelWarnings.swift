import Channels
import Parts
import Scenarios

/// What the channel models of a scenario say about settings outside what they were made for.
public enum ChannelWarnings {
  /// One for each distinct complaint, placed where the channel is written.
  public static func of(_ scenario: Scenario) -> [Diagnostic] {
    var asked: Set<[Settings]> = []
    var warnings: [Diagnostic] = []
    for point in scenario.points {
      let (grid, channel) = (point.settings[.grid]!, point.settings[.channel]!)
      guard asked.insert([grid, channel]).inserted,
        let model = LinkCatalogue.type(of: channel) as? any ChannelModel.Type
      else { continue }
      warnings += model.warnings(channel, grid: GridSection.grid(grid)).map {
        scenario.diagnostic(for: $0, section: .channel, severity: .warning)
      }
    }
    var seen: Set<Diagnostic> = []
    return warnings.filter { seen.insert($0).inserted }
  }
}
